"""The comparison of fused pairs, at a quick size."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments import fusion
from experiments.fusion import main, rows, run


@pytest.fixture(scope="module")
def found() -> list[fusion.Run]:
    return run(["lenet5"], quick=True)


def test_fused_rows_are_no_worse_and_pairs_are_named(found: list[fusion.Run]) -> None:
    for one, row in zip(found, rows(found), strict=True):
        assert one.fused.latency_ms * one.fused.energy_pj <= one.plain.latency_ms * one.plain.energy_pj
        assert len(one.pairs) == row["pairs"]


def test_it_prints_a_table_and_draws_a_figure(
    found: list[fusion.Run], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fusion, "run", lambda names, quick=False: found)
    main(["--quick", "--out", str(tmp_path)])
    assert "lenet5 on systolic_32x32:" in capsys.readouterr().out
    assert (tmp_path / "fusion.png").read_bytes().startswith(b"\x89PNG")
