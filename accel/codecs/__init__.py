"""Formats in which tensors are stored: coded and decoded for real, sized part by part."""

from accel.codecs.bitmask import Bitmask
from accel.codecs.codebook import Codebook
from accel.codecs.csc import Csc
from accel.codecs.dense import Dense
from accel.codecs.format import Decoding, Format, StoredBits
from accel.codecs.huffman import Huffman
from accel.codecs.n_of_m import NofM
from accel.codecs.run_length import RunLength

__all__ = ["Bitmask", "Codebook", "Csc", "Decoding", "Dense", "Format", "Huffman", "NofM", "RunLength", "StoredBits"]
