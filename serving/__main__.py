"""`python -m serving`: the API and the pages on loopback, at the settings' port."""

import sys

import uvicorn

from common import garbage
from common.errors import SoukError
from common.settings import LOOPBACK, Settings
from common.telemetry import configure_logging
from serving.app import create_app

SHUTDOWN_TIMEOUT_S = 3
"""After this, open event streams are cut."""


def main() -> int:
    """Serve until told to stop. Exit code 0 stopped, 2 a setting that can't be used."""
    configure_logging("serving")
    try:
        settings = Settings.load()
        app = create_app(settings)
    except SoukError as error:
        print(f"souk: {error}", file=sys.stderr)
        return 2
    garbage.look_rarely()
    uvicorn.run(
        app,
        host=LOOPBACK,
        port=settings.port("serving"),
        loop="uvloop",
        http="httptools",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_S,
        log_level="warning",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
