"""How an experiment starts as a program."""

from __future__ import annotations

import sys
from collections.abc import Callable

from accel.stdout import discard_stdout


def start(main: Callable[[], None]) -> None:
    """Run its `main`. That the reader of a pipe has seen enough (`| head`) ends it, and is no error."""
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:
        discard_stdout()
