"""Runs commands in parallel, and the few files whose tests failed beside others once more, alone.

A signal that ends this process ends the commands first. A test that fails only while the machine is busy is
worth mending, but it says nothing about the change. So it does not fail the run: the output names it, as the
CI of large projects does. Failures in many files are never repeated.
"""

import json
import shutil
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, Popen
from tempfile import TemporaryFile
from typing import IO

from common.settings import ROOT
from common.signal_handlers import signal_handlers

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, the signal of `kill`, and the signal of a closed terminal."""


@dataclass(frozen=True)
class CommandResult:
    """How a command ended."""

    name: str
    exit_code: int
    seconds: float
    output: str


@dataclass
class CommandRunner:
    """Runs commands in the checkout, without standard input, until a signal arrives."""

    environment: Mapping[str, str]
    is_stopping: bool = False
    _running: set["Popen[bytes]"] = field(default_factory=set)

    def run(self, argv: Sequence[str], output: IO[bytes] | None = None) -> int:
        """Run a command and return its exit code. After a signal, no command is started.

        Without `output`, the command writes to this process's standard output and standard error.
        """
        if self.is_stopping:
            return -signal.SIGTERM
        # The command has its own process group, so that Ctrl-C reaches it once. Twice would stop its cleanup.
        process = Popen(
            argv,
            cwd=ROOT,
            env=self.environment,
            stdin=DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0,
        )
        self._running.add(process)
        if self.is_stopping:  # the signal arrived while the process started
            process.terminate()
        try:
            return process.wait()
        finally:  # a signal to this thread interrupted the wait; the process still has to stop
            process.wait()
            self._running.discard(process)

    @contextmanager
    def stopped_by_signals(self) -> Iterator[None]:
        """Make each of `SIGNALS` send SIGTERM to the running commands and end this process with 128 + signal.

        A signal that the parent process ignores stays ignored.

        Raises:
            KeyboardInterrupt: SIGINT arrived.
            SystemExit: another signal arrived.
        """
        with signal_handlers(dict.fromkeys(SIGNALS, self._stop)):
            yield

    def _stop(self, number: int, _: object) -> None:
        is_first, self.is_stopping = not self.is_stopping, True
        for process in tuple(self._running):
            process.terminate()
        if is_first:
            raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)


def run_all(
    commands: Mapping[str, Sequence[Sequence[str]]], environment: Mapping[str, str], at_once: int
) -> list[CommandResult]:
    """Run up to `at_once` names in parallel, and the commands of a name in turn. Print each name's output."""
    runner = CommandRunner(environment)
    pool = ThreadPoolExecutor(at_once)
    print(f"running in parallel: {', '.join(commands)}; each prints its output when it ends", flush=True)
    outcomes = []
    with runner.stopped_by_signals():
        try:
            for future in as_completed(
                [pool.submit(run_in_turn, name, each, runner) for name, each in commands.items()]
            ):
                outcome = future.result()
                outcomes.append(outcome)
                print(f"\n===== {outcome.name} =====\n{outcome.output}", flush=True)
        finally:  # after a signal, wait until the lanes have stopped their servers
            pool.shutdown(cancel_futures=True)
    return outcomes


def run_in_turn(name: str, commands: Sequence[Sequence[str]], runner: CommandRunner) -> CommandResult:
    """Run commands one after the other. The exit code is the first that is not 0."""
    started = time.monotonic()
    with TemporaryFile() as file:
        codes = [runner.run(argv, file) for argv in commands]
        file.seek(0)
        output = file.read().decode(errors="replace")
    return CommandResult(name, next(filter(None, codes), 0), time.monotonic() - started, output)


MOST = 5
"""With failed tests in more files, none is repeated. A failed fixture fails all tests of its file."""

TESTS_FAILED = 1
"""Pytest's exit code if it ran all tests and some failed."""

TESTS_LEFT = 75
"""The exit code of a nightly run that ended in time with tests left: `EX_TEMPFAIL`, go on later."""

LEFT = "left for the next run: "
"""What a nightly run with tests left says before their number, also if others failed."""

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
    outcomes: Sequence[CommandResult],
    lanes: Mapping[str, Sequence[str]],
    caches: Mapping[str, Path],
    environment: Mapping[str, str],
) -> list[CommandResult]:
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
