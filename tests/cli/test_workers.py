"""Do processes that work for a command end when it does?"""

from __future__ import annotations

import signal
from concurrent.futures import BrokenExecutor

import pytest

from accel.cli.workers import processes


def test_ctrl_c_ends_a_worker_at_once() -> None:
    """It neither finishes its work nor takes up more of it; the command hears of Ctrl-C by itself."""
    with processes(2) as executor:
        assert executor is not None
        with pytest.raises(BrokenExecutor):
            executor.submit(signal.raise_signal, signal.SIGINT).result()
