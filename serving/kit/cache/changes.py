"""Records in Redis that something has changed: cached responses that show it are dropped. Synchronous."""

from collections.abc import Collection

from redis import Redis

from serving.kit.cache.keys import FLOOR, SEQUENCE, WATCHED, WATCHER, tag_key
from serving.kit.cache.store import MAX_AGE_MS, SETTLING_MS, script

MAX_TAGS = 500
"""With more tags at once, everything is dropped in one write. Most entries have one of these tags anyway."""

WATCHER_TTL_MS = 3_000
"""After this time without `keep_watching`, another process may become the watcher."""

_TAG_TTL_MS = MAX_AGE_MS + SETTLING_MS
"""A tag is needed until the last entry has expired that was computed before its change."""


class ChangeLog:
    """The newest change of each tag. Its methods raise `redis.RedisError` if Redis does not answer."""

    def __init__(self, redis: Redis) -> None:
        self._change = redis.register_script(script("change"))
        self._watch = redis.register_script(script("watch"))

    def record(self, tags: Collection[str]) -> None:
        """Drop the entries that have one of these tags; with more than `MAX_TAGS` tags, all entries."""
        if len(tags) > MAX_TAGS:
            self.drop_everything()
        elif tags:
            self._change(keys=(SEQUENCE, FLOOR), args=(tag_key(""), _TAG_TTL_MS, *tags))

    def drop_everything(self) -> None:
        """Drop all entries."""
        self._change(keys=(SEQUENCE, FLOOR), args=(tag_key(""), _TAG_TTL_MS))

    def keep_watching(self, token: str, up_to_date: bool) -> bool:
        """Become or stay the watcher: the one process that reads the events. Return whether that succeeded.

        `up_to_date` is whether all changes have been recorded. Unless the watcher says so every
        `WATCHER_TTL_MS`, entries are used for a short time only.
        """
        return bool(self._watch(keys=(WATCHER, WATCHED), args=(token, WATCHER_TTL_MS, int(up_to_date))))
