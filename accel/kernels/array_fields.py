"""Where things stand in the vector that tells the kernels of the PE array."""

from __future__ import annotations

(
    ROWS,
    COLUMNS,
    SYSTOLIC,
    OVERLAP_PASSES,
    ACCUMULATION_LATENCY,
    REGISTERS,
    DOUBLE_BUFFERED,
    PORT_BITS,
    WORD_BITS,
    MAC_CYCLES,
    KEEP_REGISTERS,
    TILE_MULTICAST,
    BLOCKED,
    STEADY_WINDOWS,
    LINKS,
) = (0, 1, 2, 3, 4, 5, 8, 11, 15, 19, 20, 21, 22, 26, 27)
MACHINE_FIELDS = 28
"""ROWS and COLUMNS: those that operands travel through. REGISTERS and DOUBLE_BUFFERED take three fields (input, weight,
output), PORT_BITS and WORD_BITS a fourth: input, weight, partial sums in (words: partial sums), outputs out (words:
finished outputs). MAC_CYCLES: those of a MAC. TILE_MULTICAST: a word that several PEs need crosses the port once only
where all that they need is the same. BLOCKED, four fields, P, Q, R and S: PEs have runs of neighbours; words that PEs
share one by one are counted as if they had not. STEADY_WINDOWS: registers keep inputs that slide only while they move
by the same step. LINKS: a PE takes inputs from neighbours that took the same in the pass before."""
