"""Pictures in a folder and in S3: both do the same."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from common.settings import LOOPBACK, PORTS, Settings
from producers.services.products.picture_rules import SIZES
from producers.services.products.picture_storage import PICTURES_UNAVAILABLE, PictureStorage, open_storage
from tests.integration.servers import await_true
from tests.ports import free_offset

ONE, OTHER = "ab" * 32, "ab" * 31 + "cd"
FILES = {size: f"picture {size}".encode() * 1000 for size in SIZES}
BUCKET = "pictures"


@contextmanager
def s3_server(port: int) -> Iterator[str]:
    """A server with the interface of S3 and an empty bucket; yields its URL."""
    command = [sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://{LOOPBACK}:{port}"

    def has_bucket() -> bool:
        try:
            return httpx.put(f"{url}/{BUCKET}", trust_env=False).is_success
        except httpx.TransportError:
            return False

    try:
        await_true(has_bucket)
        yield url
    finally:
        server.kill()
        server.wait()


def settings_of_s3(url: str, home: Path, bucket: str = BUCKET) -> Settings:
    return Settings(
        home=home,
        pictures_s3_bucket=bucket,
        pictures_s3_url=url,
        pictures_s3_access_key="key",
        pictures_s3_secret_key="secret",  # type: ignore[arg-type]
    )


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PictureStorage]:
    if request.param == "folder":
        yield open_storage(Settings(home=tmp_path))
        return
    with s3_server(PORTS["serving"] + free_offset()) as url:
        yield open_storage(settings_of_s3(url, tmp_path))


def test_a_storage_gives_back_what_was_saved_until_it_is_removed(storage: PictureStorage) -> None:
    async def run() -> None:
        assert await storage.read(ONE, "480") is None
        await storage.save(ONE, FILES)
        await storage.save(OTHER, {"480": b"another"})

        assert {size: await storage.read(ONE, size) for size in SIZES} == FILES
        assert await storage.read(OTHER, "480") == b"another"
        assert await storage.read(OTHER, "160") is None

        await storage.save(ONE, FILES)  # again, as after a crash
        assert await storage.read(ONE, "2000") == FILES["2000"]

        await storage.remove(ONE)
        await storage.remove(ONE)
        assert [await storage.read(ONE, size) for size in SIZES] == [None] * 4
        assert await storage.read(OTHER, "480") == b"another"

    asyncio.run(run())


def test_many_files_are_saved_and_read_at_the_same_time(storage: PictureStorage) -> None:
    names = [f"{number:064x}" for number in range(20)]

    async def run() -> None:
        await asyncio.gather(*(storage.save(name, {"480": name.encode()}) for name in names))
        read = await asyncio.gather(*(storage.read(name, "480") for name in names))
        assert read == [name.encode() for name in names]

    asyncio.run(run())


def unavailable(storage: PictureStorage) -> None:
    """Check that every method says that the storage does not answer."""

    async def run() -> None:
        for attempt in (storage.save(ONE, FILES), storage.read(ONE, "480"), storage.remove(ONE)):
            with pytest.raises(type(PICTURES_UNAVAILABLE())):
                await attempt

    asyncio.run(run())


def test_a_folder_that_is_none_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "pictures").write_text("a file")

    unavailable(open_storage(Settings(home=tmp_path)))


def test_a_server_that_does_not_answer_is_unavailable(tmp_path: Path) -> None:
    unavailable(
        open_storage(settings_of_s3(f"http://{LOOPBACK}:{PORTS['serving'] + free_offset()}", tmp_path))
    )


def test_the_folder_has_no_unfinished_files(tmp_path: Path) -> None:
    storage = open_storage(Settings(home=tmp_path, pictures_folder=tmp_path / "elsewhere"))

    asyncio.run(storage.save(ONE, FILES))

    found = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert found == sorted(Path("elsewhere", "ab", ONE, f"{size}.webp") for size in SIZES)
