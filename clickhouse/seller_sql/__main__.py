"""`python -m clickhouse.seller_sql` runs the queries of sellers for the API. SIGTERM ends it."""

import math
import sys
from collections.abc import Mapping

import httpx
import uvicorn

from clickhouse.seller_sql import walls
from clickhouse.seller_sql.app import create_app
from common.body_deadline import BodyDeadlineProtocol
from common.errors import SoukError
from common.http_protocol import server_config
from common.readiness import TIMEOUT_S, Check, NotReady, ProcessReadiness
from common.settings import Settings
from common.stopping import Stopping
from common.telemetry import configure_logging, log_start_failure


def checks(settings: Settings) -> Mapping[str, Check]:
    """Return what `/ready` checks: that ClickHouse answers. A note says why queries would be refused."""

    def clickhouse() -> None:
        try:
            httpx.get(f"{settings.clickhouse}/ping", timeout=TIMEOUT_S, trust_env=False).raise_for_status()
        except httpx.HTTPError as error:
            raise NotReady(f"ClickHouse at {settings.clickhouse} does not answer ({error})") from error

    def confinement() -> str | None:
        reason = walls.reason_missing()
        return f"queries of sellers are refused: {reason}" if reason else None

    return {"clickhouse": clickhouse, "confinement": confinement}


def main() -> int:
    """Serve until a signal ends the process, and return the exit code: 2 if it can't start."""
    configure_logging("seller_sql")
    stopping = Stopping()
    try:
        settings = Settings.load()
        config = server_config(
            create_app(settings, ProcessReadiness(checks(settings), stopping), stopping),
            BodyDeadlineProtocol,
            host=settings.listen_host,
            port=settings.port("seller_sql"),
            loop="uvloop",
            lifespan="on",
            proxy_headers=False,
            timeout_graceful_shutdown=math.ceil(settings.stop_timeout_s),
            log_level="warning",
        )
    except SoukError as error:
        log_start_failure(error)
        return 2
    uvicorn.Server(config).run()
    return 0 if stopping.has_begun else 3


if __name__ == "__main__":
    sys.exit(main())
