"""Parts of the platform as processes that a test may kill and start again."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TypeVar

from common.configuration.definitions import EXPLORATION_SHARE, HOLDOUT_SHARE, SHEDDING_ENABLED
from common.configuration.values import SettingValue
from common.settings import LOOPBACK, Settings
from local.parts import registry
from local.parts.part import NotReady, Part
from local.state_directory import StateDirectory, base_environment
from local.supervision import launch
from local.supervision.launch_file import LaunchSpec, write_launch_file
from schemas.configuration.saved_values import SavedValues

T = TypeVar("T")

JVM_ENVIRONMENT = {"JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1"}
"""A test's server lives for minutes: its JVM saves the time of the second compiler, which pays in hours."""

TEST_TIMEOUT_S = 120
"""Timeout of any condition, for busy machines."""


SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.02, 0.2
"""Pauses between two checks of a condition: they grow, because checks of a long wait take much CPU."""


def await_true(condition: Callable[[], T], what: str = "it") -> T:
    """Wait for the first true value of `condition` and return it."""
    deadline, pause_s = time.monotonic() + TEST_TIMEOUT_S, SHORTEST_PAUSE_S
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(pause_s)
        pause_s = min(LONGEST_PAUSE_S, pause_s * 1.3)
    raise AssertionError(f"{what} did not happen within {TEST_TIMEOUT_S} s")


def in_thread(call: Callable[[], object]) -> None:
    """Run a function that may call `asyncio.run`, which the main thread can't while Playwright is used."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(call).result()


def shed_no_load(settings: Settings) -> None:
    """Save the setting with which the API, once it starts, refuses no request because the machine is busy."""
    SavedValues(settings).save({SHEDDING_ENABLED.name: SettingValue(1, False)})


def without_experiments(settings: Settings) -> None:
    """Save the settings with which the API, once it starts, answers every visitor by the default strategy."""
    SavedValues(settings).save(
        {HOLDOUT_SHARE.name: SettingValue(1, 0.0), EXPLORATION_SHARE.name: SettingValue(1, 0.0)}
    )


class Server:
    """The process of one part. Its log is in the home of its settings."""

    def __init__(self, part: Part, settings: Settings) -> None:
        self.part = part
        self.settings = settings
        self.log = settings.home / f"{part.name}.test.log"
        self.start()

    def start(self) -> None:
        spec = self.part.launch
        assert spec
        spec.cwd.mkdir(parents=True, exist_ok=True)
        in_thread(self.part.prepare)
        with suppress(NotReady):
            in_thread(self.part.ready)
            raise AssertionError(f"another {self.part.name} answers at {self.part.url}: a fixture forgot it")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command(spec),
                cwd=spec.cwd,
                env={**base_environment(), **JVM_ENVIRONMENT, **spec.env},
                stdout=log,
                stderr=log,
            )
        try:
            await_true(self.is_ready, f"{self.part.name}'s start")
        except BaseException:
            self.kill()
            raise

    def _command(self, spec: LaunchSpec) -> list[str]:
        """Return the part's command, or that of the launcher if the part runs as another user."""
        if spec.uid is None:
            return spec.argv
        home = StateDirectory(self.settings.home)
        home.make()
        write_launch_file(home, self.part.name, spec)
        return [sys.executable, "-IS", launch.__file__, str(home.run), self.part.name]

    def is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"{self.part.name} ended:\n{self.log.read_text(errors='replace')[-2000:]}")
        with suppress(NotReady):
            in_thread(self.part.ready)
            return True
        return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def running(part: Part, settings: Settings) -> Iterator[Server]:
    """Start a part, wait until it is ready, and kill it at the end."""
    server = Server(part, settings)
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def terminated(process: "subprocess.Popen[bytes]") -> Iterator["subprocess.Popen[bytes]"]:
    """Terminate a process at the end, and kill it if it does not exit."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(TEST_TIMEOUT_S / 4)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def management_port(settings: Settings) -> int:
    """Return the port of the registry's health, which only containers have, and `registry_in_memory`."""
    return settings.port("registry") + 1


def registry_in_memory(settings: Settings) -> Part:
    """Return the registry with storage in memory: no test needs its schemas after a restart."""
    part = registry.part(settings)
    spec = part.launch
    assert spec
    stored = ("APICURIO_STORAGE_KIND", "APICURIO_STORAGE_SQL_KIND", "APICURIO_DATASOURCE")
    env = {name: value for name, value in spec.env.items() if not name.startswith(stored)}
    env |= {
        "QUARKUS_MANAGEMENT_HOST_ENABLED": "true",
        "QUARKUS_MANAGEMENT_HOST": LOOPBACK,
        "QUARKUS_MANAGEMENT_PORT": str(management_port(settings)),
    }
    folder = spec.cwd / "tmp"
    return replace(
        part, launch=replace(spec, env=env), prepare=lambda: folder.mkdir(parents=True, exist_ok=True)
    )
