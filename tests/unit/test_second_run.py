"""A test that fails only once does not fail `./souk test`; one that fails always, or one of many, does."""

import os
import sys
from pathlib import Path

import pytest

from cli.parallel import run_all
from cli.second_run import MOST, cache_options, repeat_failed

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
MANY = f"import pytest\n@pytest.mark.parametrize('n', range({MOST + 1}))\n{BROKEN.replace('()', '(n)')}"


@pytest.mark.parametrize(
    ("content", "exit_code", "is_repeated"), [(FLAKY, 0, True), (BROKEN, 1, True), (MANY, 1, False)]
)
def test_a_few_failed_tests_run_once_more(
    content: str, exit_code: int, is_repeated: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "test_it.py").write_text(content)
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
