"""Reads trainings from ClickHouse, and the live version from Redis; goes back to the version before."""

from datetime import UTC, datetime

import structlog

from common.clock import Clock
from common.problems import problem
from schemas.published_model.roll_back import RollBack
from serving.kit import trainings as schemas
from serving.kit.clickhouse import ClickHouseQueries, Row
from serving.kit.live_versions import LiveVersions
from serving.kit.problems import RedisUnavailable
from serving.kit.product_cards import open_cards
from serving.recommendations.trained_models import ModelUnusable, TrainedModels
from serving.recommendations.trainings import presenter
from serving.recommendations.trainings.model_switch import ModelNotKept, read_served_versions, switch_back

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
        before = NEWEST if cursor is None else presenter.read_training_cursor(cursor)
        rows = await self._rows(before, limit + 1, version=version)
        live, now = await self._live(), self._clock()
        found = [presenter.training(row, live, now) for row in rows[:limit]]
        next_cursor = presenter.training_cursor(found[-1]) if len(rows) > limit else None
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
        found = presenter.training(row, await self._live(), self._clock())
        return {**found, "card": presenter.card_of(row)}

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
        return presenter.live_model(switched)

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
            return presenter.live_model(await read_served_versions(self._versions.redis))
        except RedisUnavailable:
            return None
