"""Stores versions of trained models in directories. A key in Redis names the version in use.

A version is complete before the key names it, so readers of the key always find a model. The previous version
is kept for a roll-back, and older versions are removed. A file lock prevents concurrent changes, so that a
training never removes the model that another one writes.
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
    """Model versions in a directory. `redis` holds the names of the current and the previous version."""

    directory: Path
    redis: Redis

    def in_use(self) -> str | None:
        """Return the version in use, or None.

        Raises:
            PartUnavailable: Redis does not answer.
        """
        return self._read(IN_USE)

    def model(self, version: str) -> Model:
        """Load the model of a version.

        Raises:
            UserError: the version does not exist or is incomplete.
        """
        return load(self.directory / version)

    def publish(self, model: Model, version: str) -> None:
        """Save a model and switch to it. The version that was in use is kept, and older versions are removed.

        Raises:
            PartUnavailable: Redis does not answer.
            UserError: the version exists already.
        """
        with self._lock():
            model.save(self.directory / version)
            previous = self.in_use()
            self._switch(version, previous)
            for old in self.directory.iterdir():
                if old.name not in (version, previous):
                    shutil.rmtree(old, ignore_errors=True)

    def roll_back(self) -> str:
        """Switch to the previous version and return its name. The version in use becomes the previous one.

        Raises:
            UserError: there is no previous version.
            PartUnavailable: Redis does not answer.
        """
        with self._lock():
            previous, current = self._read(PREVIOUS), self.in_use()
            if previous is None or not (self.directory / previous).is_dir():
                raise UserError("there is no model to go back to: `./souk train` publishes one")
            self._switch(previous, current)
            return previous

    def _lock(self) -> AbstractContextManager[None]:
        return file_lock(self.directory.with_name(f"{self.directory.name}.lock"))

    def _switch(self, version: str, previous: str | None) -> None:
        try:
            with self.redis.pipeline(transaction=True) as transaction:
                transaction.set(IN_USE, version)
                if previous is not None:
                    transaction.set(PREVIOUS, previous)
                transaction.execute()
        except RedisError as error:
            raise _redis_unavailable(error) from error

    def _read(self, key: str) -> str | None:
        try:
            value: Any = self.redis.get(key)
        except RedisError as error:
            raise _redis_unavailable(error) from error
        return None if value is None else str(value, "utf-8")


def _redis_unavailable(error: RedisError) -> PartUnavailable:
    return PartUnavailable(f"Redis does not answer ({error}): run `./souk up`")
