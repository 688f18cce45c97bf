"""Stores versions of trained models: whole in directories, and as neighbours of products in Redis.

A version is complete in both before the hash `recommender` in Redis names it, so its readers always find a
model. The previous version is kept for a roll-back, and older versions are removed. A file lock prevents
concurrent changes, so that a training never removes the model that another one writes.
"""

import shutil
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from redis import Redis

from common.errors import PartUnavailable, UserError
from common.file_lock import file_lock
from recommenders.base import Model
from recommenders.compact import CompactModel
from recommenders.registry import load
from recommenders.training.neighbour_rows import ServedModel
from recommenders.training.publication import Publications
from schemas.published_model.keys import IN_USE, PREVIOUS


@dataclass(frozen=True)
class ModelRegistry:
    """Model versions in a directory and in Redis, which names the current and the previous version."""

    directory: Path
    redis: Redis

    def in_use(self) -> str | None:
        """Return the version in use, or None.

        Raises:
            PartUnavailable: Redis does not answer.
        """
        return self._publications.named(IN_USE)

    def model(self, version: str) -> Model:
        """Load the model of a version.

        Raises:
            UserError: the version does not exist or is incomplete.
        """
        return load(self.directory / version)

    def publish(
        self, model: Model, version: str, trained_at: datetime, content: CompactModel | None = None
    ) -> None:
        """Save a model, write its neighbours into Redis, and switch to it.

        The version that was in use is kept, and older versions are removed, also what an interrupted
        publication has left. `content` has the neighbours by name and category, for products without events.

        Raises:
            PartUnavailable: Redis does not answer, or is full.
            UserError: the version exists already, or would take too much of Redis' memory.
        """
        with self._lock():
            self._publications.remove_all_but((self.in_use(), self._publications.named(PREVIOUS)))
            model.save(self.directory / version)
            try:
                self._publications.write(ServedModel.of(model, content), version, trained_at)
                previous = self._publications.replace_in_use(version)
            except BaseException:
                self._discard(version)
                raise
            self._publications.remove_all_but((version, previous))
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
            previous, current = self._publications.named(PREVIOUS), self.in_use()
            if previous is None or not self._publications.has(previous):
                raise UserError("there is no model to go back to: `./souk train` publishes one")
            self._publications.switch(previous, current)
            return previous

    def _discard(self, version: str) -> None:
        """Remove a version that could not be published, unless Redis names it after all."""
        with suppress(PartUnavailable):  # the next publication removes the keys
            if self.in_use() == version:
                return
            self._publications.remove(version)
        shutil.rmtree(self.directory / version, ignore_errors=True)

    @property
    def _publications(self) -> Publications:
        return Publications(self.redis)

    def _lock(self) -> AbstractContextManager[None]:
        return file_lock(self.directory.with_name(f"{self.directory.name}.lock"))
