"""Runs the few files whose tests failed beside other lanes once more, alone, as large projects' CI does.

A test that fails only while the machine is busy is worth mending, but it says nothing about the change. So it
does not fail the run: the output names it. Failures in many files are never repeated.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from cli.parallel import Outcome, run_all

MOST = 5
"""With failed tests in more files, none is repeated. A failed fixture fails all tests of its file."""

TESTS_FAILED = 1
"""Pytest's exit code if it ran all tests and some failed."""

TESTS_LEFT = 75
"""The exit code of a nightly run that ended in time with tests left: `EX_TEMPFAIL`, go on later."""

_LAST_FAILED = Path("v/cache/lastfailed")


def cache_options(folder: Path) -> list[str]:
    """Empty `folder`, and return pytest's options to remember there which tests failed."""
    shutil.rmtree(folder, ignore_errors=True)
    return ["-o", f"cache_dir={folder}"]


def failed_tests(folder: Path) -> list[str]:
    """Return the node ids of the tests that failed in the run with these `cache_options`."""
    file = folder / _LAST_FAILED
    return sorted(json.loads(file.read_text())) if file.is_file() else []


def repeat_failed(
    outcomes: Sequence[Outcome],
    lanes: Mapping[str, Sequence[str]],
    caches: Mapping[str, Path],
    environment: Mapping[str, str],
) -> list[Outcome]:
    """Repeat the failed tests of each lane (name → pytest's command), one lane after the other.

    Returns the outcome of each lane and check: that of the second run where there was one.
    """
    failed = {
        outcome.name: failed_tests(caches[outcome.name])
        for outcome in outcomes
        if outcome.exit_code == TESTS_FAILED and outcome.name in lanes
    }
    files = {name.partition("::")[0] for each in failed.values() for name in each}
    if not failed or not all(failed.values()) or len(files) > MOST:
        return list(outcomes)
    names = ", ".join(name for each in failed.values() for name in each)
    print(f"repeating alone what failed: {names}", flush=True)
    again = run_all({name: [[*lanes[name], "--last-failed"]] for name in failed}, environment, 1)
    for outcome in again:
        if outcome.exit_code == 0:
            print(f"passed only alone, mend: {', '.join(failed[outcome.name])}", flush=True)
    second = {outcome.name: outcome for outcome in again}
    return [second.get(outcome.name, outcome) for outcome in outcomes]
