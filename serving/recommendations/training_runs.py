"""The trainings of the recommender, and which of their models is live; goes back to the version before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import WatchError

from common.clock import Clock, from_millis
from common.problems import Problem, problem
from schemas.published_model.keys import IN_USE, PREVIOUS, ROLLED_BACK, STATE, RollBack
from serving.kit import training_runs as schemas
from serving.kit.clickhouse import ClickHouseQueries, Row
from serving.kit.live_versions import LiveVersions
from serving.kit.parameters import read_row_cursor, row_cursor
from serving.kit.problems import RedisUnavailable
from serving.kit.product_cards import open_cards
from serving.kit.redis_client import run_redis
from serving.kit.response_types import ConfidenceInterval
from serving.recommendations.trained_models import ModelUnusable, TrainedModels

ATTEMPTS = 5
"""A training that publishes at the same moment changes the names; then they are read again."""


class ModelNotKept(Problem):
    """The model of a training can't be served: only the live model and the one before it are kept."""

    status, kind, title = 409, "model-not-kept", "This model can't be served again"


@dataclass(frozen=True, slots=True)
class ServedVersions:
    """The version in use and the one before, and how the one in use came back, if it did."""

    in_use: str | None
    previous: str | None
    rolled_back: RollBack | None

    @classmethod
    def of(cls, reply: list[bytes | None]) -> "ServedVersions":
        """Return the names of a reply to `HMGET recommender in_use previous rolled_back`."""
        in_use, previous = (None if name is None else name.decode(errors="replace") for name in reply[:2])
        found = RollBack.unpack(reply[2] or b"")
        return cls(in_use, previous, found if found is not None and found.version == in_use else None)


async def read_served_versions(redis: Redis) -> ServedVersions:
    """Return the versions that Redis names.

    Raises:
        RedisUnavailable: Redis does not answer.
    """
    reply: Any = await run_redis(redis.hmget(STATE, (IN_USE, PREVIOUS, ROLLED_BACK)))  # type: ignore[arg-type]
    return ServedVersions.of(reply)


async def switch_back(redis: Redis, roll_back: RollBack) -> ServedVersions:
    """Make the previous version the live one, and the live one the previous one, in one step.

    If the version is live already, nothing changes. The names are watched, so a training that publishes at
    the same moment can't remove the version that becomes live.

    Raises:
        ModelNotKept: the version is neither live nor the one before.
        RedisUnavailable: Redis does not answer.
    """
    return await run_redis(_switch_back(redis, roll_back))


async def _switch_back(redis: Redis, roll_back: RollBack) -> ServedVersions:
    for _ in range(ATTEMPTS):
        watching: Any = redis.pipeline(transaction=True)
        async with watching as pipeline:
            await pipeline.watch(STATE)
            names = ServedVersions.of(await pipeline.hmget(STATE, (IN_USE, PREVIOUS, ROLLED_BACK)))
            if names.in_use == roll_back.version:
                return names
            if names.previous != roll_back.version or names.in_use is None:
                raise ModelNotKept(
                    "Only the live model and the one before it are kept. Open the list of trainings again."
                )
            changed = {IN_USE: roll_back.version, PREVIOUS: names.in_use, ROLLED_BACK: roll_back.pack()}
            pipeline.multi()
            pipeline.hset(STATE, mapping=changed)
            try:
                await pipeline.execute()
            except WatchError:
                continue
            return ServedVersions(roll_back.version, names.in_use, roll_back)
    raise ModelNotKept("Trainings are being published right now. Open the list of trainings again.")


LONGEST = timedelta(days=1)
"""A training that has run for longer was killed, and nothing recorded its end."""


def live_model(versions: ServedVersions) -> schemas.LiveModel:
    """Return the names of the versions as in responses."""
    found = versions.rolled_back
    rolled_back: schemas.RollBack | None = (
        None if found is None else {"at": found.at, "by": found.by, "reason": found.reason}
    )
    return {"version": versions.in_use, "previous": versions.previous, "rolled_back": rolled_back}


def training(row: Row, live: schemas.LiveModel | None, now: datetime) -> schemas.Training:
    """Return a training from its row of the query `trainings` or `training`."""
    started_at, ended_at = from_millis(int(row["started_ms"])), _moment(row["ended_ms"])
    card = card_of(row) or {}
    is_lost = row["outcome"] == "running" and now - started_at > LONGEST
    version = row["version"]
    kept = () if live is None else (live["version"], live["previous"])
    return {
        "training_id": row["training_id"],
        "trigger": row["trigger"],
        "trigger_details": row["trigger_details"],
        "outcome": "interrupted" if is_lost else row["outcome"],
        "reason": row["reason"],
        "started_at": started_at,
        "ended_at": ended_at,
        "duration_s": None if ended_at is None else (ended_at - started_at).total_seconds(),
        "peak_memory_mb": row["peak_memory_mb"],
        "version": version,
        "model": row["model"],
        "is_live": live is not None and version is not None and version == live["version"],
        "is_kept": version is not None and version in kept,
        "events": None if row["events"] is None else int(row["events"]),
        "first_event_at": _moment(row["first_event_ms"]),
        "last_event_at": _moment(row["last_event_ms"]),
        "figures": _figures(card),
        "compared": _compared(card),
        "off_policy": _off_policy(card.get("off_policy")),
        "blend_weights": card.get("blend_weights"),
    }


def card_of(row: Row) -> dict[str, Any] | None:
    """Return the model card of a row; None without a card."""
    return orjson.loads(row["card"]) if row["card"] else None


def _moment(millis: str | int | None) -> datetime | None:
    return None if millis is None else from_millis(int(millis))


def _figures(card: Mapping[str, Any]) -> list[schemas.OfflineFigure]:
    if not card.get("judged"):
        return []
    return [
        {"metric": metric, "value": _interval(found)}
        for metric, found in card["judged"][0]["figures"]["all"].items()
        if found["mean"] is not None
    ]


def _compared(card: Mapping[str, Any]) -> list[schemas.OfflineComparison]:
    return [
        {
            "model": other.partition("(")[0].strip(),
            "metric": metric,
            "difference": _interval(found["interval"]),
            "p": found["p_value"],
        }
        for other, metrics in (card.get("differences") or {}).items()
        for metric, found in metrics.items()
        if found["interval"]["mean"] is not None
    ]


def _off_policy(judged: Mapping[str, Any] | None) -> schemas.OffPolicyJudgement | None:
    if judged is None:
        return None
    return {
        "champion": judged["champion"],
        "places": judged["places"],
        "strategies": [
            {
                "strategy": name,
                "click_rate": found["doubly_robust"]["interval"],
                "difference": found["difference"],
                "winner": found["winner"],
                "effective_places": found["doubly_robust"]["effective_sample_size"],
            }
            for name, found in judged["strategies"].items()
        ],
    }


def _interval(found: Mapping[str, float]) -> ConfidenceInterval:
    return {"estimate": found["mean"], "low": found["low"], "high": found["high"]}


UNKNOWN_TRAINING = problem(
    404,
    "unknown-training",
    "Unknown training",
    "There is no training {training_id!r}. GET /v1/admin/recommendations/trainings lists all.",
)

log = structlog.get_logger()

NEWEST = (datetime(2105, 12, 31, tzinfo=UTC), "")
"""A position before the newest training."""

JUDGING_AMONG = 20
"""The number of newest trainings among which one that judged strategies is looked for: about three weeks."""


class TrainingsService:
    """The trainings of the recommender, and which of their models is live."""

    def __init__(self, clickhouse: ClickHouseQueries, versions: LiveVersions, clock: Clock) -> None:
        self._clickhouse, self._versions, self._clock = clickhouse, versions, clock
        self._models = TrainedModels(versions.redis)

    async def page(self, cursor: str | None, limit: int, version: str = "") -> schemas.Trainings:
        """Return at most `limit` trainings, the newest first, or the one of a version of the model.

        While Redis is away, none of them is live.

        Raises:
            BadCursor: `cursor` is not one of this list.
            ClickHouseUnavailable: ClickHouse does not answer.
        """
        before = NEWEST if cursor is None else read_row_cursor(cursor)
        rows = await self._rows(before, limit + 1, version=version)
        live, now = await self._live(), self._clock()
        found = [training(row, live, now) for row in rows[:limit]]
        next_cursor = (
            row_cursor(found[-1]["started_at"], found[-1]["training_id"]) if len(rows) > limit else None
        )
        return {"trainings": found, "live": live, "next_cursor": next_cursor}

    async def newest(self) -> schemas.Trainings:
        """Return the page with the newest training.

        Raises:
            ClickHouseUnavailable: ClickHouse does not answer.
        """
        return await self.page(None, 1)

    async def newest_judging(self) -> schemas.Training | None:
        """Return the newest of the last trainings that judged strategies on random lists; None without one.

        Raises:
            ClickHouseUnavailable: ClickHouse does not answer.
        """
        found = await self.page(None, JUDGING_AMONG)
        return next((each for each in found["trainings"] if each["off_policy"]), None)

    async def details(self, training_id: str) -> schemas.TrainingDetails:
        """Return a training with its model card.

        Raises:
            UNKNOWN_TRAINING: there is none with this id.
            ClickHouseUnavailable: ClickHouse does not answer.
        """
        row = await self._row(training_id)
        found = training(row, await self._live(), self._clock())
        return {**found, "card": card_of(row)}

    async def roll_back(self, training_id: str, by: str, reason: str) -> schemas.LiveModel:
        """Serve the model of a training again, from the next answer of every process on.

        `by` is the person or process. If the model is live already, nothing changes. A training that runs now
        publishes its model when it ends.

        Raises:
            UNKNOWN_TRAINING: there is no training with this id.
            ModelNotKept: its model is not kept, is damaged, or was never published.
            ClickHouseUnavailable, RedisUnavailable: a store does not answer.
        """
        version = (await self._row(training_id))["version"]
        if version is None:
            raise ModelNotKept("This training published no model. Choose another one.")
        cards = await open_cards(self._versions)
        try:
            await self._models.verify(version, cards.prefix)
        except ModelUnusable as error:
            raise ModelNotKept(
                f"The model {version} can't be served: {error}. Only the live model and the one before it "
                "are kept; ./souk train makes a new one."
            ) from error
        switched = await switch_back(self._versions.redis, RollBack(version, self._clock(), by, reason))
        log.warning("the model is rolled back", version=version, by=by, reason=reason)
        return live_model(switched)

    async def _row(self, training_id: str) -> Row:
        rows = await self._rows(NEWEST, 1, training_id=training_id)
        if not rows:
            raise UNKNOWN_TRAINING(training_id=training_id)
        return rows[0]

    async def _rows(
        self, before: tuple[datetime, str], limit: int, training_id: str = "", version: str = ""
    ) -> list[Row]:
        before_at, before_id = before
        return await self._clickhouse.rows(
            "trainings",
            before_at=before_at,
            before_training_id=before_id,
            training_id=training_id,
            version=version,
            limit=limit,
        )

    async def _live(self) -> schemas.LiveModel | None:
        try:
            return live_model(await read_served_versions(self._versions.redis))
        except RedisUnavailable:
            return None
