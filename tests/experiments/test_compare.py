"""Errors, bounds and tables."""

from __future__ import annotations

import pytest

from experiments.compare import Verdict, error_percent, show, signed


def test_a_verdict_fails_on_the_worst_case_or_on_the_mean() -> None:
    cases = (("a", 4.0), ("b", -9.0), ("c", 0.0))
    one = Verdict("chip", "latency", cases, 10.0, 5.0)
    assert one.worst == ("b", -9.0)
    assert one.mean == pytest.approx(13 / 3)
    assert one.passed
    assert not Verdict("chip", "latency", cases, 8.9, 5.0).passed
    assert not Verdict("chip", "latency", cases, 10.0, 4.3).passed
    assert Verdict("chip", "latency", cases).word == "-"


def test_exact_means_exact() -> None:
    assert Verdict("chip", "cycles", (("a", 0.0),), 0.0, 0.0).word == "PASS"
    assert Verdict("chip", "cycles", (("a", 1e-9),), 0.0, 0.0).word == "FAIL"


def test_signs_of_errors() -> None:
    assert error_percent(9.0, 10.0) == pytest.approx(-10)
    assert [signed(value) for value in (-0.04, 0.04, 1.25, -10.0)] == ["0.0 %", "0.0 %", "+1.2 %", "-10.0 %"]


def test_table_is_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    show("title", [{"layer": "conv1", "cycles": 1234, "error": -3.0}, {"layer": "fc", "cycles": 5, "error": 12.0}])
    assert capsys.readouterr().out == (
        "title\n  layer  cycles    error\n  conv1   1,234   -3.0 %\n  fc          5  +12.0 %\n\n"
    )
