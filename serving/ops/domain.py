"""Operations as a domain: health, readiness, protection, dead letters, audits, the platform at a glance."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

from common.clock import Clock
from common.settings import Settings
from common.stopping import Stopping
from serving.gateway.service_routes import ServiceRoutes
from serving.kit.domain import DomainDefinition, running
from serving.kit.stores import Stores
from serving.kit.stream_slots import StreamSlots
from serving.ops import endpoints
from serving.ops.audit_runs import AuditsService
from serving.ops.dead_letters import DeadLetters
from serving.ops.dependencies import OpsDomain
from serving.ops.figures_freshness import FiguresFreshness
from serving.ops.overview.processes import AskCommerce
from serving.ops.overview.service import NewestTraining, OverviewService
from serving.ops.protection import Protection
from serving.ops.readiness import ReadinessChecks

STREAMS_OF_PERSON, STREAMS = 5, 20
"""The largest number of open streams of `/ops`, for each person and in all, in a process."""


@asynccontextmanager
async def _open(
    settings: Settings,
    stores: Stores,
    figures_tables: Sequence[str],
    ask_commerce: AskCommerce,
    services: ServiceRoutes,
    newest_training: NewestTraining,
    stopping: Stopping,
    clock: Clock,
) -> AsyncIterator[OpsDomain]:
    """Open the checks, and watch the platform. `figures_tables` are those from which figures are computed."""
    audits_service = AuditsService(stores.clickhouse, clock)
    async with (
        aclosing(FiguresFreshness(settings, stores.watermarks, figures_tables, clock)) as freshness,
        aclosing(
            ReadinessChecks(settings, stores.redis, stores.clickhouse, freshness, stopping)
        ) as readiness,
        running(
            OverviewService(
                settings,
                clock,
                stores.redis,
                readiness,
                freshness,
                ask_commerce,
                audits_service,
                newest_training,
            )
        ) as overview,
    ):
        yield OpsDomain(
            readiness,
            freshness,
            Protection(settings, readiness, services),
            DeadLetters(settings),
            audits_service,
            settings.audit_hour if settings.audit_enabled else None,
            overview,
            StreamSlots("streams of /ops", STREAMS_OF_PERSON, STREAMS, "person"),
        )


OPS = DomainDefinition((endpoints.router, endpoints.audits_router), _open)
