"""`python -m producers [SERVICE…]`: the commerce services, their consumers and relays, in one process."""

import asyncio
import math
import signal
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

import structlog
import uvicorn
import uvloop

from common import gc_tuning
from common.body_deadline import BodyDeadlineProtocol
from common.clock import system_clock
from common.errors import SoukError, UserError
from common.http_protocol import server_config
from common.principal_token import PrincipalTokens
from common.settings import Settings
from common.stopping import SIGNALS, Stopping
from common.telemetry import configure_logging, log_start_failure
from common.tracing import configure_tracing
from producers.kit.http.app import create_app
from producers.kit.http.guard import ServiceGuard
from producers.kit.http.idempotency import IdempotentRequests
from producers.kit.http.readiness import ServiceReadiness
from producers.kit.idempotency.sealed_response import ResponseSealer
from producers.kit.service_runner import ServiceRunner
from producers.registry import SERVICES

log = structlog.get_logger()


def main(arguments: Sequence[str]) -> int:
    """Run until a signal or a failure. Return 0 after a signal, 1 if a service failed, 2 on a user's mistake.

    The command line's arguments are names of services; without arguments, all services run.
    """
    configure_logging("commerce")
    try:
        names = list(arguments) or list(SERVICES)
        if unknown := [name for name in names if name not in SERVICES]:
            raise UserError(f"there is no service {unknown[0]!r}: choose from {', '.join(SERVICES)}")
        settings = Settings.load()
        configure_tracing(settings)
        return uvloop.run(serve(settings, names))
    except SoukError as error:
        log_start_failure(error)
        return 2


async def serve(settings: Settings, names: Sequence[str]) -> int:
    """Serve requests and run the services until a signal or a failure; return the exit code.

    After a signal, requests end first, then the services finish what is in work (`docs/health.md`). After a
    failed service, the supervisor restarts the process.
    """
    stopping = Stopping()
    services = {name: ServiceRunner(SERVICES[name], settings, system_clock) for name in names}
    host = urlsplit(settings.commerce).hostname or ""
    guard = ServiceGuard(PrincipalTokens(settings), IdempotentRequests(ResponseSealer(settings)))
    readiness = ServiceReadiness(services, settings.kafka, stopping)
    server = uvicorn.Server(
        server_config(
            create_app(services, readiness, guard, stopping, settings.drain_s, [host]),
            BodyDeadlineProtocol,
            host=settings.listen_host,
            port=settings.port("commerce"),
            lifespan="on",
            proxy_headers=False,  # the gateway says from where a request comes
            timeout_graceful_shutdown=math.ceil(settings.stop_timeout_s),
            log_level="warning",
        )
    )

    def stop(*_: object) -> None:
        stopping.begin()
        server.should_exit = True

    # uvicorn raises the signal again after its own shutdown. This handler prevents the second signal from
    # ending the process before the services have stopped.
    for number in SIGNALS:
        signal.signal(number, stop)
    tasks = {asyncio.create_task(runner.run(), name=name) for name, runner in services.items()}
    for task in tasks:
        task.add_done_callback(stop)
    gc_tuning.tune_gc()
    await server.serve()
    failed = [task for task in tasks if task.done()]
    for task in tasks - set(failed):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in failed:
        log.error("service failed", service=task.get_name(), exc_info=task.exception())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
