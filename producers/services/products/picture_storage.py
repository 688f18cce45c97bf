"""Stores the files of pictures in a folder, or in a bucket of S3, by the digest of their content.

A name always has the same content: saving a picture again changes nothing, and caches keep it for ever.
"""

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from shutil import rmtree
from typing import Protocol

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from common.file_replacement import replace_file
from common.problems import PartProblem, problem
from common.settings import Settings
from producers.services.products.picture_rules import SIZES, WEBP, Size

S3_TIMEOUT = timedelta(seconds=10)
S3_CONNECT_TIMEOUT = timedelta(seconds=2)
S3_RETRIES = 2

PICTURES_UNAVAILABLE = problem(
    503,
    "pictures-unavailable",
    "The pictures are unavailable",
    "The storage of pictures does not answer. Nothing is lost; try again in a moment.",
    retry_after_s=5,
    error=PartProblem,
)


class PictureStorage(Protocol):
    """The files of pictures.

    Every method raises PICTURES_UNAVAILABLE if the storage does not answer, or is full.
    """

    async def save(self, sha256: str, files: Mapping[Size, bytes]) -> None:
        """Save the file of each size. When this returns, a crash of the machine loses none."""

    async def read(self, sha256: str, size: Size) -> bytes | None:
        """Return a file; None if there is none."""

    async def remove(self, sha256: str) -> None:
        """Remove the files of a picture, if there are any."""


def open_storage(settings: Settings) -> PictureStorage:
    """Return the storage that the settings name: the bucket, or else the folder."""
    if not settings.pictures_s3_bucket:
        return FolderStorage(settings.picture_folder)
    return S3Storage(
        S3Store(
            settings.pictures_s3_bucket,
            endpoint=settings.pictures_s3_url.rstrip("/") or None,
            region=settings.pictures_s3_region,
            access_key_id=settings.pictures_s3_access_key or None,
            secret_access_key=settings.pictures_s3_secret_key.get_secret_value() or None,
            client_options={
                "allow_http": settings.pictures_s3_url.startswith("http://"),
                "timeout": S3_TIMEOUT,
                "connect_timeout": S3_CONNECT_TIMEOUT,
            },
            retry_config={"max_retries": S3_RETRIES, "retry_timeout": S3_TIMEOUT},
        )
    )


class FolderStorage:
    """Pictures in a folder, which every process of the service must see: `ab/ab12…/480.webp`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def save(self, sha256: str, files: Mapping[Size, bytes]) -> None:
        """See `PictureStorage`."""
        with _storage_errors():
            await asyncio.to_thread(self._write, sha256, files)

    async def read(self, sha256: str, size: Size) -> bytes | None:
        """See `PictureStorage`."""
        with _storage_errors(), suppress(FileNotFoundError):
            return await asyncio.to_thread((self._of(sha256) / _name(size)).read_bytes)
        return None

    async def remove(self, sha256: str) -> None:
        """See `PictureStorage`."""
        with _storage_errors(), suppress(FileNotFoundError):
            await asyncio.to_thread(rmtree, self._of(sha256))

    def _of(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    def _write(self, sha256: str, files: Mapping[Size, bytes]) -> None:
        folder = self._of(sha256)
        for size, content in files.items():
            replace_file(folder / _name(size), content, syncs=True)
        for each in (folder, folder.parent, self._folder):
            _sync(each)


class S3Storage:
    """Pictures in a bucket of S3, or of a server with its interface."""

    def __init__(self, bucket: S3Store) -> None:
        self._bucket = bucket

    async def save(self, sha256: str, files: Mapping[Size, bytes]) -> None:
        """See `PictureStorage`."""
        attributes = {"Content-Type": WEBP}
        with _storage_errors():
            for size, content in files.items():
                name = f"{sha256}/{_name(size)}"
                await obstore.put_async(
                    self._bucket, name, content, attributes=attributes, use_multipart=False
                )

    async def read(self, sha256: str, size: Size) -> bytes | None:
        """See `PictureStorage`."""
        with _storage_errors(), suppress(FileNotFoundError):
            found = await obstore.get_async(self._bucket, f"{sha256}/{_name(size)}")
            return bytes(await found.bytes_async())
        return None

    async def remove(self, sha256: str) -> None:
        """See `PictureStorage`."""
        with _storage_errors(), suppress(FileNotFoundError):
            await obstore.delete_async(self._bucket, [f"{sha256}/{_name(size)}" for size in SIZES])


def _name(size: Size) -> str:
    return f"{size}.webp"


@contextmanager
def _storage_errors() -> Iterator[None]:
    """Turn what the disk or the bucket raises into PICTURES_UNAVAILABLE."""
    try:
        yield
    except (BaseError, OSError) as error:
        raise PICTURES_UNAVAILABLE() from error


def _sync(folder: Path) -> None:
    """Write the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
