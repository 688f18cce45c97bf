"""A copy of the platform for one benchmark: its own directory and ports, gone afterwards."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from common.errors import SoukError
from common.settings import ROOT, Settings
from jobs.rest import Flink
from local import stack
from local.home import Home, base_environment, settings_environment
from local.status import status
from local.supervision.supervisor import Supervisor

MEASURED = ("facts", "metrics")
"""The jobs of the spine; the others would take from it what is not its own."""

_END_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Copy:
    """A running platform of which the jobs can be stopped, and those of the spine started."""

    settings: Settings
    console: Console

    def stop_jobs(self) -> None:
        """Stop the keeper and cancel the jobs; their slots are free when this returns."""
        Supervisor(Home(self.settings.home)).stop_parts(["jobs"])
        deadline = time.monotonic() + _END_TIMEOUT_S
        with Flink(self.settings.flink) as flink:
            for job in flink.jobs():
                if not job.ended:
                    flink.cancel(job.id)
            while not all(job.ended for job in flink.jobs()):
                if time.monotonic() > deadline:
                    raise SoukError(f"the jobs did not end within {_END_TIMEOUT_S:.0f} s")
                time.sleep(0.2)

    def start_jobs(self) -> None:
        """Submit the jobs that are measured; returns when Flink has taken them."""
        subprocess.run(
            [sys.executable, "-m", "jobs.submit", *MEASURED],
            cwd=ROOT,
            env=base_environment() | settings_environment(self.settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def memory(self) -> dict[str, int]:
        """Part → resident bytes, child processes included."""
        return {part.name: part.memory_bytes for part in status(self.settings)}


@contextmanager
def copy_of(settings: Settings, port_offset: int, console: Console) -> Iterator[Copy]:
    """The bundled parts of this checkout on other ports, whatever the settings name; stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="souk-bench-", ignore_cleanup_errors=True) as folder:
        own = Settings.model_validate(
            {"home": Path(folder), "install": settings.install, "port_offset": port_offset}
        )
        try:
            yield Copy(stack.up(own, console), console)
        finally:
            stack.down(own, console)
