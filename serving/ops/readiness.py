"""Checks at once whether this process can serve: every part in its own protocol, jobs, tables, figures."""

import asyncio
import struct
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import httpx
from confluent_kafka import KafkaException
from redis.asyncio import Redis
from redis.exceptions import RedisError

from clickhouse.migration_state import NEWEST_APPLIED, check_migrations
from common.job_versions import JOBS
from common.kafka import KafkaCluster
from common.problems import Problem
from common.readiness import JOB, MIGRATIONS, STOPPING, NotReady, described, excludes
from common.settings import Settings
from common.stopping import Stopping
from common.urls import credentials, redact_password
from serving.kit.clickhouse import ClickHouseQueries, QueryFailed
from serving.ops.figures_freshness import FiguresFreshness
from serving.ops.schemas import FiguresState, PartState, Readiness

KEY = "figures_counted"
"""The key in Redis that says to all processes, also later ones, that the past was counted."""

SETTLED_S = 30.0
"""Old events, such as a replay of earlier years, are counted if no message waited for this long."""


class CountedPast:
    """Whether the past was counted. Processes share the answer.

    Once it was counted, old figures never make a process unready again: its readers have what they had.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self.is_counted = False
        """Whether this process knows that it was counted."""
        self._settled_since: float | None = None

    async def reason(self, figures: FiguresState | None) -> str:
        """Return why the past is not counted yet; empty if it is, if there is none, or if nobody can say."""
        if self.is_counted or figures is None:
            return ""
        if figures["catching_up"]:
            self._settled_since = None
            return "" if await self._was_counted() else _reason(figures)
        if figures["as_of"] is not None and self._is_settled(figures):
            await self._note()
        return ""

    def _is_settled(self, figures: FiguresState) -> bool:
        if figures["current"]:
            return True
        if figures["messages_behind"] is None:
            return False
        if self._settled_since is None:
            self._settled_since = monotonic()
        return monotonic() - self._settled_since >= SETTLED_S

    async def _was_counted(self) -> bool:
        try:
            self.is_counted = bool(await self._redis.exists(KEY))
        except RedisError:
            return True  # Redis itself is named as missing
        return self.is_counted

    async def _note(self) -> None:
        try:
            await self._redis.set(KEY, 1)
        except RedisError:
            return  # the next check writes it
        self.is_counted = True


def _reason(figures: FiguresState) -> str:
    as_of = figures["as_of"]
    reached = (
        f"figures are complete up to {as_of:%Y-%m-%d %H:%M} UTC" if as_of else "there are no figures yet"
    )
    return f"the past is still being counted: {figures['messages_behind']:,} messages are left, and {reached}"


TIMEOUT_S = 2.0
FIGURES = "figures"

OPTIONAL = frozenset({"commerce"})
"""Parts without which pages and figures are still served. Orders are then refused with `Retry-After`."""

POSTGRES_PORT = 5432
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""PostgreSQL's SSLRequest. PostgreSQL answers it with one byte, S or N, before any login."""

Check = Callable[[], Awaitable[str]]
"""Returns the detail of a ready part; raises if the part is not ready."""


def missing_jobs(listed: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the jobs of which no version runs, with the reason. `listed` are the jobs in Flink's list."""
    states: dict[str, str] = {}
    for job in sorted(listed, key=lambda job: int(job["start-time"])):
        name = job["name"].partition("@")[0]
        if states.get(name) != "RUNNING":
            states[name] = job["state"]
    return {
        f"{JOB}{job}": f"Flink says that it is {states[job]}" if job in states else "it was not started yet"
        for job in JOBS
        if states.get(job) != "RUNNING"
    }


class ReadinessChecks:
    """The checks of this process. They connect when they first run."""

    def __init__(
        self,
        settings: Settings,
        redis: Redis,
        clickhouse: ClickHouseQueries,
        freshness: FiguresFreshness,
        stopping: Stopping,
    ) -> None:
        self._settings, self._redis = settings, redis
        self._clickhouse, self._freshness = clickhouse, freshness
        self._past = CountedPast(redis)
        self._stopping = stopping
        self._http = httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False)
        self._kafka = KafkaCluster(settings.kafka, {"socket.connection.setup.timeout.ms": 2_000})
        self._checks: dict[str, Check] = {
            "kafka": self._check_kafka,
            "registry": self._check_registry,
            "flink": self._check_flink,
            "clickhouse": self._check_clickhouse,
            "redis": self._check_redis,
            "postgres": self._check_postgres,
            "commerce": self._check_commerce,
        }

    async def aclose(self) -> None:
        """Close the HTTP client."""
        await self._http.aclose()

    async def readiness(self, excluded: Collection[str] = ()) -> Readiness:
        """Return what is missing, and the state of parts and figures, within about `TIMEOUT_S`.

        What `excluded` names is not checked; `parts` stands for all parts. A process that stops checks
        nothing.
        """
        if self._stopping.has_begun:
            missing = {STOPPING: self._stopping.reason}
            return {"ready": False, "missing": missing, "notes": {}, "parts": [], "figures": None}
        figures, parts, jobs, (outdated, newer) = await asyncio.gather(
            self._figures(excluded), self.part_states(excluded), self._jobs(excluded), self._migrations()
        )
        missing = {part["part"]: part["detail"] for part in parts if part["needed"] and not part["ready"]}
        uncounted = await self._past.reason(figures)
        missing |= jobs | outdated | ({FIGURES: uncounted} if uncounted else {})
        missing = {name: reason for name, reason in missing.items() if not excludes(excluded, name)}
        return {"ready": not missing, "missing": missing, "notes": newer, "parts": parts, "figures": figures}

    async def part_states(self, excluded: Collection[str] = ()) -> list[PartState]:
        """Return the state of each part that is not excluded, within about `TIMEOUT_S`."""
        checks = {part: check for part, check in self._checks.items() if not excludes(excluded, part)}
        return await asyncio.gather(*(self._state(part, check) for part, check in checks.items()))

    async def _jobs(self, excluded: Collection[str]) -> dict[str, str]:
        """Return the jobs of which no version runs, with their states.

        While Flink does not answer, nobody can say, and Flink itself is what is missing.
        """
        if all(excludes(excluded, f"{JOB}{job}") for job in JOBS):
            return {}
        try:
            response = await self._http.get(f"{self._settings.flink}/jobs/overview")
            response.raise_for_status()
        except httpx.HTTPError:
            return {}
        missing = missing_jobs(response.json()["jobs"])
        return {name: reason for name, reason in missing.items() if not excludes(excluded, name)}

    async def _migrations(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return whether ClickHouse's tables are too old, and whether they are newer, each with a reason.

        While ClickHouse does not answer, nobody can say, and ClickHouse itself is what is missing.
        """
        try:
            async with asyncio.timeout(TIMEOUT_S + 0.5):
                rows = await self._clickhouse.rows_of_sql("newest_migration", NEWEST_APPLIED, {})
            note = check_migrations(int(rows[0]["newest"]))
        except (Problem, TimeoutError):
            return {}, {}
        except (NotReady, QueryFailed) as error:
            return {MIGRATIONS: described(error)}, {}
        return {}, {MIGRATIONS: note} if note else {}

    async def _figures(self, excluded: Collection[str]) -> FiguresState | None:
        """Return the state of the figures; None if they can't be read, or do not matter.

        A load balancer excludes the parts and asks often, and old figures are read from Kafka.
        """
        if excludes(excluded, FIGURES) or (self._past.is_counted and excludes(excluded, "kafka")):
            return None
        try:
            return await asyncio.wait_for(self._freshness.read(), TIMEOUT_S + 0.5)
        except TimeoutError:
            return None

    async def _state(self, part: str, check: Check) -> PartState:
        ready = False
        try:
            detail = await asyncio.wait_for(check(), TIMEOUT_S + 0.5)
            ready = True
        except NotReady as reason:
            detail = f"{reason}; see ./souk logs {part}"
        except KafkaException as error:
            detail = f"{error.args[0].str()}; see ./souk status"
        except Exception as error:
            # Any failure of a check makes its part not ready, and must not fail the other checks.
            detail = f"does not answer ({described(error)}); see ./souk status"
        return {"part": part, "needed": part not in OPTIONAL, "ready": ready, "detail": detail}

    async def _check_kafka(self) -> str:
        metadata = await asyncio.to_thread(self._kafka.metadata, TIMEOUT_S)
        return f"{len(metadata.brokers)} broker(s), {len(metadata.topics)} topics"

    async def _check_registry(self) -> str:
        registry = self._settings.registry
        response = await self._http.get(f"{redact_password(registry)}/subjects", auth=credentials(registry))
        response.raise_for_status()
        return f"{len(response.json())} schemas"

    async def _check_flink(self) -> str:
        response = await self._http.get(f"{self._settings.flink}/overview")
        response.raise_for_status()
        cluster = response.json()
        if not cluster["taskmanagers"]:
            raise NotReady("no TaskManager is registered, so nothing runs")
        free, slots = cluster["slots-available"], cluster["slots-total"]
        return f"{cluster['jobs-running']} jobs running; {free} of {slots} slots free"

    async def _check_clickhouse(self) -> str:
        tables = await self._freshness.tables_with_progress()
        return f"{tables} tables with progress"

    async def _check_redis(self) -> str:
        await self._redis.ping()
        return "PONG"

    async def _check_commerce(self) -> str:
        response = await self._http.get(f"{self._settings.commerce}/ready")
        if missing := response.json()["missing"]:
            raise NotReady("; ".join(f"{name}: {why}" for name, why in missing.items()))
        return "takes orders"

    async def _check_postgres(self) -> str:
        """Check that a PostgreSQL server listens: send the first message of its protocol, without a login."""
        address = urlsplit(self._settings.postgres)
        reader, writer = await asyncio.open_connection(address.hostname, address.port or POSTGRES_PORT)
        try:
            writer.write(SSL_REQUEST)
            if await reader.readexactly(1) not in (b"N", b"S"):
                raise NotReady("the server at this address is not PostgreSQL")
        finally:
            writer.close()
        return "listens"
