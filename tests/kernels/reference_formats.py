"""Slow, obvious namesakes of the formats: every bit written out as a character."""

from __future__ import annotations

from collections import Counter

Rows = list[list[int]]


def binary(number: int, bits: int) -> str:
    """The lowest bits of a number; none for a width of zero."""
    return format(number & ((1 << bits) - 1), f"0{bits}b") if bits else ""


def bitmask(words: list[int], value_bits: int, chunk_bits: int) -> str:
    mask = "".join("1" if word else "0" for word in words)
    while len(mask) % chunk_bits:
        mask += "0"
    return mask + "".join(binary(word, value_bits) for word in words if word)


def csc(rows: Rows, value_bits: int, run_bits: int, slices: int, pointer_bits: int) -> tuple[str, list[list[int]]]:
    """(all bits, entries of each slice and column)."""
    columns = len(rows[0]) if rows else 0
    bits, counts = "", []
    for part in range(slices):
        mine, pointers = [], [0]
        for column in range(columns):
            run = 0
            for row in rows[part::slices]:
                word = row[column]
                if word:
                    while run > 2**run_bits - 1:
                        mine.append((0, 2**run_bits - 1))
                        run -= 2**run_bits
                    mine.append((word, run))
                    run = 0
                else:
                    run += 1
            pointers.append(len(mine))
        bits += "".join(binary(word, value_bits) + binary(run, run_bits) for word, run in mine)
        bits += "".join(binary(pointer, pointer_bits) for pointer in pointers)
        counts.append([pointers[column + 1] - pointers[column] for column in range(columns)])
    return bits, counts


def n_of_m(rows: Rows, n: int, m: int, value_bits: int) -> str | None:
    """None when a group holds too many."""
    place_bits = len(binary_digits(m - 1))
    bits = ""
    for row in rows:
        for start in range(0, len(row), m):
            slots = [(word, place) for place, word in enumerate(row[start : start + m]) if word]
            if len(slots) > n:
                return None
            slots += [(0, 0)] * (n - len(slots))
            bits += "".join(binary(word, value_bits) + binary(place, place_bits) for word, place in slots)
    return bits


def binary_digits(number: int) -> str:
    """Without leading zeros; nothing for zero."""
    return format(number, "b") if number else ""


def nearest(word: int, table: tuple[int, ...]) -> int:
    """The value nearest to a word, the lower of two."""
    return min(table, key=lambda value: (abs(value - word), value))


def huffman_bits(words: list[int]) -> int:
    """Bits of an optimal prefix code: the lightest two are joined again and again, at their weight."""
    weights = sorted(Counter(words).values())
    if len(weights) == 1:
        return weights[0]
    bits = 0
    while len(weights) > 1:
        joined = weights[0] + weights[1]
        bits += joined
        weights = sorted([*weights[2:], joined])
    return bits
