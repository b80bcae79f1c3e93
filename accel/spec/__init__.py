"""What an accelerator is made of: one file per part, and one for the whole."""

from __future__ import annotations

from accel.spec.accelerator import Accelerator, Energy, MappingChoice
from accel.spec.controller import Controller
from accel.spec.data_buffer import DataBuffer
from accel.spec.distribution import Distribution
from accel.spec.dma import Dma
from accel.spec.formats import CodecName, CodecRates, Codecs, Formats
from accel.spec.load import dump, load, preset_names, preset_text
from accel.spec.matching import Matching
from accel.spec.pe_array import PEArray, ZeroHandlings
from accel.spec.precision import Precision
from accel.spec.vector_unit import VectorUnit
from accel.spec.weight_buffer import WeightBuffer
from accel.spec.words import Bits, Ports, RegisterDoubleBuffered, RegisterMacros, Registers

__all__ = [
    "Accelerator",
    "Bits",
    "CodecName",
    "CodecRates",
    "Codecs",
    "Controller",
    "DataBuffer",
    "Distribution",
    "Dma",
    "Energy",
    "Formats",
    "MappingChoice",
    "Matching",
    "PEArray",
    "Ports",
    "Precision",
    "RegisterDoubleBuffered",
    "RegisterMacros",
    "Registers",
    "VectorUnit",
    "WeightBuffer",
    "ZeroHandlings",
    "dump",
    "load",
    "preset_names",
    "preset_text",
]
