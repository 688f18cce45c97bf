"""Reads and writes what sellers have sent, and which pictures the storage has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
from producers.services.products.picture_rules import Rendered

REFUSED_AGE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class SentPicture:
    """A picture as it was sent: a file and the type that it shall have, or a URL."""

    url: str | None = None
    media_type: str | None = None
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class DuePicture:
    """A picture to render now. `attempts` counts this one, too."""

    picture_id: str
    url: str | None
    media_type: str | None
    attempts: int


@statement("""
    SELECT count(*)::integer AS pictures, coalesce(sum(octet_length(content)), 0)::bigint AS bytes
    FROM pictures LEFT JOIN sent_files USING (picture_id)
    WHERE seller_id = $seller_id::text AND status = 'waiting'
""")
async def count_waiting(tx: Transaction, seller_id: str) -> dict[str, Any]:
    """Return the number of `pictures` of a seller that wait, and the `bytes` of their files."""


@statement("""
    WITH sent AS (
        INSERT INTO sent_files (picture_id, content)
        SELECT $picture_id::text, $picture.content::bytea WHERE $picture.content IS NOT NULL
    )
    INSERT INTO pictures (picture_id, seller_id, url, media_type, status, submitted_at, due_at, used_at)
    VALUES (
        $picture_id::text, $seller_id::text, $picture.url::text, $picture.media_type::text, 'waiting',
        $tx.now::timestamptz, $tx.now, $tx.now
    )
""")
async def save_picture(tx: Transaction, seller_id: str, picture_id: str, picture: SentPicture) -> None:
    """Save a picture that waits, and its file if one was sent."""


@statement("""
    SELECT picture_id, status, submitted_at, reason, sha256, width, height
    FROM pictures LEFT JOIN picture_files USING (sha256)
    WHERE picture_id = $picture_id::text AND seller_id = $seller_id::text
""")
async def find_picture(sql: Any, seller_id: str, picture_id: str) -> dict[str, Any] | None:
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
async def claim_pictures(sql: Any, now: datetime, lease: timedelta, limit: int) -> list[DuePicture]:
    """Return pictures that wait: the first one of each seller, then the second ones, and so on.

    Nobody else gets them until `lease` has passed.
    """


@statement("SELECT content FROM sent_files WHERE picture_id = $picture_id::text")
async def find_sent_file(sql: Any, picture_id: str) -> bytes | None:
    """Return the file of a picture that waits."""


@statement("""
    INSERT INTO picture_files (sha256, width, height, saved_at)
    VALUES ($sha256::text, $rendered.width::integer, $rendered.height::integer, $now::timestamptz)
    ON CONFLICT (sha256) DO UPDATE SET saved_at = excluded.saved_at
""")
async def lock_files(sql: Any, sha256: str, rendered: Rendered, now: datetime) -> None:
    """Record that the storage may have files of a picture, and keep them from being removed."""


@statement("""
    WITH sent AS (DELETE FROM sent_files WHERE picture_id = $picture_id::text)
    UPDATE pictures SET status = 'ready', sha256 = $sha256::text, used_at = $tx.now::timestamptz
    WHERE picture_id = $picture_id::text AND status = 'waiting'
""")
async def end_ready(tx: Transaction, picture_id: str, sha256: str) -> None:
    """Record that a picture is stored, and drop the file that was sent."""


@statement("""
    WITH sent AS (DELETE FROM sent_files WHERE picture_id = $picture_id::text)
    UPDATE pictures SET status = 'refused', reason = $reason::text
    WHERE picture_id = $picture_id::text AND status = 'waiting'
""")
async def end_refused(sql: Any, picture_id: str, reason: str) -> None:
    """Record why a picture can't be used, and drop the file that was sent."""


@statement("""
    UPDATE pictures SET due_at = $due_at::timestamptz, attempts = $attempts::integer
    WHERE picture_id = $picture_id::text AND status = 'waiting'
""")
async def postpone(sql: Any, picture_id: str, due_at: datetime, attempts: int) -> None:
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
async def use_pictures(sql: Any, seller_id: str, hashes: Sequence[str]) -> frozenset[str]:
    """Record that a listing shows pictures of a seller, and return those that there are.

    Call it in the transaction that saves the listing: a removal that waits for the lock sees the new time,
    and leaves them.
    """


@statement("""
    UPDATE pictures SET used_at = $now::timestamptz
    WHERE status = 'ready' AND used_at < $before::timestamptz
        AND EXISTS (SELECT FROM listings WHERE listings.pictures ? pictures.sha256)
""")
async def see_used(sql: Any, now: datetime, before: datetime) -> None:
    """Record that listings show pictures, of those that were not seen since a time."""


@statement("""
    DELETE FROM pictures
    WHERE status = 'ready' AND used_at < $before::timestamptz
        AND NOT EXISTS (SELECT FROM listings WHERE listings.pictures ? pictures.sha256)
""")
async def delete_unused(sql: Any, before: datetime) -> None:
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
async def claim_unneeded_files(tx: Transaction, before: datetime, limit: int) -> list[str]:
    """Lock and return the names of files that no picture has, and that were last saved before a time.

    PostgreSQL checks a row that has changed since it began again: that of a file that just got a picture.
    """


@statement("DELETE FROM picture_files WHERE sha256 = ANY($hashes::text[])")
async def forget_files(tx: Transaction, hashes: Sequence[str]) -> None:
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
