"""`python -m recommenders.training.worker`: trains every night, as soon as there is enough to learn from.

It trains after a drift of what is viewed, too.

A training is a process of its own, with limits. If it is killed, the model in use stays, and it is repeated
later. SIGTERM ends both.
"""

import os
import sys
import threading
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import structlog
from redis import Redis, RedisError

from clickhouse import readiness as clickhouse_readiness
from clickhouse.client import clickhouse_errors, connect
from common.bounded_process import run_bounded
from common.clock import Clock, system_clock
from common.errors import PartUnavailable
from common.ids import new_id
from common.metrics import TRAINED_AT, TRAINING_DRIFT, TRAINING_SECONDS, TRAININGS
from common.nights import night_turn
from common.readiness import Check
from common.redis_client import require_redis
from common.settings import Settings
from common.training_runs import TrainingOutcome, Trigger
from common.worker_process import run_worker
from recommenders.training.drift import drift_since_training
from recommenders.training.limits import environment, max_seconds
from recommenders.training.publication import Publications
from recommenders.training.schedule import SETTLED_CHECKS, TrainingState, due, may_follow_drift
from recommenders.training.training_log import (
    TrainingEnd,
    TrainingLog,
    TrainingStart,
    sql,
)
from schemas.published_model.keys import IN_USE, STATE

CHECK_EVERY_S = 30.0

NEVER = datetime.fromtimestamp(0, UTC)
"""The maximum of no times in ClickHouse."""

OUTCOMES = {0: "trained", 2: "too_little", 3: "no_room"}
"""Exit code of a training → its name in the metrics; other codes are failures."""

log = structlog.get_logger()


class TrainingWorker:
    """Checks regularly whether a training is due, and runs it."""

    def __init__(self, settings: Settings, redis: Redis, stop: threading.Event, clock: Clock) -> None:
        self._settings = settings
        self._redis = redis
        self._stop = stop
        self._clock = clock
        self._log = TrainingLog(settings)
        self._events: deque[int] = deque(maxlen=SETTLED_CHECKS + 1)
        self._attempted_at: datetime | None = None
        self._compared_at: datetime | None = None
        self._has_begun = False

    def check(self) -> Trigger | None:
        """Train if it is due and no audit runs, and return why it was.

        Raises:
            PartUnavailable: ClickHouse or Redis does not answer.
        """
        if not self._has_begun:
            self._log.interrupt_running()
            self._has_begun = True
        state, now, details = self._state(), self._clock(), ""
        if state.trained_at is not None:
            TRAINED_AT.labels("model").set(state.trained_at.timestamp())
        trigger = due(state, now, self._settings.training_hour, self._settings.timezone)
        if trigger is None and (drifted := self._drift(state, now)) is not None:
            trigger, details = "drift", drifted
        if trigger is None:
            return None
        with night_turn(self._settings.home, "a training") as is_turn:
            if not is_turn:
                return None
            self._attempted_at = now
            self._train(TrainingStart(new_id(), now, trigger, details))
        return trigger

    def _state(self) -> TrainingState:
        with clickhouse_errors(), connect(self._settings) as reader:
            [(events, trained_at, started_at)] = reader.query(sql("events_so_far")).result_rows
        try:
            has_model = self._redis.hexists(STATE, IN_USE)
        except RedisError as error:
            raise PartUnavailable(f"Redis does not answer: {error}") from error
        self._events.appendleft(events)
        return TrainingState(
            bool(has_model), _known(trained_at), _known(started_at), self._attempted_at, tuple(self._events)
        )

    def _drift(self, state: TrainingState, now: datetime) -> str | None:
        """Return the figures of a drift that is a reason to train, or None. Most checks compare nothing."""
        if not may_follow_drift(state, now, timedelta(hours=self._settings.training_drift_pause_h)):
            return None
        period = timedelta(seconds=self._settings.training_drift_check_s)
        if self._compared_at is not None and now - self._compared_at < period:
            return None
        self._compared_at = now
        version = Publications(self._redis).named(IN_USE)
        with connect(self._settings) as reader:
            drift = drift_since_training(reader, version or "", now)
        if drift is None or not drift.is_known():
            return None
        for dimension, psi in drift.psi.items():
            TRAINING_DRIFT.labels(dimension).set(psi)
        exceeded = drift.exceeded(self._settings.training_drift_psi)
        return None if exceeded is None else f"{exceeded}: {drift}"

    def _train(self, start: TrainingStart) -> None:
        command = [sys.executable, "-m", "recommenders.training.child", start.pack(), str(os.getpid())]
        limit_s, end_timeout_s = max_seconds(self._settings), self._settings.stop_timeout_s / 2
        ended = run_bounded(command, environment(), limit_s, self._stop, end_timeout_s, "training")
        outcome = "stopped" if ended.is_stopped else OUTCOMES.get(ended.code, "failed")
        TRAININGS.labels(outcome).inc()
        TRAINING_SECONDS.labels(outcome).set(ended.seconds)
        log.info("training ended", outcome=outcome, trigger=start.trigger, seconds=round(ended.seconds, 1))
        without_result: TrainingOutcome = "stopped" if ended.is_stopped else "failed"
        self._log.end(start, TrainingEnd(without_result, ended.reason, self._clock()), if_running=True)


def _known(newest: datetime) -> datetime | None:
    """Return the maximum of times in ClickHouse; None if there were no times."""
    moment = newest.replace(tzinfo=UTC)
    return moment if moment > NEVER else None


def checks(settings: Settings) -> Mapping[str, Check]:
    """Return what `/ready` checks."""
    return {**clickhouse_readiness.checks(settings), "redis": lambda: require_redis(settings)}


def work(settings: Settings, stop: threading.Event) -> None:
    """Train whenever it is due, until `stop` is set."""
    for outcome in (*OUTCOMES.values(), "failed", "stopped"):
        TRAININGS.labels(outcome)  # a count that begins at 0 shows the first failure
    with Redis.from_url(settings.redis) as redis:
        worker = TrainingWorker(settings, redis, stop, system_clock)
        while not stop.is_set():
            try:
                worker.check()
            except PartUnavailable as error:
                log.warning("waiting", error=str(error))
            stop.wait(CHECK_EVERY_S)


if __name__ == "__main__":
    sys.exit(run_worker("training", "training", work, checks))
