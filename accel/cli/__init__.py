"""The command `accel`. Importing it is quick: every command imports what it needs when it runs.

Reading order: `app` (the commands and their flags), `run`, `listing`, `show` and `sweep` (what they do), `values`
(flags as values), `console` (where text goes), `progress`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 when done, 2 for bad input, told in one line on stderr."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """The exit status of a command line."""
    from accel.cli.app import app

    try:
        status = app(args=None if arguments is None else list(arguments), prog_name="accel", standalone_mode=False)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except (BrokenPipeError, SystemExit):
        # The reader of a pipe has seen enough (typer may say so by SystemExit); Python must not complain when it
        # flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        line = _said(error)
        if line is None:
            raise
        sys.stderr.write(f"accel: error: {line}\n")
        return 2
    return status if isinstance(status, int) else 0


def _said(error: Exception) -> str | None:
    """The one line of an error the user can mend; None for our own mistakes, which keep their traceback."""
    # Versions of typer differ in where their exceptions live; all of them can format a message.
    if hasattr(error, "format_message"):
        message = " ".join(str(error.format_message()).split()).rstrip(".")
        command = getattr(getattr(error, "ctx", None), "command_path", "accel")
        return f'{message}: try "{command} --help"'
    from workloads.errors import InputError

    return str(error) if isinstance(error, InputError) else None
