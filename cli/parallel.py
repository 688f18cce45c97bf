"""Runs commands in parallel. A signal that ends this process ends the commands first."""

import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from subprocess import DEVNULL, Popen
from tempfile import TemporaryFile
from typing import IO

from common.settings import ROOT
from common.signal_handlers import signal_handlers

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, the signal of `kill`, and the signal of a closed terminal."""


@dataclass(frozen=True)
class Outcome:
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
) -> list[Outcome]:
    """Run up to `at_once` names in parallel, and the commands of a name in turn. Print each name's output."""
    runner = CommandRunner(environment)
    pool = ThreadPoolExecutor(at_once)
    print(f"running in parallel: {', '.join(commands)}; each prints its output when it ends", flush=True)
    outcomes = []
    with runner.stopped_by_signals():
        try:
            running = [pool.submit(run_in_turn, name, each, runner) for name, each in commands.items()]
            for future in as_completed(running):
                outcome = future.result()
                outcomes.append(outcome)
                print(f"\n===== {outcome.name} =====\n{outcome.output}", flush=True)
        finally:  # after a signal, wait until the lanes have stopped their servers
            pool.shutdown(cancel_futures=True)
    return outcomes


def run_in_turn(name: str, commands: Sequence[Sequence[str]], runner: CommandRunner) -> Outcome:
    """Run commands one after the other. The exit code is the first that is not 0."""
    started = time.monotonic()
    with TemporaryFile() as file:
        codes = [runner.run(argv, file) for argv in commands]
        file.seek(0)
        output = file.read().decode(errors="replace")
    return Outcome(name, next(filter(None, codes), 0), time.monotonic() - started, output)
