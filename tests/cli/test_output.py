"""Are files written whole or not at all?"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from accel.output import require_folder, require_writable, write_bytes, write_numbered, write_text
from workloads import InputError


def test_a_file_appears_with_all_its_text_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.csv"
    write_text(path, "a,µ\n")
    assert path.read_text(encoding="utf-8") == "a,µ\n"
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.csv"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InputError, match="No space left on device"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_numbered_files_take_the_place_of_all_before(tmp_path: Path) -> None:
    folder = tmp_path / "points"
    for texts in (["a", "b", "c"], ["d"], ["e", "f"]):
        files = write_numbered(folder, ".toml", texts)
        assert [path.read_text() for path in files] == texts
        assert sorted(folder.iterdir()) == files == [folder / f"{at}.toml" for at in range(1, len(texts) + 1)]


def test_a_numbered_file_that_cannot_be_written_leaves_all_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = write_numbered(tmp_path, ".toml", ["a", "b", "c"])

    def full(path: Path, text: str) -> None:
        if text == "e":
            raise OSError(28, "No space left on device")
        write_text(path, text)

    monkeypatch.setattr("accel.output.write_text", full)
    with pytest.raises(InputError, match="No space left on device"):
        write_numbered(tmp_path, ".toml", ["d", "e"])
    assert [path.read_text() for path in old] == ["a", "b", "c"]
    assert sorted(tmp_path.iterdir()) == old


def test_new_files_have_ordinary_permissions(tmp_path: Path) -> None:
    write_bytes(tmp_path / "ours", b"")
    (tmp_path / "usual").write_bytes(b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_links_are_followed_and_devices_kept(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    write_text(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    require_writable(pipe)
    write_text(pipe, "poured")
    assert os.read(reader, 100) == b"poured"
    os.close(reader)
    assert pipe.is_fifo()


def test_looking_leaves_nothing_behind(tmp_path: Path) -> None:
    require_writable(tmp_path / "a.json")
    require_folder(tmp_path / "x" / "y", ["a.png"])
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    (tmp_path / "a.png").mkdir()
    checks: tuple[Callable[[], None], ...] = (
        lambda: require_writable(tmp_path),
        lambda: require_writable(tmp_path / "missing" / "a.json"),
        lambda: require_writable(file / "a.json"),
        lambda: require_folder(file),
        lambda: require_folder(file / "below"),
        lambda: require_folder(tmp_path, ["a.png"]),
        lambda: write_text(file / "below", ""),
    )
    for check in checks:
        with pytest.raises(InputError) as error:
            check()
        assert "\n" not in str(error.value)
