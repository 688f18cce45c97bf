"""`python -m serving`: the API and the pages on loopback, at the settings' port, by several processes."""

import os
import sys
from collections.abc import Collection
from contextlib import suppress

import structlog
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from common.errors import SoukError
from common.patience import SERVERS_KEEP_S
from common.settings import LOOPBACK, Settings
from common.shared_metrics import share_metrics
from common.telemetry import configure_logging

SHUTDOWN_TIMEOUT_S = 3
"""After this, open event streams are cut."""

HUNG_S = 15
"""A process that gives no sign of life for so long is replaced; one that is only slow must not be. Nothing
else is heard meanwhile, so it is shorter than the supervisor waits for a part to stop."""

log = structlog.get_logger()


def share(cores: Collection[int], index: int, processes: int) -> set[int]:
    """The cores of one of so many processes: its part of all of them, or one of them where they are too few.

    Two that wake at once may be put on one core although another has less to do; with cores of their own
    neither waits for the other (docs/decisions/live-rate.md).
    """
    ordered = sorted(cores)
    return set(ordered[index::processes]) or {ordered[index % len(ordered)]}


class Processes(Multiprocess):
    """uvicorn's processes, each on cores of its own; says when one had to be replaced."""

    def init_processes(self) -> None:
        """Start all of them."""
        super().init_processes()
        for index in range(len(self.processes)):
            self._give_cores(index)

    def keep_subprocess_alive(self) -> None:
        """Replace those that died or hang."""
        before = [each.pid for each in self.processes]
        super().keep_subprocess_alive()
        for index, (was, each) in enumerate(zip(before, self.processes, strict=True)):
            if was != each.pid:
                log.warning("a process was replaced", was=was, now=each.pid)
                self._give_cores(index)

    def _give_cores(self, index: int) -> None:
        """Soon after its start: threads that it has begun by then stay on all cores."""
        pid, cores = self.processes[index].pid, os.sched_getaffinity(0)
        with suppress(OSError):  # it has ended, or we may not: all cores are as right, only slower
            if pid is not None:
                os.sched_setaffinity(pid, share(cores, index, len(self.processes)))


def main() -> int:
    """Serve until told to stop. Exit code 0 stopped, 2 it can't start, 3 the port is taken."""
    configure_logging("serving")
    try:
        settings = Settings.load()
        config = uvicorn.Config(
            "serving.worker:create",
            factory=True,
            workers=settings.serving_processes,
            host=LOOPBACK,
            port=settings.port("serving"),
            loop="uvloop",
            http="httptools",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_S,
            timeout_keep_alive=SERVERS_KEEP_S,
            timeout_worker_healthcheck=HUNG_S,
            log_level="warning",
        )
        socket = config.bind_socket()
        share_metrics(settings.home / "run" / f"serving-metrics-{settings.port('serving')}")
    except SoukError as error:
        print(f"souk: {error}", file=sys.stderr)
        return 2
    processes = Processes(config, [socket])
    processes.run()
    return 2 if any(each.exitcode == STARTUP_FAILURE for each in processes.processes) else 0


if __name__ == "__main__":
    sys.exit(main())
