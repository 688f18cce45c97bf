"""`python -m jobs.training.worker`: trains every night, and once as soon as there is enough to learn from.

A training is a process of its own, with limits. If it is killed, the model in use stays, and it is repeated
later. SIGTERM ends both.
"""

import subprocess
import sys
import threading
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import structlog
from clickhouse_connect.driver.exceptions import Error as ClickHouseError
from redis import Redis, RedisError

from clickhouse.client import connect
from common.clock import Clock, system_clock
from common.errors import PartUnavailable
from common.metrics import TRAINED_AT, TRAINING_SECONDS, TRAININGS
from common.settings import ROOT, Settings
from common.worker_process import run_worker
from jobs.training.limits import environment, max_seconds
from jobs.training.schedule import SETTLED_CHECKS, TrainingState, is_due
from schemas.published_model.keys import IN_USE, STATE

CHECK_EVERY_S = 30.0
STOP_TIMEOUT_S = 10.0

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
        self._events: deque[int] = deque(maxlen=SETTLED_CHECKS + 1)
        self._attempted_at: datetime | None = None

    def check(self) -> bool:
        """Train if it is due, and return whether it was.

        Raises:
            PartUnavailable: ClickHouse or Redis does not answer.
        """
        state = self._state()
        if state.trained_at is not None:
            TRAINED_AT.labels("model").set(state.trained_at.timestamp())
        due = is_due(state, self._clock(), self._settings.training_hour, self._settings.timezone)
        if due:
            self._attempted_at = self._clock()
            self._train()
        return due

    def _state(self) -> TrainingState:
        query = Path(__file__).with_name("events_so_far.sql").read_text(encoding="utf-8")
        try:
            with connect(self._settings) as reader:
                [(events, trained_at)] = reader.query(query).result_rows
            has_model = self._redis.hexists(STATE, IN_USE)
        except ClickHouseError as error:
            raise PartUnavailable(f"ClickHouse did not answer: {' '.join(str(error).split())}") from error
        except RedisError as error:
            raise PartUnavailable(f"Redis does not answer: {error}") from error
        self._events.appendleft(events)
        newest = trained_at.replace(tzinfo=UTC)
        known = newest if newest > NEVER else None
        return TrainingState(bool(has_model), known, self._attempted_at, tuple(self._events))

    def _train(self) -> None:
        began_s = monotonic()
        command = [sys.executable, "-m", "jobs.training.child"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment())
        limit_s = max_seconds(self._settings)
        while process.poll() is None and not self._stop.is_set() and monotonic() - began_s < limit_s:
            self._stop.wait(0.5)
        if process.poll() is None:
            _end(process)
        outcome = "stopped" if self._stop.is_set() else OUTCOMES.get(process.returncode, "failed")
        TRAININGS.labels(outcome).inc()
        TRAINING_SECONDS.labels(outcome).set(monotonic() - began_s)
        log.info("training ended", outcome=outcome, seconds=round(monotonic() - began_s, 1))


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


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
    sys.exit(run_worker("training", "training", work))
