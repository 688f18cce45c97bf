"""`./souk test`: installs what the tests need, then runs the checks and the tests in parallel."""

import hashlib
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import typer

from cli.parallel import LEFT, TESTS_LEFT, CommandResult, CommandRunner, cache_options, repeat_failed, run_all
from common.settings import ROOT, Settings
from local.install.browser import chromium
from local.install.environment import TEST_PACKAGES, fetch_jars, install_packages, installation_lock
from local.install.jars import groups, is_complete

CONTEXT_SETTINGS = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Unknown arguments are passed to pytest."""

CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("lint-imports", "--no-logo"),
    ("shellcheck", "souk", ".ci/run"),
)
"""The commands that check style, types and imports."""


@dataclass(frozen=True)
class Lane:
    """Folders and files of tests, and the marker that the tests have, or `not` that marker."""

    folders: Sequence[str]
    marker: str = ""


LANES = {
    "pages": Lane(["tests/integration/serving"], "browser"),
    "serving": Lane(["tests/integration/serving"], "not browser"),
    "integration": Lane(["tests/integration"]),
    "unit": Lane(["tests/unit", "tests/contracts"]),
    "commerce": Lane(["tests/integration/commerce"]),
    "e2e": Lane(["tests/e2e"]),
    "clickhouse": Lane(["tests/integration/clickhouse"]),
    "failures": Lane(["tests/integration/commerce/failures"]),
    "flink": Lane(
        [
            "tests/integration/connectors",
            *(
                f"tests/integration/test_{name}.py"
                for name in ("metrics", "rankings", "recommendations", "recommendations_job", "signals")
            ),
        ]
    ),
}
"""The longest lanes come first; `unit`, which never waits, is not the last. A lane leaves out the folders
below its own that other lanes name.

Lanes run in parallel, because a test mostly waits for a server. Each lane is one pytest session with its own
servers, whose starts take much of the time: tests of the same servers are in one lane.
"""

LANE_BYTES = 2 * 1024**3
"""Memory that a lane needs (eight lanes used 10 GiB). With too little memory, fewer lanes run at once."""

FAILURES = 10
"""Number of failed tests of each lane that the last lines name."""

SLOWEST = 15
"""Number of slowest tests that each lane prints."""

NIGHTLY_H = 4
"""Hours of a nightly run. Tests that would end later are left for the next one (`--continue`)."""


def command(
    context: typer.Context,
    nightly: bool = typer.Option(
        False,
        "--nightly",
        help=f"Also run long tests, for {NIGHTLY_H} hours at most (exit code {TESTS_LEFT}: some are left).",
    ),
    campaign: bool = typer.Option(
        False, "--campaign", help="Run nothing but the campaigns: tests that take longer than ten minutes."
    ),
    go_on: bool = typer.Option(
        False,
        "--continue",
        help="With --nightly or --campaign: leave out what passed on these files (docs/nightly.md).",
    ),
) -> None:
    """Run the tests; pytest's own arguments may follow. Without any, check style, types and imports too."""
    if go_on and not (nightly or campaign):
        raise typer.BadParameter("needs --nightly or --campaign", param_hint="--continue")
    if nightly and campaign:
        raise typer.BadParameter("can't be used with --nightly", param_hint="--campaign")
    install_for_tests(Settings.load().install)
    browser = chromium()
    if browser is None:
        print("Chromium is not installed and can't be installed: the browser tests are skipped", flush=True)
    environment = os.environ | ({"SOUK_TEST_CHROMIUM": browser} if browser else {})
    # Tests start servers hundreds of times. Without byte code, each start would compile all modules again.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    pytest = [sys.executable, "-P", "-m", "pytest"]
    pytest += ["--hypothesis-profile=nightly"] if nightly or campaign else []
    pytest += ["--leave-out-passed"] if go_on else []
    if context.args or campaign:  # a campaign measures: nothing runs beside it
        runner = CommandRunner(environment)
        with runner.stopped_by_signals():
            raise typer.Exit(runner.run([*pytest, *selection("", nightly, campaign), *context.args]))
    pytest += [f"--durations={SLOWEST}", "--durations-min=1"]
    end_by = time.time() + NIGHTLY_H * 3600
    in_time = [f"--end-by={end_by:.0f}"] if nightly else []
    caches = {name: ROOT / ".pytest_cache" / name for name in LANES}
    lanes = {name: [*pytest, *cache_options(caches[name]), *lane_arguments(name, nightly)] for name in LANES}
    checks = [[str(Path(sys.executable).parent / tool), *arguments] for tool, *arguments in CHECKS]
    commands = {"checks": checks, **{name: [[*argv, *in_time]] for name, argv in lanes.items()}}
    outcomes = run_all(commands, environment, lanes_at_once())
    are_left = any(LEFT in outcome.output for outcome in outcomes)
    if not nightly or time.time() < end_by:
        outcomes = repeat_failed(outcomes, lanes, caches, environment)
    for outcome in sorted(outcomes, key=lambda outcome: outcome.seconds):
        state = {0: "passed", TESTS_LEFT: "passed, tests are left"}.get(outcome.exit_code, "FAILED")
        print(f"{outcome.name}: {state} in {outcome.seconds:.0f} s", flush=True)
    for outcome in outcomes:
        for line in failures(outcome):
            print(f"{outcome.name}: {line}", flush=True)
    failed = [code for outcome in outcomes if (code := outcome.exit_code) not in (0, TESTS_LEFT)]
    raise typer.Exit(next(iter(failed), TESTS_LEFT if are_left else 0))


def lane_arguments(name: str, nightly: bool) -> list[str]:
    """Return pytest's arguments for a lane: its folders, those below to ignore, and its markers."""
    folders = LANES[name].folders
    others = [folder for lane in LANES.values() for folder in lane.folders]
    below = {other for other in others if any(other.startswith(f"{folder}/") for folder in folders)}
    return [
        *folders,
        *(f"--ignore={folder}" for folder in sorted(below)),
        *selection(LANES[name].marker, nightly),
    ]


def selection(marker: str, nightly: bool, campaign: bool = False) -> list[str]:
    """Return the option that selects tests by a marker: campaigns alone, nightly tests beside others."""
    asked_for = "campaign" if campaign else "not campaign" if nightly else "not nightly and not campaign"
    return ["-m", f"{marker} and {asked_for}" if marker else asked_for]


def failures(outcome: CommandResult) -> list[str]:
    """Return pytest's line for each of the first `FAILURES` tests that failed, so that the end says them."""
    if outcome.exit_code == 0:
        return []
    lines = [each for each in outcome.output.splitlines() if each.startswith(("FAILED ", "ERROR "))]
    return lines[:FAILURES]


def install_for_tests(install: Path) -> None:
    """Install the test packages and the JDBC driver, unless they are installed.

    Raises:
        CannotInstall: no network, no space.
    """
    stamp = install / "souk-tests.stamp"
    lock_digest = hashlib.sha256(TEST_PACKAGES.read_bytes()).hexdigest()
    has_packages = stamp.is_file() and stamp.read_text() == lock_digest
    has_jars = all(is_complete(install, group) for group in groups().values())
    if has_packages and has_jars:
        return
    with installation_lock(install):
        if not has_packages:
            install_packages(install, TEST_PACKAGES)
            stamp.write_text(lock_digest)
        if not has_jars:
            fetch_jars(install, "--tests")


def lanes_at_once() -> int:
    """Return how many lanes the cores and the memory allow, at least one.

    A lane works a third of its time, and waits for servers else.
    """
    cores = len(os.sched_getaffinity(0))
    return max(1, min(cores + 2, psutil.virtual_memory().total // LANE_BYTES))
