"""Which part holds a layer back."""

from __future__ import annotations

from collections.abc import Mapping


def bottleneck(busy: Mapping[str, int], dram_waits: Mapping[str, int], controller: int, dma_busy_cycles: int) -> str:
    """The part without which the layer would be faster by the most cycles.

    `busy`: the array's or vector unit's own cycles by what takes them; `dram_waits`: those it waited for transfers, by
    kind; `controller`: for that. These add up to the latency. Were what takes own cycles quicker, the DMA's transfers
    would still take theirs, however well they are hidden now; without transfers only waits would go.
    """
    waits = sum(dram_waits.values())
    beside_dma = max(0, sum(busy.values()) + waits + controller - dma_busy_cycles)
    saved = {part: min(cycles, beside_dma) for part, cycles in busy.items()}
    saved |= {max(dram_waits, key=lambda kind: dram_waits[kind]): waits, "controller": controller}
    # Of parts that would save as much, the one that takes longer: all the DMA leaves may be less than either.
    return max(saved, key=lambda part: (saved[part], busy.get(part, 0)))
