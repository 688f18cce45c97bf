"""Renders the pictures that wait, and removes those that no listing shows."""

import asyncio
from datetime import datetime, timedelta

import structlog

from common.clock import Clock
from common.metrics import UNEXPECTED_ERRORS
from common.problems import PartProblem
from common.settings import Settings
from producers.kit.http.public_hosts import IsAllowed, is_any, is_public
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.kit.polling import poll, run_isolated
from producers.services.products import picture_store
from producers.services.products.model import NAME
from producers.services.products.picture_download import NotReachable, download
from producers.services.products.picture_rules import PictureRefused, Reason, Rendered
from producers.services.products.picture_storage import PictureStorage, open_storage
from producers.services.products.picture_store import DuePicture
from producers.services.products.rendering import render_confined

log = structlog.get_logger()

WORKER = "pictures"

INTERVAL_S = 1.0
AT_ONCE = 8
"""Pictures that are downloaded at the same time. One at a time is rendered."""

LEASE = timedelta(minutes=10)
"""Longer than `AT_ONCE` pictures take at most."""

WAITS = tuple(timedelta(seconds=s) for s in (10, 60, 600))
"""The times between the attempts to reach a server. After the last one, the picture is refused."""

STORAGE_WAIT = timedelta(seconds=30)
MAX_ATTEMPTS = 20
"""A picture that was begun so often ends the process, and is refused."""

REMOVAL_INTERVAL_S = 3600.0
REMOVED_AT_ONCE = 50
SEEN_EVERY = timedelta(days=7)
UNUSED_AGE = timedelta(days=14)
"""So a picture is removed between one and two weeks after its last listing has dropped it."""

FILES_AGE = timedelta(hours=1)
"""Files that were saved later stay. Saving takes less: none is removed just before it gets a picture."""


async def run_pictures(transactions: Transactions, settings: Settings) -> None:
    """Render the pictures that wait, until cancelled."""
    UNEXPECTED_ERRORS.labels(NAME, WORKER)  # creates the series with 0, which the alert needs
    is_allowed = is_any if settings.pictures_from_internal_hosts else is_public
    pictures = Pictures(transactions, open_storage(settings), is_allowed)
    await poll(f"{NAME} {WORKER}", INTERVAL_S, pictures.render_due, settings.stop_timeout_s, drains=True)


async def run_picture_removal(transactions: Transactions, settings: Settings) -> None:
    """Remove the pictures that no listing shows, until cancelled."""
    pictures = Pictures(transactions, open_storage(settings))
    await poll(f"{NAME} picture removal", REMOVAL_INTERVAL_S, pictures.remove_unused)


class Pictures:
    """Renders and removes pictures. `is_allowed` says which addresses a picture may come from."""

    def __init__(
        self, transactions: Transactions, storage: PictureStorage, is_allowed: IsAllowed = is_public
    ) -> None:
        self._transactions = transactions
        self._storage = storage
        self._is_allowed = is_allowed
        self._rendering = asyncio.Lock()

    @property
    def _clock(self) -> Clock:
        return self._transactions.clock

    async def render_due(self) -> int:
        """Render a few pictures that wait, those of each seller in turn, and return their number.

        Raises:
            one of `producers.kit.postgres.errors.RETRYABLE`: PostgreSQL is unavailable.
        """
        async with self._transactions.connection() as sql:
            due = await picture_store.claim_pictures(sql, self._clock(), LEASE, AT_ONCE)
        await run_isolated(NAME, WORKER, [self._render(picture) for picture in due])
        return len(due)

    async def _render(self, picture: DuePicture) -> None:
        try:
            if picture.attempts > MAX_ATTEMPTS:
                raise PictureRefused("too_costly")
            content, kind = await self._content_of(picture)
            async with self._rendering:
                rendered = await render_confined(content, kind)
        except PictureRefused as refused:
            await self._refuse(picture, refused.reason)
        except NotReachable:
            if picture.attempts > len(WAITS):
                await self._refuse(picture, "not_reachable")
            else:
                await self._postpone(picture, WAITS[picture.attempts - 1], picture.attempts)
        else:
            await self._save(picture, rendered)

    async def _content_of(self, picture: DuePicture) -> tuple[bytes, str | None]:
        """Return the file of a picture, and its type if that is known. Raises: as `download`."""
        if picture.url is not None:
            return await download(picture.url, self._is_allowed)
        async with self._transactions.connection() as sql:
            return await picture_store.find_sent_file(sql, picture.picture_id) or b"", picture.media_type

    async def _save(self, picture: DuePicture, rendered: Rendered) -> None:
        sha256, now = rendered.sha256, self._clock()
        try:
            async with self._transactions.connection() as sql:
                # Committed first: what is saved is known then, even if the rest stops halfway.
                await picture_store.lock_files(sql, sha256, rendered, now)
            async with self._transactions.begin(Trace.start(picture.picture_id, None)) as tx:
                await picture_store.lock_files(tx, sha256, rendered, now)
                await self._storage.save(sha256, rendered.files)
                await picture_store.end_ready(tx, picture.picture_id, sha256)
        except PartProblem:
            await self._postpone(picture, STORAGE_WAIT, picture.attempts - 1)

    async def _refuse(self, picture: DuePicture, reason: Reason) -> None:
        async with self._transactions.connection() as sql:
            await picture_store.end_refused(sql, picture.picture_id, reason)

    async def _postpone(self, picture: DuePicture, wait: timedelta, attempts: int) -> None:
        async with self._transactions.connection() as sql:
            await picture_store.postpone(sql, picture.picture_id, self._clock() + wait, attempts)

    async def remove_unused(self) -> int:
        """Remove the pictures that no listing shows, and return how many were removed from the storage.

        While the storage does not answer, the next call goes on.

        Raises:
            one of `producers.kit.postgres.errors.RETRYABLE`: PostgreSQL is unavailable.
        """
        now = self._clock()
        async with self._transactions.connection() as sql:
            await picture_store.see_used(sql, now, now - SEEN_EVERY)
            await picture_store.delete_unused(sql, now - UNUSED_AGE)
        removed, done = 0, REMOVED_AT_ONCE
        while done == REMOVED_AT_ONCE:
            done = await self._remove_files(now - FILES_AGE)
            removed += done
        return removed

    async def _remove_files(self, before: datetime) -> int:
        try:
            async with self._transactions.begin(Trace.start(NAME, None)) as tx:
                unneeded = await picture_store.claim_unneeded_files(tx, before, REMOVED_AT_ONCE)
                for sha256 in unneeded:
                    await self._storage.remove(sha256)
                await picture_store.forget_files(tx, unneeded)
        except PartProblem as error:
            log.warning("unused pictures are not removed yet", error=str(error))
            return 0
        return len(unneeded)
