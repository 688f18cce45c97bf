"""What became of each nightly test when it last ran: the page `docs/nightly.md`, which test runs write.

A test that passed on the present tree is left out if `SOUK_NIGHTLY_CONTINUE` is set (`./souk test --nightly
--continue`). The tree is what git has of all files but those of `docs/`.
"""

import hashlib
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from common.file_lock import file_lock
from common.settings import ROOT

PAGE = ROOT / "docs" / "nightly.md"
CONTINUE = "SOUK_NIGHTLY_CONTINUE"

_HEAD = """\
# The nightly tests

`./souk test --nightly` writes this page: the last result of each nightly test, and the commit and the tree of
files (without `docs/`) with which it ran. `--continue` leaves out what passed on the present tree.

| test | cases | result | seconds | day | commit | tree |
|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class NightlyResult:
    """How the cases of a test ended. `tree` is empty if files had changes that were not committed."""

    test: str
    cases: int
    result: str
    seconds: float
    day: str
    commit: str
    tree: str

    def line(self) -> str:
        """Return the row of the page."""
        seconds = f"{self.seconds:.0f}"
        cells = (f"`{self.test}`", f"{self.cases}", self.result, seconds, self.day, self.commit, self.tree)
        return f"| {' | '.join(cells)} |\n"


def read_results(page: Path = PAGE) -> dict[str, NightlyResult]:
    """Return test → its last result; none without a page."""
    found = {}
    for line in page.read_text(encoding="utf-8").splitlines() if page.is_file() else ():
        if line.startswith("| `"):
            test, cases, result, seconds, day, commit, tree = (each.strip() for each in line.split("|")[1:-1])
            test = test.strip("`")
            found[test] = NightlyResult(test, int(cases), result, float(seconds), day, commit, tree)
    return found


def write_results(results: dict[str, tuple[str, float]], page: Path = PAGE) -> None:
    """Write the results of a run, case → (result, seconds), into the page; several runs may write at once.

    Tests that are not there any more are left out. A test failed if one of its cases did.
    """
    commit = _git("rev-parse", "--short=12", "HEAD").strip()
    day, tree = f"{datetime.now(UTC):%Y-%m-%d}", present_tree()
    with file_lock(ROOT / ".pytest_cache" / "nightly.lock"):
        kept = {test: result for test, result in read_results(page).items() if _is_there(test)}
        of_test: dict[str, list[tuple[str, float]]] = {}
        for case, ended in results.items():
            of_test.setdefault(test_of(case), []).append(ended)
        for test, ends in of_test.items():
            found = {result for result, _ in ends}
            result = "failed" if "failed" in found else "passed" if "passed" in found else "skipped"
            seconds = sum(seconds for _, seconds in ends)
            kept[test] = NightlyResult(test, len(ends), result, seconds, day, commit, tree)
        page.write_text(_HEAD + "".join(kept[test].line() for test in sorted(kept)), encoding="utf-8")


def test_of(case: str) -> str:
    """Return the test of a case: the name without the parameters."""
    return case.partition("[")[0]


def present_tree() -> str:
    """Return twelve digits that name the files but those of `docs/`; empty if some are not committed."""
    if _git("status", "--porcelain", "--", ".", ":!docs").strip():
        return ""
    return hashlib.sha256(_git("ls-files", "-s", "--", ".", ":!docs").encode()).hexdigest()[:12]


def _is_there(test: str) -> bool:
    file, _, name = test.partition("::")
    path = ROOT / file
    function = name.rpartition("::")[2]
    return path.is_file() and f"def {function}(" in path.read_text(encoding="utf-8")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)
    return done.stdout
