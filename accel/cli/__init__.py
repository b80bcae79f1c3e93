"""The command `accel`. Importing it is quick: every command imports what it needs when it runs.

Reading order: `app` and `flags` (the commands and their flags), `run`, `map`, `listing`, `show` and `sweep` (what they
do), `values`, `zeros` and `operands` (flags as values), `console` (where text goes), `progress`.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from accel.stdout import discard_stdout

_SHOWN = 80
"""Characters of a file name in a message, at most."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 when done, 2 for bad input, told in one line on stderr."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """The exit status of a command line."""
    with warnings.catch_warnings():
        tell_warnings()
        return _run(arguments)


def tell_warnings() -> None:
    """From now on, each warning is a line on stderr."""
    warnings.simplefilter("default", UserWarning)
    warnings.showwarning = _tell


def _tell(
    message: Warning | str, category: type[Warning], filename: str, lineno: int,
    file: TextIO | None = None, line: str | None = None,
) -> None:  # fmt: skip
    """A warning as a line for who reads the terminal: where in our code it was raised is not for them."""
    sys.stderr.write(f"accel: warning: {' '.join(str(message).split())}\n")


def _run(arguments: Sequence[str] | None) -> int:
    if sys.stdout is None:  # closed by the shell (`>&-`): files may still be asked for
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - lives as long as the process
    try:
        from accel.cli.app import app

        status = app(args=None if arguments is None else list(arguments), prog_name="accel", standalone_mode=False)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except (BrokenPipeError, SystemExit):
        # The reader of a pipe has seen enough; typer may say so by SystemExit.
        discard_stdout()
        return 0
    except OSError as error:
        # A name too long, a full disk behind stdout: what no reader or writer of a file foresaw.
        sys.stderr.write(f"accel: error: {_place(error)}: {error.strerror or error}\n")
        discard_stdout()
        return 2
    except MemoryError as error:
        sys.stderr.write(f"accel: error: not enough memory ({' '.join(str(error).split())}): use a smaller problem\n")
        return 2
    except Exception as error:
        line = _said(error)
        if line is None:
            raise
        sys.stderr.write(f"accel: error: {line}\n")
        return 2
    return status if isinstance(status, int) else 0


def _place(error: OSError) -> str:
    name = " ".join(str(error.filename or "standard output").split())
    return name if len(name) <= _SHOWN else f"{name[:_SHOWN]}..."


def _said(error: Exception) -> str | None:
    """The one line of an error the user can mend; None for our own mistakes, which keep their traceback."""
    # Versions of typer differ in where their exceptions live; all of them can format a message.
    if hasattr(error, "format_message"):
        message = " ".join(str(error.format_message()).split()).rstrip(".")
        command = getattr(getattr(error, "ctx", None), "command_path", "accel")
        return f'{message}: try "{command} --help"'
    from workloads.errors import InputError

    return str(error) if isinstance(error, InputError) else None
