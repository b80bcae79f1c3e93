"""Does the whole Eyeriss v2 come near its published rate on MobileNet, where no density is needed?"""

from __future__ import annotations

from experiments.eyeriss_v2 import run


def test_mobilenet_takes_about_the_published_time() -> None:
    (row,) = run(("MobileNet 0.5-128",))
    assert abs(row.error_percent) < 10.0
    assert row.ours <= row.of_macs <= 200e6 * 384 / 49e6  # never above the peak
    assert 0.5 < row.utilization <= 1.0
