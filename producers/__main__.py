"""`python -m producers [SERVICE…]`: the commerce services, their consumers and relays, in one process."""

import asyncio
import signal
import sys
from collections.abc import Sequence

import structlog
import uvicorn
import uvloop

from common import garbage, realtime
from common.clock import system_clock
from common.errors import SoukError, UserError
from common.patience import SERVERS_KEEP_S
from common.settings import LOOPBACK, Settings
from common.telemetry import configure_logging
from producers.http.app import create_app
from producers.http.readiness import Readiness
from producers.registry import SERVICES
from producers.running import RunningService

log = structlog.get_logger()

SHUTDOWN_TIMEOUT_S = 3


def main(arguments: Sequence[str]) -> int:
    """Run until told to stop. Exit code 0 stopped, 1 a service broke, 2 a mistake of whoever started it."""
    configure_logging("commerce")
    try:
        names = list(arguments) or list(SERVICES)
        if unknown := [name for name in names if name not in SERVICES]:
            raise UserError(f"there is no service {unknown[0]!r}: choose from {', '.join(SERVICES)}")
        return uvloop.run(serve(Settings.load(), names))
    except SoukError as error:
        print(f"souk: {error}", file=sys.stderr)
        return 2


async def serve(settings: Settings, names: Sequence[str]) -> int:
    """Answer requests and run the services; when one breaks, end, and the supervisor starts anew."""
    services = {name: RunningService(SERVICES[name], settings, system_clock) for name in names}
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(services, Readiness(services, settings.kafka)),
            host=LOOPBACK,
            port=settings.port("commerce"),
            http="httptools",
            lifespan="off",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_S,
            timeout_keep_alive=SERVERS_KEEP_S,
            log_level="warning",
        )
    )

    def stop(*_: object) -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)  # uvicorn raises it again once it has stopped, and there is more to stop
    tasks = {asyncio.create_task(running.run(), name=name) for name, running in services.items()}
    for task in tasks:
        task.add_done_callback(stop)
    garbage.look_rarely()
    realtime.go_first(settings, realtime.ORDERS)
    await server.serve()
    broken = [task for task in tasks if task.done()]
    for task in tasks - set(broken):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in broken:
        log.error("service broke", service=task.get_name(), exc_info=task.exception())
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
