"""Metrics of a server with several processes: each process exposes the sums over all of them.

This is prometheus_client's multiprocess mode. An environment variable names a directory in which every
process stores its metrics as files.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from common.errors import UserError

DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable that prometheus_client reads at import."""


def enable_multiprocess_metrics(directory: Path) -> None:
    """Empty `directory` and make the processes that are started from now on store their metrics there.

    Raises:
        UserError: the directory can't be written.
    """
    try:
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
    except OSError as error:
        raise UserError(
            f"metrics can't be written to {directory} ({error.strerror}): set SOUK_HOME"
        ) from error
    os.environ[DIRECTORY_VARIABLE] = str(directory)


def multiprocess_registry() -> CollectorRegistry | None:
    """Return a registry with the metrics of all processes of the server, or None in single-process mode.

    Counters include processes that have ended. Memory is the sum over the running processes.
    """
    if not (variable := os.environ.get(DIRECTORY_VARIABLE)):
        return None
    directory = Path(variable)
    alive = {pid for pid in map(_pid, directory.glob("*.db")) if psutil.pid_exists(pid)}
    for path in directory.glob("gauge_live*.db"):
        if _pid(path) not in alive:
            path.unlink(missing_ok=True)
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(directory))  # type: ignore[no-untyped-call]
    registry.register(_MemoryCollector(alive))
    return registry


def _pid(path: Path) -> int:
    """Return the process id in the name of a metrics file, `<kind>_<pid>.db`."""
    return int(path.stem.rpartition("_")[2])


class _MemoryCollector(Collector):
    """Collects the memory of several processes as the metric of one."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._pids = pids

    def collect(self) -> Iterator[Metric]:
        """Yield the sum under prometheus_client's name for the memory of a process."""
        resident = 0
        for pid in self._pids:
            with suppress(psutil.Error):  # the process has ended in the meantime
                resident += psutil.Process(pid).memory_info().rss
        yield GaugeMetricFamily("process_resident_memory_bytes", "Resident memory size in bytes.", resident)
