"""The metrics of a server that answers with several processes: each counts into files, any shows all of them.

prometheus_client's own way: with a folder in the environment, metrics live in a file of each process there.
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

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable that prometheus_client reads when it is imported."""


def share_metrics(folder: Path) -> None:
    """Have the processes that are started from now on count together, from nothing.

    Raises:
        UserError: the folder can't be written.
    """
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    except OSError as error:
        raise UserError(f"no metrics can be kept in {folder} ({error.strerror}): set SOUK_HOME") from error
    os.environ[FOLDER] = str(folder)


def shared_registry() -> CollectorRegistry | None:
    """What all of them counted, those that ended, too, and their memory; None where a process is alone."""
    if not (named := os.environ.get(FOLDER)):
        return None
    folder = Path(named)
    alive = {pid for pid in map(_pid, folder.glob("*.db")) if psutil.pid_exists(pid)}
    for path in folder.glob("gauge_live*.db"):
        if _pid(path) not in alive:
            path.unlink(missing_ok=True)
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    registry.register(_Processes(alive))
    return registry


def _pid(path: Path) -> int:
    """Whose file it is: prometheus_client calls it `<kind>_<pid>.db`."""
    return int(path.stem.rpartition("_")[2])


class _Processes(Collector):
    """Memory of several processes as if they were one."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._pids = pids

    def collect(self) -> Iterator[Metric]:
        """The sum, under the name that prometheus_client has for one process."""
        resident = 0
        for pid in self._pids:
            with suppress(psutil.Error):  # it has ended meanwhile
                resident += psutil.Process(pid).memory_info().rss
        yield GaugeMetricFamily("process_resident_memory_bytes", "Resident memory size in bytes.", resident)
