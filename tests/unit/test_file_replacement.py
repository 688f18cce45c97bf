"""Files that are replaced in one step."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from common.file_replacement import replace_file


def test_a_file_and_its_folder_are_made_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "run" / "values.json"
    replace_file(path, "é", 0o600)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == ("é".encode(), 0o600)
    replace_file(path, b"\xff", 0o640, syncs=True)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"\xff", 0o640)
    assert [*path.parent.iterdir()] == [path]


def test_after_a_failure_nothing_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "values"
    path.mkdir()
    with pytest.raises(OSError, match="values"):
        replace_file(path, "text")
    with pytest.raises(UnicodeEncodeError):
        replace_file(tmp_path / "other", "\ud800")
    assert [*tmp_path.iterdir()] == [path]


def test_writers_at_the_same_time_leave_one_whole_content(tmp_path: Path) -> None:
    path = tmp_path / "values"
    contents = [bytes([number]) * 100_000 for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: replace_file(path, content), contents))
    assert path.read_bytes() in contents
    assert [*tmp_path.iterdir()] == [path]
