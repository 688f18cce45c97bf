"""Nightly runs and campaigns: what became of each test, what is left, and the page `docs/nightly.md`.

A run may go on where the one before it ended: it leaves out what passed on the present tree, which is what
git has of all files but those of `docs/`. A run that shall end in time leaves tests that would end too late.
`NightlyRun` is a plugin of pytest.
"""

import hashlib
import subprocess
import time
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.parallel import LEFT, TESTS_LEFT
from common.file_lock import file_lock
from common.settings import ROOT

LONG = ("nightly", "campaign")
"""The markers of tests whose results are on the page. A test has one of them at most."""

PAGE = ROOT / "docs" / "nightly.md"
CASES = ROOT / ".pytest_cache" / "nightly"
"""A folder with a file for each tree: the last result of each case, those of other tests of the runs, too."""

UNKNOWN_S = 600.0
"""How long a nightly test may take of which nothing is known. Longer ones are campaigns."""

LATER = "too late to begin: go on with `./souk test --nightly --continue`"

_HEAD = """\
# The nightly tests

`./souk test --nightly` and `./souk test --campaign` write this page: the last result of each long test, and
the commit and the tree of files (without `docs/`) with which it ran. `--continue` leaves out what passed on
the present tree.

| test | run | cases | result | seconds | day | commit | tree |
|---|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class NightlyResult:
    """How the cases of a test ended. `run` is one of `LONG`; `tree` is empty if files had other changes."""

    test: str
    run: str
    cases: int
    result: str
    seconds: float
    day: str
    commit: str
    tree: str

    def line(self) -> str:
        """Return the row of the page."""
        numbers = (self.run, f"{self.cases}", self.result, f"{self.seconds:.0f}")
        return f"| {' | '.join((f'`{self.test}`', *numbers, self.day, self.commit, self.tree))} |\n"


@dataclass
class CaseResult:
    """How a case of a test ended, in how many seconds with its fixtures. `run` is one of `LONG`, or empty."""

    run: str
    result: str = ""
    seconds: float = 0.0
    has_ended: bool = False

    def add(self, report: pytest.TestReport) -> None:
        """Add a phase: setup, call or teardown, which is the last."""
        self.seconds += report.duration
        self.has_ended = report.when == "teardown"
        if self.result not in ("failed", "skipped"):
            self.result = report.outcome


@dataclass
class ResultStore:
    """The page of a checkout, and the last result of each case on a tree. Several processes may write."""

    tree: str
    page: Path = PAGE
    cases: Path = CASES

    def on_page(self) -> dict[str, NightlyResult]:
        """Return test → its last result; none without a page."""
        found = {}
        for line in self.page.read_text(encoding="utf-8").splitlines() if self.page.is_file() else ():
            if line.startswith("| `"):
                test, run, cases, result, seconds, *ran = (each.strip() for each in line.split("|")[1:-1])
                test = test.strip("`")
                found[test] = NightlyResult(test, run, int(cases), result, float(seconds), *ran)
        return found

    def passed(self) -> set[str]:
        """Return the cases that passed when they last ran on the tree; none if it has no name."""
        file = self.cases / self.tree
        lines = file.read_text(encoding="utf-8").splitlines() if self.tree and file.is_file() else ()
        last = {case: result for result, _, case in (line.partition(" ") for line in lines)}
        return {case for case, result in last.items() if result == "passed"}

    def write(self, results: dict[str, CaseResult]) -> None:
        """Write the results of the cases of a file. Tests that are not there any more leave the page.

        A test failed if one of its cases did. Cases that passed on the same tree before count for the page.
        """
        with file_lock(self.cases.parent / "nightly.lock"):
            if self.tree:
                self.cases.mkdir(parents=True, exist_ok=True)
                with (self.cases / self.tree).open("a", encoding="utf-8") as file:
                    file.writelines(f"{each.result} {case}\n" for case, each in results.items())
            if any(each.run for each in results.values()):
                self._write_page(results)

    def _write_page(self, results: dict[str, CaseResult]) -> None:
        commit, day = _git("rev-parse", "--short=12", "HEAD").strip(), f"{datetime.now(UTC):%Y-%m-%d}"
        passed_before = self.passed() - results.keys()
        kept = {test: result for test, result in self.on_page().items() if _is_there(test)}
        of_test: dict[str, list[CaseResult]] = {}
        for case, ended in results.items():
            if ended.run:
                of_test.setdefault(test_of(case), []).append(ended)
        for test, ends in of_test.items():
            found = {each.result for each in ends}
            result = "failed" if "failed" in found else "passed" if "passed" in found else "skipped"
            cases, seconds = len(ends), sum(each.seconds for each in ends)
            if more := sum(test_of(case) == test for case in passed_before):
                cases, seconds = cases + more, seconds + (kept[test].seconds if test in kept else 0)
            kept[test] = NightlyResult(test, ends[0].run, cases, result, seconds, day, commit, self.tree)
        self.page.write_text(_HEAD + "".join(kept[test].line() for test in sorted(kept)), encoding="utf-8")


@dataclass(eq=False)  # pytest keeps plugins in sets
class NightlyRun:
    """Notes results, and leaves out what passed (`goes_on`) and what would end after `until` (Unix time).

    Without `until` and `goes_on`, only results of long tests are noted.
    """

    store: ResultStore
    goes_on: bool = False
    until: float | None = None
    _expected_s: dict[str, float] = field(default_factory=dict)
    _results: dict[str, CaseResult] = field(default_factory=dict)
    _passed_before: int = 0
    _later: set[str] = field(default_factory=set)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what passed on the present tree, if the run continues an earlier one."""
        page = self.store.on_page()
        self._expected_s = {test: each.seconds / max(each.cases, 1) for test, each in page.items()}
        if not self.goes_on or not self.store.tree:
            return
        passed = self.store.passed()
        collected = Counter(test_of(item.nodeid) for item in items)
        done = {
            test
            for test, each in page.items()
            if (each.result, each.tree) == ("passed", self.store.tree) and each.cases >= collected[test]
        }
        left_out = {item for item in items if item.nodeid in passed or test_of(item.nodeid) in done}
        if left_out:
            self._passed_before = len(left_out)
            config.hook.pytest_deselected(items=[item for item in items if item in left_out])
            items[:] = [item for item in items if item not in left_out]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Skip a test that would end too late, before its fixtures begin."""
        if self.until is not None and time.time() + self._seconds_of(item) > self.until:
            self._later.add(item.nodeid)
            pytest.skip(LATER)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note how each case ended, and how long it took with its fixtures."""
        report = yield
        run = run_of(item)
        if item.nodeid not in self._later and (run or self.goes_on or self.until is not None):
            self._results.setdefault(item.nodeid, CaseResult(run)).add(report)
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, bool, bool]:
        """Write the results of each file when it has ended, so that a run which is killed loses little."""
        ran = yield
        if self._results and (nextitem is None or nextitem.path != item.path):
            self.store.write(self._results)
            self._results = {}
        return ran

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write what is not written, and say by the exit code whether tests are left.

        A case that was interrupted has no result.
        """
        if ended := {case: each for case, each in self._results.items() if each.has_ended}:
            self.store.write(ended)
        if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and self._passed_before:
            session.exitstatus = pytest.ExitCode.OK
        if session.exitstatus == pytest.ExitCode.OK and self._later:
            session.exitstatus = TESTS_LEFT

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say how many tests were left out, and how many are left."""
        if self._passed_before:
            terminalreporter.write_line(f"passed before on these files: {self._passed_before:,}")
        if self._later:
            terminalreporter.write_line(f"{LEFT}{len(self._later):,}")

    def _seconds_of(self, item: pytest.Item) -> float:
        return self._expected_s.get(test_of(item.nodeid), UNKNOWN_S if run_of(item) else 0.0)


def test_of(case: str) -> str:
    """Return the test of a case: the name without the parameters."""
    return case.partition("[")[0]


def run_of(item: pytest.Item) -> str:
    """Return which of `LONG` a test is; empty for others."""
    return next((marker for marker in LONG if item.get_closest_marker(marker)), "")


def present_tree() -> str:
    """Return twelve digits that name the files but those of `docs/`; empty if some are not committed."""
    if _git("status", "--porcelain", "--", ".", ":!docs").strip():
        return ""
    files = _git("ls-files", "-s", "--", ".", ":!docs")
    return hashlib.sha256(files.encode()).hexdigest()[:12] if files else ""


def _is_there(test: str) -> bool:
    file, _, name = test.partition("::")
    path = ROOT / file
    function = name.rpartition("::")[2]
    return path.is_file() and f"def {function}(" in path.read_text(encoding="utf-8")


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False
        )
    except OSError:  # there is no git
        return ""
    return done.stdout
