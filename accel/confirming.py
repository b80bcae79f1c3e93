"""Which of the mappings that a search found the simulation likes best."""

from __future__ import annotations

from math import inf

import numpy as np

from accel.objective import objective_value
from accel.report import LayerReport
from accel.simulation import LayerResult, simulate_layer
from accel.task import Task
from mappings import Found, Mapping
from mappings.moves import evened
from workloads import InputError

UNFIT = 1e90
"""The cost of what does not fit is above that of all that does."""
_CONFIRMED = (6, 24)
"""Fewest and most mappings of a family that are simulated; the best of those is taken."""
_CONFIRMED_WALKS = (3, 8)
"""The same where every simulation walks the nonzeros of the whole layer."""
_HOPELESS = 2.0
"""What is expected to cost so many times the best of another search is not simulated, once one like it was."""
_PLAYED_STEPS = 10_000
"""No further ones are once they came to so many tile steps: the simulation would take longer than the search."""


class Confirmation:
    """What was simulated of a task's mappings: the reports of all, and the whole result of the best."""

    def __init__(self, task: Task) -> None:
        self.reports: dict[Mapping, LayerReport] = {}
        self.best: LayerResult | None = None
        self._least = inf
        self._task = task
        self._skips = task.spec.pe_array.skips

    @property
    def ranked(self) -> list[tuple[Mapping, LayerReport]]:
        """Best first."""
        return sorted(self.reports.items(), key=lambda entry: objective_value(entry[1], self._task.objective))

    def take(self, found: Found) -> None:
        """Simulate the best mappings of a search, those first that the simulation is expected to like best.

        Estimates are off by about as much for mappings with the same order of tiles, so what one of them was off by is
        expected of the next. Each is tried with even tiles too, which the estimate cannot tell from uneven ones. Ends
        when none is expected to beat the best of this search, or to come near that of an earlier one, or when enough
        was played.
        """
        fewest, most = _CONFIRMED_WALKS if self._skips else _CONFIRMED
        distinct: dict[tuple[float, object], Mapping] = {}
        for value, mapping in found.ranked:
            if value >= UNFIT:
                break
            # What costs exactly as much in the same order does the same on other PEs.
            distinct.setdefault((value, (tuple(loop.axis for loop in mapping.off_chip), mapping.hold)), mapping)
        waiting = [(value, mapping, order) for (value, order), mapping in distinct.items()]
        ratios: dict[object, float] = {}
        best, number, played = inf, 0, 0
        while waiting and number < most and (number < 2 or played < _PLAYED_STEPS):
            expected = [value * ratios.get(order, 1.0) for value, _, order in waiting]
            choice = int(np.argmin(expected))
            if number >= fewest and expected[choice] >= best:
                break
            if number and expected[choice] >= _HOPELESS * self._least:
                break
            estimate, mapping, order = waiting.pop(choice)
            reports = self._simulated(mapping)
            number += bool(reports)
            for report, new in reports:
                played += report.tile_steps if new else 0
                value = objective_value(report, self._task.objective)
                ratios[order] = min(value / estimate, ratios.get(order, inf)) if estimate else 1.0
                best = min(best, value)

    def _simulated(self, mapping: Mapping) -> list[tuple[LayerReport, bool]]:
        """Reports of a mapping, plain and with even tiles, and whether they are new.

        None of what does not fit after all: the estimate's tiles may be too large or too small.
        """
        task = self._task
        found = []
        for each in [mapping] if self._skips else dict.fromkeys((mapping, evened(mapping, task.layer))):
            new = each not in self.reports
            if new:
                try:
                    result = simulate_layer(task.layer, each, task.spec, seed=task.seed, residency=task.residency)
                except InputError:
                    continue
                self.reports[each] = result.report
                value = objective_value(result.report, task.objective)
                if value < self._least:
                    self._least, self.best = value, result
            found.append((self.reports[each], new))
        return found
