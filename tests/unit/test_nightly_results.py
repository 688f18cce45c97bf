"""Nightly runs note how each test ended, go on where the last one ended, and end in time."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.parallel import TESTS_LEFT
from cli.test import selection
from tests.nightly_results import CaseResult, NightlyRun, ResultStore, present_tree

Run = Callable[..., tuple[int, set[str]]]

HERE = "tests/unit/test_nightly_results.py"
THIS = f"{HERE}::test_results_are_kept_replaced_and_forgotten"
OTHER = f"{HERE}::test_the_tree_has_a_name_or_is_changed"
TREE = "0123456789ab"

TESTS = """
import os
import pytest

@pytest.mark.nightly
@pytest.mark.parametrize("number", range(3))
def test_long(number):
    if str(number) in os.environ.get("INTERRUPTED", ""):
        raise KeyboardInterrupt
    assert str(number) not in os.environ.get("FAILS", "")

def test_short():
    pass

@pytest.mark.campaign
def test_very_long():
    pass
"""


def store(folder: Path, tree: str = TREE) -> ResultStore:
    return ResultStore(tree, folder / "nightly.md", folder / "cases")


class Ran:
    """A plugin that notes the cases that ran."""

    def __init__(self) -> None:
        self.cases: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self.cases.add(report.nodeid.partition("::")[2])


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A function that runs `TESTS` and returns the exit code and the cases that ran."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (tmp_path / "test_it.py").write_text(TESTS)

    def run_tests(
        *arguments: str,
        goes_on: bool = False,
        until: float | None = None,
        tree: str = TREE,
        fails: str = "",
        interrupted: str = "",
    ) -> tuple[int, set[str]]:
        monkeypatch.setenv("FAILS", fails)
        monkeypatch.setenv("INTERRUPTED", interrupted)
        options = [
            "-c",
            os.devnull,
            "--import-mode=importlib",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:faulthandler",
        ]
        ran, nightly = Ran(), NightlyRun(store(tmp_path, tree), goes_on, until)
        code = pytest.main([*options, "--rootdir", str(tmp_path), *arguments, str(tmp_path)], [ran, nightly])
        return int(code), ran.cases

    return run_tests


def test_results_are_kept_replaced_and_forgotten(tmp_path: Path) -> None:
    kept = store(tmp_path)

    kept.write(
        {THIS: CaseResult("nightly", "failed", 3.4), f"{HERE}::test_gone": CaseResult("nightly", "passed")}
    )
    kept.write(
        {
            f"{OTHER}[a|b]": CaseResult("campaign", "passed", 60),
            f"{OTHER}[c]": CaseResult("campaign", "skipped", 1),
        }
    )
    kept.write(
        {f"{THIS}[1]": CaseResult("nightly", "passed", 2), f"{THIS}[2]": CaseResult("nightly", "failed", 0.6)}
    )

    found = kept.on_page()
    assert {test: (each.run, each.cases, each.result, each.seconds) for test, each in found.items()} == {
        THIS: ("nightly", 2, "failed", 3.0),
        OTHER: ("campaign", 2, "passed", 61.0),
    }
    assert {each.tree for each in found.values()} == {TREE}


def test_the_tree_has_a_name_or_is_changed() -> None:
    tree = present_tree()
    assert tree == "" or len(tree) == 12


def test_a_run_that_goes_on_leaves_out_what_passed_on_the_same_tree(run: Run) -> None:
    nightly = selection("", nightly=True)
    cases = {"test_long[0]", "test_long[1]", "test_long[2]", "test_short"}
    assert run(*nightly, until=time.time() + 3_600, fails="1") == (1, cases)

    assert run(*nightly, goes_on=True) == (0, {"test_long[1]"})
    assert run(*nightly, goes_on=True) == (0, set())
    assert run(*nightly, goes_on=True, tree="ba9876543210") == (0, cases)
    assert run(*nightly, goes_on=True, tree="") == (0, cases)


def test_what_failed_after_it_had_passed_runs_again(run: Run) -> None:
    run(*selection("", nightly=True))
    run(*selection("", nightly=True), fails="2")

    assert run("-m", "nightly", goes_on=True) == (0, {"test_long[2]"})


def test_a_case_that_was_interrupted_has_no_result(run: Run, tmp_path: Path) -> None:
    run(interrupted="1")
    assert {case.partition("::")[2] for case in store(tmp_path).passed()} == {"test_long[0]"}
    assert "| nightly | 1 | passed |" in (tmp_path / "nightly.md").read_text()


def test_a_run_begins_no_test_that_would_end_too_late_and_says_so(run: Run) -> None:
    nightly = selection("", nightly=True)
    soon = time.time() + 60

    assert run(*nightly, until=soon) == (TESTS_LEFT, {"test_short"})

    assert run(*nightly, until=1) == (TESTS_LEFT, set())
    assert run(*nightly, goes_on=True) == (0, {"test_long[0]", "test_long[1]", "test_long[2]"})


@pytest.mark.parametrize(
    ("nightly", "campaign", "cases"),
    [
        (False, False, {"test_short"}),
        (True, False, {"test_long[0]", "test_long[1]", "test_long[2]", "test_short"}),
        (False, True, {"test_very_long"}),
    ],
)
def test_campaigns_run_alone(run: Run, nightly: bool, campaign: bool, cases: set[str]) -> None:
    assert run(*selection("", nightly, campaign)) == (0, cases)
