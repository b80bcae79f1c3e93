"""The slow, obvious namesake of `passes.tile_cost`: sets of words, one loop iteration at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from math import prod

from mappings import Loop, Mapping
from workloads.layer import RELEVANT, Layer, Operand

Word = tuple[int, ...]
Indices = dict[str, range]


@dataclass(frozen=True)
class Machine:
    """The PE array as `passes.tile_cost` sees it. Ports and words: input, weight, psum, output."""

    rows: int = 4
    columns: int = 4
    systolic: bool = False
    overlap_passes: bool = False
    window_reuse: bool = True
    accumulation_latency: int = 0
    keep_registers: bool = False
    tile_multicast: bool = False
    blocked: tuple[bool, bool, bool, bool] = (False, False, False, False)  # P, Q, R, S
    registers: tuple[int, int, int] = (1, 1, 1)
    double_buffered: tuple[bool, bool, bool] = (False, False, False)
    port_bits: tuple[int, int, int, int] = (8, 8, 32, 32)
    word_bits: tuple[int, int, int, int] = (8, 8, 32, 8)
    mac_cycles: int = 1
    steady_windows: bool = False


@dataclass
class Counts:
    """What `tile_cost` adds up; words by operand."""

    compute: int = 0
    mac: int = 0
    port: int = 0
    passes: int = 0
    read_input: int = 0
    read_weight: int = 0
    read_psum: int = 0
    write_psum: int = 0
    write_output: int = 0
    fills: list[int] = field(default_factory=lambda: [0, 0, 0])
    way: int = 0  # in which windows slid last: 1 down, 2 across, negative backwards; steady ones: 0 no way, 1 at rest

    def as_list(self) -> list[int]:
        """In the order of the kernel's result, and the way."""
        reads = [self.read_input, self.read_weight, self.read_psum, self.write_psum, self.write_output]
        return [self.compute, self.mac, self.port, self.passes, *reads, *self.fills, self.way]


@dataclass(frozen=True)
class Pass:
    """One operand in one pass: words fetched, words before the first MAC, register writes of a PE, whether it stays."""

    words: int
    first: int
    fill: int
    held: bool


def tile_cost(
    layer: Layer,
    mapping: Mapping,
    machine: Machine,
    extent: dict[str, int],
    *,
    accumulates: bool = False,
    finishes: bool = True,
    before: Indices | None = None,
    way: int = 0,
    continued: int = 0,
    continues: int = 0,
    returns: bool = False,
) -> Counts:
    """The passes of one tile in order; `extent` is the tile's size along each axis. Full passes decide what stays.

    `before`: the pass before the tile, seen from it, where registers may have inputs of it.
    """
    counts = Counts(way=way)
    full = {axis: mapping.pass_extent(axis) for axis in extent}
    stays = {operand: one_pass(layer, mapping, machine, full, operand).held for operand in Operand}
    earlier: dict[str, tuple[int, ...]] = {}
    then = before
    step = None if way == 0 else translation(layer, extent, extent)  # to compare the next one of steady windows with
    resident: list[int] = []  # output words in the registers, and whether they are finished
    complete = False
    for starts, digits in passes(mapping, extent):
        size = {axis: min(mapping.pass_extent(axis), extent[axis] - starts[axis]) for axis in extent}
        reduced = [axis for axis in extent if set(axis) & set("CRS")]
        adds = accumulates or any(starts[axis] > 0 for axis in reduced)
        ends = finishes and all(starts[axis] + size[axis] == extent[axis] for axis in reduced)
        macs = machine.mac_cycles * prod(
            -(-size[loop.axis] // mapping.unrolled(loop.axis)) for loop in mapping.registers
        )
        serial = fill = drain = hidden = 0
        pace = macs
        place = {axis: range(starts[axis], starts[axis] + size[axis]) for axis in extent}
        for operand in Operand:
            one, held = one_pass(layer, mapping, machine, size, operand), stays[operand]
            selecting = [axis for axis in extent if set(axis) & RELEVANT[operand]]
            moved = (
                any(digits[axis] != earlier[axis] for axis in selecting)
                if earlier
                else not (continued >> operand & 1 and held)
            )
            fetched = one.words if moved or not held else 0
            filled = one.fill if moved or not held else 0
            keeps = machine.keep_registers and operand is Operand.INPUT and held
            slid = slides(layer, mapping, machine, place, then) if keeps and moved and then else None
            steady = machine.steady_windows and machine.window_reuse and all(dim in place for dim in "PQRS")
            if keeps and steady:
                now = translation(layer, corner(place), corner(then if moved else place)) if then else None
                same = step in (None, now)
                slid = slid if same else None
                rests = now if now and not moved else None
                step = now if same else rests
                counts.way = 0 if step is None else 2 if any(step) else 1
            elif keeps:
                if slid and counts.way and slid != counts.way:
                    slid = None  # back again: everything is loaded
                counts.way = slid or 0
            if slid is not None and then is not None:
                if machine.tile_multicast:
                    fetched = sum(fresh_by_pe(layer, mapping, machine, place, then))
                else:
                    fetched = len(words_of(layer, machine, operand, place) - words_of(layer, machine, operand, then))
                now, past = (
                    words_of(layer, machine, operand, pes(mapping, machine, indices)[0]) for indices in (place, then)
                )
                filled = len(now - past) if machine.registers[operand] else 0
            counts.fills[operand] += filled
            if operand is Operand.OUTPUT:
                unique = prod(size[axis] for axis in selecting)
                if held:
                    read = fetched if adds else 0
                    leaving = sum(resident) if moved else 0
                    done = leaving if complete else 0
                    resident, complete = [unique], ends
                else:
                    read = fetched if adds else fetched - unique
                    leaving = fetched
                    done = unique if ends else 0
                counts.read_psum += read
                counts.write_psum += leaving - done
                counts.write_output += done
                incoming, outgoing = port_cycles(machine, 2, read), leaving_cycles(machine, leaving - done, done)
                first = -(-one.first * machine.word_bits[2] // machine.port_bits[3])
                if held and machine.double_buffered[operand]:
                    hidden = max(hidden, incoming, outgoing)
                elif held:
                    serial += incoming + outgoing
                else:
                    lead = 0 if machine.systolic else max(0, first - 1)
                    drain = lead
                    fill = max(fill, lead if read else 0)
                    pace = max(pace, max(incoming, outgoing) - lead)
                continue
            if operand is Operand.INPUT:
                counts.read_input += fetched
            else:
                counts.read_weight += fetched
            loading = port_cycles(machine, operand, fetched)
            if held:
                if machine.systolic and fetched:
                    loading = max(loading, machine.rows)
                if machine.double_buffered[operand]:
                    hidden = max(hidden, loading)
                else:
                    serial += loading
            else:
                lead = 0 if machine.systolic else max(0, port_cycles(machine, operand, one.first) - 1)
                fill = max(fill, lead)
                pace = max(pace, loading - lead)
        pays_skew = not machine.overlap_passes if earlier else not continued & 8
        skew = machine.rows + machine.columns - 2 if machine.systolic and pays_skew else 0
        latency = machine.accumulation_latency if returns else 0
        cycles = max(serial + fill + pace + drain + skew, hidden) + latency
        counts.compute += cycles
        counts.mac += macs
        counts.port += cycles - macs - skew - latency
        counts.passes += 1
        earlier, then = digits, place
    if resident and not continues >> Operand.OUTPUT & 1:
        left = sum(resident)
        counts.write_output += left if complete else 0
        counts.write_psum += 0 if complete else left
        writing = leaving_cycles(machine, 0 if complete else left, left if complete else 0)
        if machine.double_buffered[Operand.OUTPUT]:
            missing = machine.rows + machine.columns - 2 - skew if machine.systolic else 0
            writing = max(0, writing - cycles - missing)
        counts.compute += writing
        counts.port += writing
    return counts


def port_cycles(machine: Machine, port: int, words: int) -> int:
    """Whole cycles that words take over a port."""
    return -(-words * machine.word_bits[port] // machine.port_bits[port])


def leaving_cycles(machine: Machine, psums: int, outputs: int) -> int:
    """Partial sums and finished outputs share the way out."""
    return -(-(psums * machine.word_bits[2] + outputs * machine.word_bits[3]) // machine.port_bits[3])


def passes(mapping: Mapping, extent: dict[str, int]) -> Iterator[tuple[dict[str, int], dict[str, tuple[int, ...]]]]:
    """(start along each axis, on-chip digits of each axis) of every pass that has work, in order."""
    for choice in product(*(range(loop.factor) for loop in mapping.on_chip)):
        starts, digits = {}, {}
        for axis in extent:
            mine = [(digit, loop) for digit, loop in zip(choice, mapping.on_chip, strict=True) if loop.axis == axis]
            number = 0
            for digit, loop in mine:
                number = number * loop.factor + digit
            starts[axis] = number * mapping.pass_extent(axis)
            digits[axis] = tuple(digit for digit, _ in mine)
        if all(starts[axis] < extent[axis] for axis in extent):
            yield starts, digits


def one_pass(layer: Layer, mapping: Mapping, machine: Machine, size: dict[str, int], operand: Operand) -> Pass:
    """What an operand does in a pass over `size` indices of each axis."""
    loops = mapping.registers
    times = [-(-size[loop.axis] // mapping.unrolled(loop.axis)) for loop in loops]
    # Registers keep the words of as many inner loops as fit; `depth` loops are outside. None: not even one word fits.
    depth = None
    for inner in range(len(loops) + 1):
        slots = slots_needed(layer, mapping, machine, size, operand, loops[len(loops) - inner :])
        if slots <= machine.registers[operand] * prod(loop.factor for loop in mapping.lanes):
            depth = len(loops) - inner
    if depth is None:
        stream = len(loops)
    else:
        moving = [at for at in range(depth) if times[at] > 1 and set(loops[at].axis) & RELEVANT[operand]]
        stream = max(moving, default=-1)
    # Every iteration of the loops outside the stream fetches the union of what its iterations touch.
    fetched: dict[tuple[int, ...], set[Word]] = {}
    first: set[Word] = set()
    for digits in product(*(range(count) for count in times)):
        words = words_of(layer, machine, operand, cycle_indices(mapping, size, loops, digits))
        fetched.setdefault(digits[: max(stream, 0)], set()).update(words)
        if not any(digits[: len(loops) if depth is None else depth]):
            first |= words
    words, at_first = sum(len(words) for words in fetched.values()), len(first)
    if machine.tile_multicast and operand is Operand.INPUT and machine.window_reuse and all(d in size for d in "PQRS"):
        words, at_first = by_pe(layer, mapping, machine, size, stream, depth)
    held = stream < 0
    if machine.systolic:
        shared = [axis for axis in size if mapping.unrolled(axis) > 1 and not set(axis) & RELEVANT[operand]]
        held = held and not shared
    # One PE's registers take each word of its stream once, again for every iteration of the loops outside.
    along = slots_needed(layer, mapping, machine, size, operand, loops[max(stream, 0) :])
    fill = along * prod(times[: max(stream, 0)]) if machine.registers[operand] else 0
    return Pass(words, at_first, fill, held)


def by_pe(
    layer: Layer, mapping: Mapping, machine: Machine, size: dict[str, int], stream: int, depth: int | None
) -> tuple[int, int]:
    """(input words, those before the first MAC) of a pass when only PEs that need the same share it."""
    loops = mapping.registers
    everything: set[tuple[tuple[tuple[int, ...], frozenset[Word]], ...]] = set()
    beginnings: set[frozenset[Word]] = set()
    for mine in pes(mapping, machine, {axis: range(extent) for axis, extent in size.items()}):
        visits: dict[tuple[int, ...], set[Word]] = {}
        first: set[Word] = set()
        for digits in product(*(range(len(mine[loop.axis])) for loop in loops)):
            turn = {loop.axis: digit for loop, digit in zip(loops, digits, strict=True)}
            at = {axis: own[turn.get(axis, 0) :][:1] for axis, own in mine.items()}
            words = words_of(layer, machine, Operand.INPUT, at)
            visits.setdefault(digits[: max(stream, 0)], set()).update(words)
            if not any(digits[: len(loops) if depth is None else depth]):
                first |= words
        everything.add(tuple((turn, frozenset(words)) for turn, words in visits.items()))
        beginnings.add(frozenset(first))
    return sum(len(words) for visits in everything for _, words in visits), sum(len(first) for first in beginnings)


def fresh_by_pe(layer: Layer, mapping: Mapping, machine: Machine, now: Indices, then: Indices) -> list[int]:
    """New input words of every PE whose tile is no other's."""
    found = {}
    for mine, before in zip(pes(mapping, machine, now), pes(mapping, machine, then), strict=True):
        words = words_of(layer, machine, Operand.INPUT, mine)
        found[frozenset(words)] = len(words - words_of(layer, machine, Operand.INPUT, before))
    return [*found.values()]


def slides(layer: Layer, mapping: Mapping, machine: Machine, now: Indices, then: Indices) -> int | None:
    """Which way windows moved along one side of the input, 0 if all or nothing of a PE's is new; None: another way."""
    if not machine.window_reuse or not all(dim in now for dim in "PQRS"):
        return None
    if machine.tile_multicast:
        for dim in "PQRS":  # all PEs do alike
            unrolled = mapping.unrolled(dim)
            uneven = len(now[dim]) > unrolled and len(now[dim]) % unrolled
            if unrolled > 1 and (uneven or len(now[dim]) != len(then[dim])):
                return None
    if any(now[axis] != then[axis] for axis in now if set(axis) & set("GNC")):
        return None

    def touched(indices: Indices, side: int) -> set[int]:
        output, tap = ("PR", "QS")[side]
        return {
            at * layer.stride[side] + by * layer.dilation[side] for at, by in product(indices[output], indices[tap])
        }

    if not any(touched(now, side) == touched(then, side) for side in (0, 1)):
        return None
    mine, before = pes(mapping, machine, now)[0], pes(mapping, machine, then)[0]
    for side in (0, 1):
        places, earlier = touched(mine, side), touched(before, side)
        if touched(mine, 1 - side) == touched(before, 1 - side):
            if not 0 < len(places - earlier) < len(places):
                return 0
            return (side + 1) * (1 if min(places) >= min(earlier) else -1)
    return None


def corner(indices: Indices) -> dict[str, int]:
    """Where a pass begins."""
    return {axis: at.start for axis, at in indices.items()}


def translation(layer: Layer, now: dict[str, int], then: dict[str, int]) -> tuple[int, ...]:
    """How far inputs moved from one corner to another, along every axis of theirs and both sides."""
    moved = {axis: now[axis] - then[axis] for axis in now}
    sides = [
        moved.get(output, 0) * layer.stride[side] + moved.get(tap, 0) * layer.dilation[side]
        for side, (output, tap) in enumerate(("PR", "QS"))
    ]
    return (*(moved[axis] for axis in sorted(moved) if set(axis) & set("GNC")), *sides)


def pes(mapping: Mapping, machine: Machine, indices: Indices) -> list[Indices]:
    """What every PE works on, the busiest first: index by index in turn, or runs of neighbours."""
    found = []
    for axis, at in indices.items():
        unrolled = mapping.unrolled(axis)
        if blocked(machine, axis) and len(at) > unrolled:
            runs = [[k for k in range(len(at)) if k * unrolled // len(at) == pe] for pe in range(unrolled)]
            found.append([range(at.start + run[0], at.start + run[-1] + 1) for run in runs])
        else:
            found.append([range(at.start + pe, at.stop, unrolled) for pe in range(min(unrolled, len(at)))])
    return [dict(zip(indices, places, strict=True)) for places in product(*found)]


def blocked(machine: Machine, axis: str) -> bool:
    """Whether PEs have runs of neighbours."""
    return machine.tile_multicast and axis in "PQRS" and machine.blocked["PQRS".index(axis)]


def cycle_indices(mapping: Mapping, size: dict[str, int], loops: tuple[Loop, ...], digits: tuple[int, ...]) -> Indices:
    """Indices along each axis at which the array works in one cycle."""
    at = {loop.axis: digit for loop, digit in zip(loops, digits, strict=True)}
    found = {}
    for axis, extent in size.items():
        start = at.get(axis, 0) * mapping.unrolled(axis)
        found[axis] = range(start, min(start + mapping.unrolled(axis), extent))
    return found


def words_of(layer: Layer, machine: Machine, operand: Operand, indices: Indices) -> set[Word]:
    """Words of an operand at indices counted from the pass's start; windows overlap only where the machine sees it."""
    shares = operand is Operand.INPUT and machine.window_reuse and all(dim in indices for dim in "PQRS")
    plain = sorted(axis for axis in indices if set(axis) & RELEVANT[operand] and not (shares and axis in "PQRS"))
    sides: list[list[int]] = [list(indices[axis]) for axis in plain]
    if shares:
        for side, (output, tap) in enumerate(("PR", "QS")):
            touched = {
                at * layer.stride[side] + by * layer.dilation[side] for at, by in product(indices[output], indices[tap])
            }
            sides.append(sorted(touched))
    return set(product(*sides))


def slots_needed(
    layer: Layer, mapping: Mapping, machine: Machine, size: dict[str, int], operand: Operand, inner: tuple[Loop, ...]
) -> int:
    """Register words of one PE for the iterations of the inner loops; its lanes share what they have in common."""
    lanes = {axis: min(size[axis], prod(x.factor for x in mapping.lanes if x.axis == axis)) for axis in size}
    turns = {loop.axis: -(-size[loop.axis] // mapping.unrolled(loop.axis)) for loop in inner}
    shares = operand is Operand.INPUT and machine.window_reuse and all(dim in size for dim in "PQRS")
    if not shares:
        return prod(lanes[axis] * turns.get(axis, 1) for axis in size if set(axis) & RELEVANT[operand])
    assert max(lanes.values()) == 1, "what lanes of one PE share of a window is not spelled out here"
    found = set()
    for digits in product(*(range(count) for count in turns.values())):
        at = dict(zip(turns, digits, strict=True))
        apart = {axis: 1 if blocked(machine, axis) else mapping.unrolled(axis) for axis in size}
        mine = {axis: range(at.get(axis, 0) * apart[axis], at.get(axis, 0) * apart[axis] + 1) for axis in size}
        found |= words_of(layer, machine, operand, mine)
    return len(found)
