"""Reads which version of the model Redis names as live, and goes back to the version before."""

from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import WatchError

from common.problems import Problem
from schemas.published_model.keys import IN_USE, PREVIOUS, ROLLED_BACK, STATE
from schemas.published_model.roll_back import RollBack
from serving.kit.redis_client import run_redis

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
