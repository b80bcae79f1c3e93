"""Which of the mappings that searches found, or that were known before, the simulation likes best."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np

from accel.objective import objective_value, with_ties_broken
from accel.report import LayerReport
from accel.simulation import LayerResult, simulate_layer
from accel.task import Task
from mappings import Found, Mapping
from mappings.leaders import tiles_alike
from mappings.moves import evened
from workloads import InputError

UNFIT = 1e90
"""The cost of what does not fit is above that of all that does."""
_FEWEST, _MOST = 3, 24
"""Fewest and most mappings of a family that are simulated; the best of those is taken."""
_MOST_WALKS = 8
"""As many at most where every simulation walks the nonzeros of the whole layer."""
_HOPELESS = 2.0
"""What is expected to cost so many times the best so far is not simulated, once one of its family was."""
_PLAYED_STEPS = 10_000
"""No third one is once they came to so many tile steps: the simulation would take longer than the search."""
_PLAYED_ONCE_STEPS = 100_000
"""Nor is a second one once the first came to so many."""


class Confirmation:
    """What was simulated of a task's mappings: the reports of all, and the whole result of the best."""

    def __init__(self, task: Task) -> None:
        self._reports: dict[Mapping, LayerReport] = {}
        self._refused: dict[Mapping, InputError] = {}
        self.best: LayerResult | None = None
        self._least = inf
        self._task = task
        self._skips = task.spec.pe_array.skips

    @property
    def ranked(self) -> list[tuple[Mapping, LayerReport]]:
        """Best first."""
        return sorted(self._reports.items(), key=lambda entry: self._value(entry[1]))

    def take(self, found: Found) -> None:
        """Simulate the best mappings of a search, those first that the simulation is expected to like best.

        Estimates are off by about as much for mappings whose tiles are alike, so what one of them was off by is
        expected of the next. Each is tried with even tiles too, which the estimate cannot tell from uneven ones. Ends
        when none is expected to beat the best of this search, or to come near the best so far, or when enough was
        played.
        """
        most = _MOST_WALKS if self._skips else _MOST
        distinct: dict[tuple[float, object], Mapping] = {}
        for value, mapping in found.ranked:
            if value >= UNFIT:
                break
            # What costs exactly as much in the same order does the same on other PEs.
            distinct.setdefault((value, mapping.order), mapping)
        # Where zeros are skipped it is they that the estimate errs about, however many tiles there are.
        alike = (lambda mapping: mapping.order) if self._skips else tiles_alike
        waiting = [(value, mapping, alike(mapping)) for (value, _), mapping in distinct.items()]
        ratios: dict[object, float] = {}
        best, number, played = inf, 0, 0
        while waiting and number < most and played < (_PLAYED_ONCE_STEPS if number < 2 else _PLAYED_STEPS):
            expected = [value * ratios.get(kind, 1.0) for value, _, kind in waiting]
            if self._skips and number < _FEWEST:
                # So few are of as many orders as there are.
                untried = [kind not in ratios for _, _, kind in waiting]
                expected = np.where(untried, expected, inf).tolist() if any(untried) else expected
            choice = int(np.argmin(expected))
            if number >= _FEWEST and expected[choice] >= best:
                break
            estimate, mapping, kind = waiting[choice]
            likely = estimate * ratios.get(kind, min(ratios.values(), default=0.0))
            if likely >= _HOPELESS * self._least:
                break
            del waiting[choice]
            reports = self._simulated(mapping)
            number += bool(reports)
            for report, new in reports:
                played += report.tile_steps if new else 0
                value = self._value(report)
                ratios[kind] = min(value / estimate, ratios.get(kind, inf)) if estimate else 1.0
                best = min(best, value)

    def offer(self, mappings: Sequence[Mapping]) -> tuple[InputError, ...]:
        """Simulate mappings that were found elsewhere; why those that are passed over are not for this task."""
        passed_over = []
        for mapping in mappings:
            try:
                self._task.require_dataflow(mapping)
                mapping.check(self._task.layer)
            except InputError as error:
                passed_over.append(error)
                continue
            if not self._simulated(mapping):
                passed_over.append(self._refused[mapping])
        return tuple(passed_over)

    def simulate(self, mapping: Mapping) -> LayerReport | None:
        """The report of a mapping as it is; None of what is refused.

        Tiles may not fit after all, because the estimate's are of mean size; or there are too many steps to play.
        """
        task = self._task
        if mapping not in self._reports and mapping not in self._refused:
            try:
                result = simulate_layer(task.layer, mapping, task.spec, seed=task.seed, residency=task.residency)
            except InputError as error:
                self._refused[mapping] = error
                return None
            self._reports[mapping] = result.report
            value = self._value(result.report)
            if value < self._least:
                self._least, self.best = value, result
        return self._reports.get(mapping)

    def _value(self, report: LayerReport) -> float:
        objective = self._task.objective
        return float(with_ties_broken(objective_value(report, objective), report, objective))

    def _simulated(self, mapping: Mapping) -> list[tuple[LayerReport, bool]]:
        """Reports of a mapping, plain and with even tiles, and whether they are new; none of what is refused."""
        found = []
        for each in [mapping] if self._skips else dict.fromkeys((mapping, evened(mapping, self._task.layer))):
            new = each not in self._reports
            report = self.simulate(each)
            if report is not None:
                found.append((report, new))
                if report.tile_steps > _PLAYED_ONCE_STEPS:
                    break
        return found
