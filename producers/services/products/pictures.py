"""Pictures of products: sellers send them, a worker checks and renders them, and everyone sees them.

Rendering and downloading run beside the requests. A picture is stored by the digest of its content, and many
listings may show it. One that no listing has shown for some time is removed.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Path, Request
from pydantic import StringConstraints, TypeAdapter
from starlette.responses import Response

from common.access_policy import anyone
from common.clock import Clock
from common.content_type import has_json_content_type, media_type
from common.guarded_route import policy
from common.ids import Uuid, new_id
from common.metrics import UNEXPECTED_ERRORS
from common.openapi import Responses, openapi_problem
from common.problems import PartProblem, problem
from common.settings import Settings
from producers.kit.http.endpoint import context, parse_body, transaction, transactions
from producers.kit.http.problems import require
from producers.kit.http.public_hosts import IsAllowed, UrlRefused, is_any, is_public
from producers.kit.http.routes import JsonBody, PublicRoute, SellerPath
from producers.kit.http.strict_request import StrictRequest
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transaction, Transactions
from producers.kit.polling import poll, run_isolated
from producers.kit.postgres.statements import statement
from producers.services.products.model import LIST, NAME, READ
from producers.services.products.picture_download import (
    EXAMPLE_URL,
    MAX_URL_LENGTH,
    NotReachable,
    download,
    parse_picture_url,
)
from producers.services.products.picture_rules import (
    FORMATS,
    MAX_BYTES,
    REASONS,
    WEBP,
    PictureRefused,
    Reason,
    Rendered,
    Size,
)
from producers.services.products.picture_storage import PictureStorage, open_storage
from producers.services.products.rendering import render_confined

log = structlog.get_logger()

WORKER = "pictures"

MAX_WAITING = 500
MAX_WAITING_BYTES = 256 << 20
"""How many pictures of a seller may wait, and how large the files among them may be together."""

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

REFUSED_AGE = timedelta(days=30)

FOR_EVER = "public, max-age=31536000, immutable"
"""The `Cache-Control` of a picture: another content would have another address."""

NOT_A_PICTURE_TYPE = problem(
    415,
    "not-a-picture-type",
    "The body is no picture",
    f"Send a file of the type {', '.join(FORMATS)} with its `Content-Type`, or JSON with the URL of one. "
    "Nothing was saved.",
)
EMPTY_PICTURE = problem(
    422, "empty-picture", "The file is empty", "Send the bytes of the picture as the body. Nothing was saved."
)
BAD_PICTURE_URL = problem(422, "bad-picture-url", "The URL can't be used", "{refused} Nothing was saved.")
TOO_MANY_PICTURES = problem(
    429,
    "too-many-pictures",
    "Too many pictures wait",
    f"At most {MAX_WAITING} pictures of a seller, or {MAX_WAITING_BYTES >> 20} MB, may wait. Send the next "
    "one in a minute. Nothing was saved.",
    retry_after_s=60,
)
UNKNOWN_SENT_PICTURE = problem(
    404,
    "unknown-picture",
    "Unknown picture",
    "Seller {seller_id} has sent no picture {picture_id}, or it was removed. Send it again.",
)
UNKNOWN_PICTURES = problem(
    404,
    "unknown-picture",
    "Unknown picture",
    "Seller {seller_id} has no picture {sha256}. Send it to POST /v1/sellers/{seller_id}/pictures, and use "
    "its `sha256` once it is ready. Nothing was saved.",
)
UNKNOWN_PICTURE = problem(
    404, "unknown-picture", "Unknown picture", "There is no picture at this address, or it was removed."
)

Status = Literal["waiting", "ready", "refused"]

Sha256Path = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{64}$"),
    Path(description="The picture's `sha256`.", examples=["ab" * 32]),
]
SizePath = Annotated[Size, Path(description="The longer side in pixels, at most.")]
PictureId = Annotated[
    Uuid, Path(description="The `picture_id` of the response to the picture that was sent.")
]

NOT_SENT = openapi_problem(415, "The `Content-Type` is neither that of a picture nor `application/json`.") | (
    openapi_problem(429, "Too many pictures wait, or the sender exceeds its limit; see `Retry-After`.")
)
NOT_FOUND = openapi_problem(404, "There is no such picture.")
PICTURE_FILE: Responses = {200: {"description": "The picture.", "content": {WEBP: {}}}, **NOT_FOUND}
_FILE = {"schema": {"type": "string", "format": "binary"}}


class PictureRequest(StrictRequest):
    """A picture at a URL, which the platform downloads."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=MAX_URL_LENGTH)]


@dataclass(frozen=True, slots=True)
class SentPicture:
    """A picture as it was sent: a file and the type that it shall have, or a URL."""

    url: str | None = None
    media_type: str | None = None
    content: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureStatus:
    """A picture that a seller has sent. `sha256` is its name once it is `ready`, and is what listings have.

    `detail` says for one that was refused what to do; `reason` is its code.
    """

    picture_id: str
    status: Status
    submitted_at: datetime
    reason: Reason | None = None
    detail: str | None = None
    sha256: str | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class DuePicture:
    """A picture to render now. `attempts` counts this one, too."""

    picture_id: str
    url: str | None
    media_type: str | None
    attempts: int


async def _read_picture(request: Request, model: TypeAdapter[Any]) -> SentPicture:
    """Return the picture of a body.

    Raises:
        NOT_A_PICTURE_TYPE, EMPTY_PICTURE: it is none.
        BadBody, BAD_PICTURE_URL: the JSON names no URL that can be used.
    """
    kind = media_type(request.headers)
    if kind in FORMATS:
        content = await request.body()
        require(bool(content), EMPTY_PICTURE())
        return SentPicture(media_type=kind, content=content)
    if not has_json_content_type(request.headers):
        raise NOT_A_PICTURE_TYPE()
    body: PictureRequest = await parse_body(request, model)
    try:
        return SentPicture(url=str(parse_picture_url(body.url)))
    except UrlRefused as refused:
        raise BAD_PICTURE_URL(refused=refused) from refused


router = APIRouter(prefix="/v1", tags=["listings"], route_class=PublicRoute)


@router.post("/sellers/{seller_id}/pictures", summary="Send a picture", status_code=202, responses=NOT_SENT)
@policy(LIST)
async def send_picture(
    request: Request,
    seller_id: SellerPath,
    picture: Annotated[
        SentPicture,
        JsonBody(
            {"url": EXAMPLE_URL},
            limit=MAX_BYTES,
            read=_read_picture,
            model=PictureRequest,
            other=dict.fromkeys(FORMATS, _FILE),
        ),
    ],
) -> PictureStatus:
    """Send a picture for listings: the bytes of the file, or JSON with its URL.

    It is checked and rendered later: `GET …/pictures/{picture_id}` says when it is ready. Transparency stays;
    of an animation, the first image is shown; place, camera and other metadata are removed.
    """
    picture_id = new_id()
    async with transaction(request, NAME, picture_id) as tx:
        await _lock_pictures(tx, seller_id)
        waiting = await _count_waiting(tx, seller_id)
        size = waiting["bytes"] + len(picture.content or b"")
        require(waiting["pictures"] < MAX_WAITING and size <= MAX_WAITING_BYTES, TOO_MANY_PICTURES())
        await _save_picture(tx, seller_id, picture_id, picture)
        if picture.content is not None:
            await _save_sent_file(tx, picture_id, picture.content)
    return PictureStatus(picture_id=picture_id, status="waiting", submitted_at=tx.now)


@router.get(
    "/sellers/{seller_id}/pictures/{picture_id}", summary="Whether a picture is ready", responses=NOT_FOUND
)
@policy(READ)
async def picture_status(request: Request, seller_id: SellerPath, picture_id: PictureId) -> PictureStatus:
    """Return what became of a picture: `waiting`, `ready` with its `sha256`, or `refused` with the reason."""
    async with transactions(request, NAME).connection() as sql:
        found = await _find_picture(sql, seller_id, picture_id)
    row = require(found, UNKNOWN_SENT_PICTURE(seller_id=seller_id, picture_id=picture_id))
    return PictureStatus(**row, detail=REASONS[row["reason"]] if row["reason"] else None)


@router.get("/pictures/{sha256}/{size}", summary="A picture", response_class=Response, responses=PICTURE_FILE)
@policy(anyone("read"))
async def picture_file(request: Request, sha256: Sha256Path, size: SizePath) -> Response:
    """Return a picture in a size: its longer side has so many pixels at most."""
    storage: PictureStorage = context(request, NAME)
    content = require(await storage.read(sha256, size), UNKNOWN_PICTURE())
    headers = {"Cache-Control": FOR_EVER, "X-Content-Type-Options": "nosniff"}
    return Response(content, headers=headers, media_type=WEBP)


async def known(sql: Any, seller_id: str, hashes: Sequence[str]) -> set[str]:
    """Return which of these pictures a seller has sent, and keep them from being removed.

    Call it in the transaction that saves a listing with them.
    """
    return set(await _use_pictures(sql, seller_id, hashes))


async def check_pictures(
    tx: Transaction, seller_id: str, hashes: Sequence[str], before: Sequence[str] = ()
) -> None:
    """Check that a seller may show pictures in a listing, which had those of `before`.

    Raises:
        UNKNOWN_PICTURES: the seller has not sent one of them.
    """
    unknown = set(hashes).difference(before, await known(tx, seller_id, hashes) if hashes else ())
    require(not unknown, UNKNOWN_PICTURES(seller_id=seller_id, sha256=min(unknown, default="")))


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
            due = await _claim_pictures(sql, self._clock(), LEASE, AT_ONCE)
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
            return await _find_sent_file(sql, picture.picture_id) or b"", picture.media_type

    async def _save(self, picture: DuePicture, rendered: Rendered) -> None:
        sha256, now = rendered.sha256, self._clock()
        try:
            async with self._transactions.connection() as sql:
                await _lock_files(sql, sha256, rendered, now)  # known, even if what follows stops halfway
            async with self._transactions.begin(Trace.start(picture.picture_id, None)) as tx:
                await _lock_files(tx, sha256, rendered, now)
                await self._storage.save(sha256, rendered.files)
                await _end_ready(tx, picture.picture_id, sha256)
        except PartProblem:
            await self._postpone(picture, STORAGE_WAIT, picture.attempts - 1)

    async def _refuse(self, picture: DuePicture, reason: Reason) -> None:
        async with self._transactions.connection() as sql:
            await _end_refused(sql, picture.picture_id, reason)

    async def _postpone(self, picture: DuePicture, wait: timedelta, attempts: int) -> None:
        async with self._transactions.connection() as sql:
            await _postpone(sql, picture.picture_id, self._clock() + wait, attempts)

    async def remove_unused(self) -> int:
        """Remove the pictures that no listing shows, and return how many were removed from the storage.

        While the storage does not answer, the next call goes on.

        Raises:
            one of `producers.kit.postgres.errors.RETRYABLE`: PostgreSQL is unavailable.
        """
        now = self._clock()
        async with self._transactions.connection() as sql:
            await _see_used(sql, now, now - SEEN_EVERY)
            await _delete_unused(sql, now - UNUSED_AGE)
        removed, done = 0, REMOVED_AT_ONCE
        while done == REMOVED_AT_ONCE:
            done = await self._remove_files(now - FILES_AGE)
            removed += done
        return removed

    async def _remove_files(self, before: datetime) -> int:
        try:
            async with self._transactions.begin(Trace.start(NAME, None)) as tx:
                unneeded = await _claim_unneeded_files(tx, before, REMOVED_AT_ONCE)
                for sha256 in unneeded:
                    await self._storage.remove(sha256)
                await _forget_files(tx, unneeded)
        except PartProblem as error:
            log.warning("unused pictures are not removed yet", error=str(error))
            return 0
        return len(unneeded)


@statement("SELECT pg_advisory_xact_lock(hashtextextended($seller_id::text, 2))")
async def _lock_pictures(tx: Transaction, seller_id: str) -> None:
    """Wait for other transactions that add pictures of a seller."""


@statement("""
    SELECT count(*)::integer AS pictures, coalesce(sum(octet_length(content)), 0)::bigint AS bytes
    FROM pictures LEFT JOIN sent_files USING (picture_id)
    WHERE seller_id = $seller_id::text AND status = 'waiting'
""")
async def _count_waiting(tx: Transaction, seller_id: str) -> dict[str, Any]:
    """Return the number of `pictures` of a seller that wait, and the `bytes` of their files."""


@statement("""
    INSERT INTO pictures (picture_id, seller_id, url, media_type, status, submitted_at, due_at, used_at)
    VALUES (
        $picture_id::text, $seller_id::text, $picture.url::text, $picture.media_type::text, 'waiting',
        $tx.now::timestamptz, $tx.now, $tx.now
    )
""")
async def _save_picture(tx: Transaction, seller_id: str, picture_id: str, picture: SentPicture) -> None:
    """Save a picture that waits."""


@statement("INSERT INTO sent_files (picture_id, content) VALUES ($picture_id::text, $content::bytea)")
async def _save_sent_file(tx: Transaction, picture_id: str, content: bytes) -> None:
    """Save the file of a picture that waits."""


@statement("""
    SELECT picture_id, status, submitted_at, reason, sha256, width, height
    FROM pictures LEFT JOIN picture_files USING (sha256)
    WHERE picture_id = $picture_id::text AND seller_id = $seller_id::text
""")
async def _find_picture(sql: Any, seller_id: str, picture_id: str) -> dict[str, Any] | None:
    """Return the fields of a `PictureStatus`."""


@statement("""
    WITH waiting AS (
        SELECT
            picture_id,
            row_number() OVER (PARTITION BY seller_id ORDER BY submitted_at, picture_id) AS place
        FROM pictures
        WHERE status = 'waiting' AND due_at <= $now::timestamptz
    ), due AS (
        SELECT picture_id
        FROM pictures JOIN waiting USING (picture_id)
        WHERE status = 'waiting' AND due_at <= $now
        ORDER BY place, submitted_at
        LIMIT $limit::integer
        FOR UPDATE OF pictures SKIP LOCKED
    )
    UPDATE pictures
    SET due_at = $now + $lease::interval, attempts = attempts + 1
    FROM due
    WHERE pictures.picture_id = due.picture_id
    RETURNING pictures.picture_id, url, media_type, attempts
""")
async def _claim_pictures(sql: Any, now: datetime, lease: timedelta, limit: int) -> list[DuePicture]:
    """Return pictures that wait: the first one of each seller, then the second ones, and so on.

    Nobody else gets them until `lease` has passed.
    """


@statement("SELECT content FROM sent_files WHERE picture_id = $picture_id::text")
async def _find_sent_file(sql: Any, picture_id: str) -> bytes | None:
    """Return the file of a picture that waits."""


@statement("""
    INSERT INTO picture_files (sha256, width, height, saved_at)
    VALUES ($sha256::text, $rendered.width::integer, $rendered.height::integer, $now::timestamptz)
    ON CONFLICT (sha256) DO UPDATE SET saved_at = excluded.saved_at
""")
async def _lock_files(sql: Any, sha256: str, rendered: Rendered, now: datetime) -> None:
    """Record that the storage may have files of a picture, and keep them from being removed."""


@statement("""
    WITH sent AS (DELETE FROM sent_files WHERE picture_id = $picture_id::text)
    UPDATE pictures SET status = 'ready', sha256 = $sha256::text, used_at = $tx.now::timestamptz
    WHERE picture_id = $picture_id::text AND status = 'waiting'
""")
async def _end_ready(tx: Transaction, picture_id: str, sha256: str) -> None:
    """Record that a picture is stored, and drop the file that was sent."""


@statement("""
    WITH sent AS (DELETE FROM sent_files WHERE picture_id = $picture_id::text)
    UPDATE pictures SET status = 'refused', reason = $reason::text
    WHERE picture_id = $picture_id::text AND status = 'waiting'
""")
async def _end_refused(sql: Any, picture_id: str, reason: str) -> None:
    """Record why a picture can't be used, and drop the file that was sent."""


@statement("""
    UPDATE pictures SET due_at = $due_at::timestamptz, attempts = $attempts::integer
    WHERE picture_id = $picture_id::text AND status = 'waiting'
""")
async def _postpone(sql: Any, picture_id: str, due_at: datetime, attempts: int) -> None:
    """Let a picture wait until it is tried again."""


@statement("""
    WITH found AS (
        SELECT picture_id FROM pictures
        WHERE status = 'ready' AND seller_id = $seller_id::text AND sha256 = ANY($hashes::text[])
        ORDER BY picture_id
        FOR UPDATE
    )
    UPDATE pictures SET used_at = now() FROM found WHERE pictures.picture_id = found.picture_id
    RETURNING sha256
""")
async def _use_pictures(sql: Any, seller_id: str, hashes: Sequence[str]) -> frozenset[str]:
    """Record that a listing shows pictures of a seller, and return those that there are.

    A removal that waits for the lock sees the new time, and leaves them.
    """


@statement("""
    UPDATE pictures SET used_at = $now::timestamptz
    WHERE status = 'ready' AND used_at < $before::timestamptz
        AND EXISTS (SELECT FROM listings WHERE listings.pictures ? pictures.sha256)
""")
async def _see_used(sql: Any, now: datetime, before: datetime) -> None:
    """Record that listings show pictures, of those that were not seen since a time."""


@statement("""
    DELETE FROM pictures
    WHERE status = 'ready' AND used_at < $before::timestamptz
        AND NOT EXISTS (SELECT FROM listings WHERE listings.pictures ? pictures.sha256)
""")
async def _delete_unused(sql: Any, before: datetime) -> None:
    """Delete the pictures that no listing shows, and that were not seen since a time."""


@statement("""
    SELECT sha256 FROM picture_files
    WHERE saved_at < $before::timestamptz AND NOT EXISTS (
        SELECT FROM pictures WHERE pictures.sha256 = picture_files.sha256 AND status = 'ready'
    )
    ORDER BY sha256
    LIMIT $limit::integer
    FOR UPDATE SKIP LOCKED
""")
async def _claim_unneeded_files(tx: Transaction, before: datetime, limit: int) -> list[str]:
    """Lock and return the names of files that no picture has, and that were last saved before a time.

    PostgreSQL checks a row that has changed since it began again: that of a file that just got a picture.
    """


@statement("DELETE FROM picture_files WHERE sha256 = ANY($hashes::text[])")
async def _forget_files(tx: Transaction, hashes: Sequence[str]) -> None:
    """Record that the storage has no files of these pictures."""


PRUNE_REFUSED = """
DELETE FROM pictures
WHERE picture_id IN (
    SELECT picture_id FROM pictures
    WHERE status = 'refused' AND used_at < now() - $1::interval
    LIMIT $2::integer
)
"""
"""Deletes pictures that were refused `REFUSED_AGE` ago: sent then, as `used_at` says."""
