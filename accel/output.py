"""Files the user asked for: checked before the work starts, and written whole or not at all."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from workloads.errors import InputError

_PREFIX = 40
"""Characters of a file's name in that of the file beside it, which has to fit a directory entry too."""


def require_writable(path: str | Path) -> None:
    """Raise InputError unless a file can be written at `path`; its folder must exist. Leaves nothing behind."""
    path = _followed(Path(path))
    if path.is_dir():
        raise InputError("is a folder: give the name of a file", source=path)
    if is_device(path):
        return
    if not path.parent.is_dir():
        raise InputError(f"cannot be written, {path.parent} is not a folder: make it first", source=path)
    _probe(path.parent, path)


def require_folder(folder: str | Path, names: Iterable[str] = ()) -> None:
    """Raise InputError unless `folder` is one, or can be made, and files of these names can be written in it."""
    folder = Path(folder)
    for name in names:
        if (folder / name).is_dir():
            raise InputError("is a folder where a file must go: remove it or choose another", source=folder / name)
    nearest = folder
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir():
        raise InputError(f"cannot be made, {nearest} is not a folder: choose another", source=folder)
    _probe(nearest, folder)


def is_device(path: Path) -> bool:
    """Whether there is a device or a pipe, which is written to as it is."""
    return path.exists() and not path.is_file() and not path.is_dir()


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text to `path`, which holds either what it held before or all of it. Raises InputError."""
    write_bytes(path, text.encode())


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write to a file beside `path`, then rename it; the folder is made when missing. Raises InputError.

    A link is followed; a device or a pipe (/dev/stdout) is written to, not replaced.
    """
    path = Path(path)
    if is_device(path):
        _pour(path, content)
        return
    path = path.resolve()
    beside: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:_PREFIX]}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # mkstemp makes files only their owner can read; results get the permissions any new file would.
        Path(beside).chmod(0o666 & ~_umask())
        Path(beside).replace(path)
        beside = None
    except OSError as error:
        raise _refused(path, error) from None
    finally:
        if beside is not None:
            Path(beside).unlink(missing_ok=True)


def write_numbered(folder: str | Path, suffix: str, texts: Sequence[str]) -> list[Path]:
    """Write UTF-8 texts to 1.suffix, 2.suffix and so on; the files, in order. No other of such a name is left.

    All are written whole before the first takes its place: if one cannot be, all is as it was. Raises InputError.
    """
    folder = Path(folder)
    files = [folder / f"{number}{suffix}" for number in range(1, len(texts) + 1)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".") as beside:
            whole = [Path(beside) / file.name for file in files]
            for path, text in zip(whole, texts, strict=True):
                write_text(path, text)
            # All of them first: broken off here, none is left of what was there before.
            for old in folder.iterdir():
                if old.suffix == suffix and re.fullmatch("[1-9][0-9]*", old.stem):
                    old.unlink()
            for path, file in zip(whole, files, strict=True):
                path.replace(file)
    except OSError as error:
        raise _refused(folder, error) from None
    return files


def _followed(path: Path) -> Path:
    """Where a link leads; any other path as it is given."""
    try:
        return path.resolve() if path.is_symlink() else path
    except RuntimeError:  # what Python 3.11 and 3.12 say of links in a circle
        raise InputError("is a link that leads back to itself: choose another place", source=path) from None


def _probe(folder: Path, path: Path) -> None:
    try:
        # Permission bits do not tell about full disks and read-only mounts: only a file does.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _refused(path, error) from None


def _pour(path: Path, content: bytes) -> None:
    try:
        with path.open("wb") as device:
            device.write(content)
    except OSError as error:
        raise _refused(path, error) from None


def _refused(path: Path, error: OSError) -> InputError:
    return InputError(f"cannot be written ({error.strerror or error}): choose a place that can be", source=path)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
