"""The trained models of a home: each version a directory, which of them is in use a key in Redis.

A version is written whole before the key is switched to it, so whoever reads the key finds a model. The
version before stays, to go back to; older ones are removed. Whoever changes anything waits until nobody else
does: two trainings never remove what the other writes.
"""

import shutil
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis, RedisError

from common.errors import PartUnavailable, UserError
from common.file_lock import file_lock
from jobs.recommenders.base import Model
from jobs.recommenders.registry import load

IN_USE = "recommender_version"
PREVIOUS = "recommender_version_before"


@dataclass(frozen=True)
class ModelRegistry:
    """Versions in a directory; `redis` holds the names of the one in use and the one before."""

    directory: Path
    redis: Redis

    def in_use(self) -> str | None:
        """The version in use, if there is any.

        Raises:
            PartUnavailable: Redis does not answer.
        """
        return self._read(IN_USE)

    def model(self, version: str) -> Model:
        """A version's model.

        Raises:
            UserError: it is not there or not whole.
        """
        return load(self.directory / version)

    def publish(self, model: Model, version: str) -> None:
        """Write a model and switch to it; the one in use is kept, others are removed.

        Raises:
            PartUnavailable: Redis does not answer.
            UserError: the version is there already.
        """
        with self._lock():
            model.save(self.directory / version)
            previous = self.in_use()
            self._switch(version, previous)
            for old in self.directory.iterdir():
                if old.name not in (version, previous):
                    shutil.rmtree(old, ignore_errors=True)

    def roll_back(self) -> str:
        """Switch to the version before, which changes places with the one in use; returns its name.

        Raises:
            UserError: there is none.
            PartUnavailable: Redis does not answer.
        """
        with self._lock():
            previous, now = self._read(PREVIOUS), self.in_use()
            if previous is None or not (self.directory / previous).is_dir():
                raise UserError("there is no model to go back to: `./souk train` publishes one")
            self._switch(previous, now)
            return previous

    def _lock(self) -> AbstractContextManager[None]:
        return file_lock(self.directory.with_name(f"{self.directory.name}.lock"))

    def _switch(self, version: str, previous: str | None) -> None:
        try:
            with self.redis.pipeline(transaction=True) as both:
                both.set(IN_USE, version)
                if previous is not None:
                    both.set(PREVIOUS, previous)
                both.execute()
        except RedisError as error:
            raise _redis_unavailable(error) from error

    def _read(self, key: str) -> str | None:
        try:
            found: Any = self.redis.get(key)
        except RedisError as error:
            raise _redis_unavailable(error) from error
        return None if found is None else str(found, "utf-8")


def _redis_unavailable(error: RedisError) -> PartUnavailable:
    return PartUnavailable(f"Redis does not answer ({error}): run `./souk up`")
