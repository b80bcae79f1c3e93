"""Does an experiment end quietly when its reader has seen enough, as the command does?"""

from __future__ import annotations

import subprocess
import sys


def test_a_reader_that_stops_early_is_no_error() -> None:
    line = [sys.executable, "-m", "experiments.timeloop"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait() == 0
