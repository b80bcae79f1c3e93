"""Words of one side of the input that cross the port where PEs share them only when their windows are the same."""

from __future__ import annotations

from accel.kernels.options import kernel
from accel.kernels.windows import distinct_positions


@kernel
def block_words(extent: int, block: int, stride: int, taps: int, tap_block: int, dilation: int) -> int:
    """Words of one side of the input when outputs and taps are visited in blocks, each block fetched afresh."""
    words = 0
    for outputs in (block, extent % block):
        for window in (tap_block, taps % tap_block):
            if outputs and window:
                visits = (extent // block if outputs == block else 1) * (
                    taps // tap_block if window == tap_block else 1
                )
                words += visits * distinct_positions(outputs, stride, window, dilation)
    return words


@kernel
def _share(extent: int, pes: int, blocked: bool, pe: int) -> tuple[int, int]:
    """(first index, number of indices) of the extent that one of `pes` PEs has, dealt in turn or in runs."""
    if extent <= pes:
        return pe, 1
    if not blocked:
        return pe, (extent - pe + pes - 1) // pes
    first = -(-pe * extent // pes)
    return first, -(-(pe + 1) * extent // pes) - first


@kernel
def different_pes(
    outputs: int, output_pes: int, outputs_blocked: bool, stride: int, taps: int, tap_pes: int, taps_blocked: bool,
    dilation: int,
) -> int:  # fmt: skip
    """PEs along one side whose windows are no other's, where all have as many outputs and as many taps as each other.

    Of PEs with the same windows one counts. Arguments as those of `pe_window_words`.
    """
    apart = stride * -(-outputs // output_pes) if outputs_blocked else stride
    taps_apart = dilation * -(-taps // tap_pes) if taps_blocked else dilation
    return distinct_positions(min(output_pes, outputs), apart, min(tap_pes, taps), taps_apart)


@kernel
def pe_window_words(
    outputs: int, output_pes: int, outputs_blocked: bool, output_block: int, stride: int, taps: int, tap_pes: int,
    taps_blocked: bool, tap_block: int, dilation: int, visits: bool,
) -> int:  # fmt: skip
    """Words for all PEs along one side; PEs with the same windows at the same time take them together.

    Outputs and taps are dealt to `output_pes` x `tap_pes` PEs, as many as there are: each visits its own in blocks, of
    which only the first counts unless `visits`.
    """
    used_outputs, used_taps = min(output_pes, outputs), min(tap_pes, taps)
    step = stride if outputs_blocked else stride * output_pes
    tap_step = dilation if taps_blocked else dilation * tap_pes
    most, most_taps = -(-outputs // output_pes), -(-taps // tap_pes)
    if outputs % used_outputs == 0 and taps % used_taps == 0:
        own, own_taps = most, most_taps
        if not visits:
            own, own_taps = min(own, output_block), min(own_taps, tap_block)
        different = different_pes(outputs, output_pes, outputs_blocked, stride, taps, tap_pes, taps_blocked, dilation)
        return different * block_words(own, min(output_block, own), step, own_taps, min(tap_block, own_taps), tap_step)
    # One output more looks like one tap more where both lie as far apart.
    alike = step == tap_step and (not visits or (output_block >= most and tap_block >= most_taps))
    words = 0
    for pe in range(used_outputs):
        first, own = _share(outputs, output_pes, outputs_blocked, pe)
        for tap_pe in range(used_taps):
            first_tap, own_taps = _share(taps, tap_pes, taps_blocked, tap_pe)
            if not visits:
                own, own_taps = min(own, output_block), min(own_taps, tap_block)
            taken = False  # together with a PE before
            for other in range(pe + 1):
                there, theirs = _share(outputs, output_pes, outputs_blocked, other)
                theirs = theirs if visits else min(theirs, output_block)
                for other_tap in range(tap_pe if other == pe else used_taps):
                    there_tap, their_taps = _share(taps, tap_pes, taps_blocked, other_tap)
                    their_taps = their_taps if visits else min(their_taps, tap_block)
                    same = theirs == own and their_taps == own_taps
                    same = same or (alike and theirs + their_taps == own + own_taps)
                    place = (there - first) * stride + (there_tap - first_tap) * dilation
                    taken = taken or (same and place == 0)
            if not taken:
                words += block_words(own, min(output_block, own), step, own_taps, min(tap_block, own_taps), tap_step)
    return words
