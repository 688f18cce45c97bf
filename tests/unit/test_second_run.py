"""A test that fails only once does not fail `./souk test`; one that fails always, or one of many, does."""

import os
import sys
from pathlib import Path

import pytest

from cli.parallel import MOST, cache_options, repeat_failed, run_all

FLAKY = """
import pathlib
seen = pathlib.Path(__file__).with_name("seen")
def test_flaky():
    is_second, _ = seen.exists(), seen.touch()
    assert is_second
def test_right():
    pass
"""
BROKEN = "def test_broken():\n    assert False\n"
BROKEN_SET_UP = """
import pathlib
import pytest
seen = pathlib.Path(__file__).with_name("seen")
@pytest.fixture(scope="module")
def server():
    is_second, _ = seen.exists(), seen.touch()
    assert is_second
@pytest.mark.parametrize("number", range(20))
def test_with_server(server, number):
    pass
"""
MANY = {f"test_{number}.py": BROKEN for number in range(MOST + 1)}


@pytest.mark.parametrize(
    ("files", "exit_code", "is_repeated"),
    [
        ({"test_it.py": FLAKY}, 0, True),
        ({"test_it.py": BROKEN_SET_UP}, 0, True),
        ({"test_it.py": BROKEN}, 1, True),
        (MANY, 1, False),
    ],
)
def test_the_tests_of_a_few_files_run_once_more(
    files: dict[str, str],
    exit_code: int,
    is_repeated: bool,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    cache = tmp_path / "cache"
    lanes = {"lane": [sys.executable, "-m", "pytest", "-c", os.devnull, *cache_options(cache), str(tmp_path)]}
    without_plugins = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # their import takes seconds
    first = run_all({"lane": [lanes["lane"]], "checks": [[sys.executable, "-c", ""]]}, without_plugins, 2)
    assert {each.name: each.exit_code for each in first} == {"lane": 1, "checks": 0}

    second = repeat_failed(first, lanes, {"lane": cache}, without_plugins)

    assert {each.name: each.exit_code for each in second} == {"lane": exit_code, "checks": 0}
    output = capsys.readouterr().out
    assert ("repeating alone" in output) == is_repeated
    assert ("passed only alone, mend: " in output) == (exit_code == 0)
    assert "test_right" not in output
