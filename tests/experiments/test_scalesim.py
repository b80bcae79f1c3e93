"""Systolic arrays equal SCALE-Sim's closed forms, exactly."""

from __future__ import annotations

import pytest

from experiments.scalesim import QUANTITIES, closed_form, run, verdicts
from workloads import Layer


@pytest.mark.parametrize(("network", "array"), [("alexnet", (32, 32)), ("resnet18", (16, 64))])
def test_no_mismatch(network: str, array: tuple[int, int]) -> None:
    comparisons = run([network], [array])
    assert [one for one in comparisons if one.ours != one.theirs] == []
    assert all(one.passed for one in verdicts(comparisons))
    assert {one.quantity for one in comparisons} == set(QUANTITIES)
    assert {one.dataflow for one in comparisons} == {"OS", "WS", "IS"}


def test_closed_form_of_a_layer_worked_out_by_hand() -> None:
    """10 pixels, 6 taps, 5 filters on 4 x 4: OS folds pixels 3 and filters 2 times, 6 + 4 + 4 - 2 cycles each."""
    layer = Layer("matmul", op="matmul", N=10, C=6, K=5)
    assert closed_form(layer, "OS", 4, 4) == {
        "cycles": 6 * 12, "input_words": 2 * 60, "weight_words": 3 * 30, "output_words": 50,
    }  # fmt: skip
    assert closed_form(layer, "WS", 4, 4)["cycles"] == 2 * 2 * (10 + 2 * 4 + 4 - 2)
    assert closed_form(layer, "IS", 4, 4)["cycles"] == 2 * 3 * (5 + 2 * 4 + 4 - 2)
