"""The whole platform on free ports in a directory of its own, started once for all end-to-end tests."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from audit.registry import COMPARISONS
from common.settings import ROOT, Settings
from tests.ports import free_offset

OLIST = Path(os.environ.get("SOUK_TEST_DATA", ROOT.parent / "shared" / "data")) / "olist"
collect_ignore = ["contributing"]
"""Files that test_contributing.py puts into its copies; their tests run there."""

SLICE = ("2018-06-12", "2018-06-13")
"""The day that the tests replay, and the next one."""


@dataclass(frozen=True)
class Platform:
    """A running copy. Its commands run as a user would type them in `checkout`."""

    settings: Settings
    environment: dict[str, str] = field(repr=False)
    checkout: Path = ROOT
    python: Path = Path(sys.executable)

    def started_settings(self):
        """Return the copy's settings with the passwords that its first `up` wrote."""
        with pytest.MonkeyPatch.context() as patch:
            for name in ("SOUK_HOME", "SOUK_PORT_OFFSET"):
                patch.setenv(name, self.environment[name])
            return Settings.load()

    def souk(self, *arguments, check=True, timeout_s=1_800):
        """Run `./souk ARGUMENTS` until it ends. If it fails, the error contains its output."""
        done = subprocess.run(
            self._command(*arguments),
            cwd=self.checkout,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        if check and done.returncode:
            pytest.fail(
                f"souk {' '.join(arguments)} exited with {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done

    def start(self, *arguments):
        """Start `./souk ARGUMENTS` and leave it running. Ctrl-C ends it, even if the tests ignore SIGINT."""
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return subprocess.Popen(
                self._command(*arguments),
                cwd=self.checkout,
                env=self._environment,
                stdout=subprocess.DEVNULL,
            )
        finally:
            signal.signal(signal.SIGINT, before)

    def audit(self, *arguments, wait_s=1_200):
        """Return the audit's JSON, with or without differences."""
        done = self.souk(
            "audit", "--json", "--wait", str(wait_s), *arguments, check=False, timeout_s=wait_s + 1_200
        )
        assert done.stdout, done.stderr  # no JSON: the audit failed (1 is the exit code of differences, too)
        return json.loads(done.stdout) | {"exit_code": done.returncode}

    def status(self):
        """Return part → its entry of `./souk status --json`."""
        parts = json.loads(self.souk("status", "--json", check=False).stdout)["parts"]
        return {part["name"]: part for part in parts}

    def processes(self):
        """Return all live processes whose environment contains this copy's state directory."""
        return [process for process in psutil.process_iter() if self._owns(process)]

    def _command(self, *arguments):
        return [str(self.python), "-P", "-m", "cli", *arguments]

    @property
    def _environment(self):
        return self.environment | {"PYTHONPATH": str(self.checkout)}

    def _owns(self, process):
        try:
            return (
                process.environ().get("SOUK_HOME") == str(self.settings.home) and process.pid != os.getpid()
            )
        except psutil.Error:
            return False


@pytest.fixture(scope="session")
def platform(tmp_path_factory):
    """A started platform. It is stopped after the last test and must leave no process running."""
    with copy_in(tmp_path_factory.mktemp("platform") / ".souk") as copy:
        copy.souk("up")
        yield copy


@pytest.fixture
def untouched(tmp_path):
    """A copy in which no part was ever started."""
    with copy_in(tmp_path / ".souk") as copy:
        yield copy


@contextmanager
def copy_in(home):
    """A new copy on free ports. It is stopped at the end, and then none of its processes may run."""
    offset = free_offset()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SOUK_")}
    install = str(Settings().install)
    environment["SOUK_INTERNAL_SECRET"] = os.environ["SOUK_INTERNAL_SECRET"]
    environment |= {"SOUK_HOME": str(home), "SOUK_PORT_OFFSET": str(offset), "SOUK_INSTALL": install}
    copy = Platform(Settings(home=home, port_offset=offset), environment)
    try:
        yield copy
    finally:
        copy.souk("down")
        left = wait_until(lambda: not copy.processes(), 30)
        assert left, f"still running after down: {copy.processes()}"


@pytest.fixture(scope="session")
def olist():
    """The directory of the real Olist tables."""
    if not OLIST.is_dir():
        pytest.skip(f"needs the Olist tables in {OLIST} (or SOUK_TEST_DATA)")
    return OLIST


SERVED = "facts_vs_served_metrics"
"""The comparison that takes half of an audit's time: it asks for every metric in each form of the API."""

AUDITED = [name for name in COMPARISONS if name != SERVED]


@pytest.fixture(scope="session")
def first_audit(platform, olist):
    """The audit, without `SERVED`, directly after the first replay of `SLICE`.

    It waits until all events have been processed.
    """
    platform.souk("replay", "olist", str(olist), "--from", SLICE[0], "--to", SLICE[1], "--speed", "max")
    found = platform.audit(*(f"--only={name}" for name in AUDITED))
    assert found["settled"], "the jobs did not read what was replayed"
    return found


@pytest.fixture(scope="session")
def olist_slice(platform, first_audit):  # noqa: ARG001 (it replays)
    """The platform after a replay of `SLICE`, when all events have been processed."""
    return platform


@pytest.fixture(scope="session")
def eventually():
    """A function that waits until a condition is true, and fails the test if it never is."""

    def wait(condition, timeout_s=480):
        assert wait_until(condition, timeout_s), f"not within {timeout_s} s"

    return wait


def wait_until(condition, timeout_s):
    """Return whether `condition()` became true in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True
