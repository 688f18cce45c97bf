"""`python -m serving`: serves the API and the pages on loopback, in several processes."""

import sys

import structlog
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from common.errors import SoukError
from common.http_protocol import DeadlineProtocol
from common.multiprocess_metrics import enable_multiprocess_metrics
from common.settings import LOOPBACK, Settings
from common.telemetry import configure_logging
from common.timeouts import SERVER_KEEPALIVE_S

SHUTDOWN_TIMEOUT_S = 3
"""How long open responses may take at shutdown. Event streams are cut after it."""

HUNG_S = 15
"""A process that gives no sign of life for so long is replaced; one that is only slow must not be. Nothing
else is heard meanwhile, so it is shorter than the supervisor waits for a part to stop."""

log = structlog.get_logger()


class Processes(Multiprocess):
    """uvicorn's worker processes; logs a warning when one is replaced."""

    def keep_subprocess_alive(self) -> None:
        """Replace those that died or hang."""
        before = [each.pid for each in self.processes]
        super().keep_subprocess_alive()
        for was, each in zip(before, self.processes, strict=True):
            if was != each.pid:
                log.warning("a process was replaced", was=was, now=each.pid)


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
            http=DeadlineProtocol,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_S,
            timeout_keep_alive=SERVER_KEEPALIVE_S,
            timeout_worker_healthcheck=HUNG_S,
            log_level="warning",
        )
        socket = config.bind_socket()
        enable_multiprocess_metrics(settings.home / "run" / f"serving-metrics-{settings.port('serving')}")
    except SoukError as error:
        print(f"souk: {error}", file=sys.stderr)
        return 2
    processes = Processes(config, [socket])
    processes.run()
    return 2 if any(each.exitcode == STARTUP_FAILURE for each in processes.processes) else 0


if __name__ == "__main__":
    sys.exit(main())
