"""`python -m serving`: starts the worker processes that serve the API and the pages."""

import math
import sys

import structlog
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from common.errors import SoukError
from common.http_protocol import server_config
from common.multiprocess_metrics import enable_multiprocess_metrics
from common.settings import Settings
from common.telemetry import configure_logging, log_start_failure

HEALTHCHECK_TIMEOUT_S = 15
"""A worker process that does not answer uvicorn's health check for this long is replaced. The value is large
enough for a slow process. uvicorn handles no signal during a check, so the value is smaller than
`STOP_TIMEOUT_S` of the local supervisor."""

log = structlog.get_logger()


class WorkerSupervisor(Multiprocess):
    """Supervises uvicorn's worker processes, and logs a warning when it replaces one."""

    def terminate_all(self) -> None:
        """Tell the worker processes to stop, and close the socket, which only they still listen on.

        If it stayed open, connections would be accepted after the last worker has closed it, and be cut.
        """
        super().terminate_all()
        for listener in self.sockets:
            listener.close()

    def keep_subprocess_alive(self) -> None:
        """Replace worker processes that have died or hang."""
        old_pids = [process.pid for process in self.processes]
        super().keep_subprocess_alive()
        for old_pid, process in zip(old_pids, self.processes, strict=True):
            if old_pid != process.pid:
                log.warning("a worker process was replaced", old_pid=old_pid, new_pid=process.pid)


def main() -> int:
    """Serve until a signal arrives, and return the exit code: 0, or 2 if serving can't start.

    If the port is taken, uvicorn exits with code 3.
    """
    configure_logging("serving")
    try:
        settings = Settings.load()
        config = server_config(
            "serving.worker:create",
            "serving.admission:AdmissionProtocol",  # a name, because only the workers import the application
            factory=True,
            workers=settings.serving_processes,
            host=settings.listen_host,
            port=settings.port("serving"),
            loop="uvloop",
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=settings.trusted_proxies,
            timeout_graceful_shutdown=math.ceil(settings.stop_timeout_s),
            timeout_worker_healthcheck=HEALTHCHECK_TIMEOUT_S,
            log_level="warning",
        )
        socket = config.bind_socket()
        enable_multiprocess_metrics(settings.home / "run" / f"serving-metrics-{settings.port('serving')}")
    except SoukError as error:
        log_start_failure(error)
        return 2
    supervisor = WorkerSupervisor(config, [socket])
    supervisor.run()
    return 2 if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes) else 0


if __name__ == "__main__":
    sys.exit(main())
