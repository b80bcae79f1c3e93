"""Does the whole Eyeriss v2 come near its published figures on MobileNet, where no density is needed?"""

from __future__ import annotations

from experiments.eyeriss_v2 import run
from mappings import Budget


def test_mobilenet_keeps_as_many_pes_at_work_as_published() -> None:
    """91.5 % of them in Table VI. Its gate-level simulation also waits for what we do not model, so ours is faster."""
    (row,) = run(("MobileNet 0.5-128",), Budget(1000))
    assert abs(row.utilization - 0.915) < 0.02
    assert row.ours >= row.theirs
    assert row.ours <= row.of_macs <= 200e6 * 384 / 49e6  # never above the peak
