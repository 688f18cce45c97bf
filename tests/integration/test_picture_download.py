"""Pictures are downloaded from public hosts only, however they redirect, and not for ever."""

import asyncio
from collections.abc import Callable
from itertools import cycle

import pytest

from producers.services.products import picture_download
from producers.services.products.picture_download import NotReachable, download
from producers.services.products.picture_rules import MAX_BYTES, PictureRefused
from tests.integration.http_server import Say, answered, serving
from tests.pictures import drawn, written

PICTURE = written(drawn())
AS_PNG = "Content-Type: image/png"

HOSTS = {
    "pictures.example": ["127.0.0.1"],
    "internal.example": ["127.0.0.2"],
    "cloud.example": ["169.254.169.254"],
}


def is_allowed(address: str) -> bool:
    """The server of the test has the one public address."""
    return address == "127.0.0.1"


class Names:
    """DNS, which counts its answers."""

    def __init__(self, **changing: list[str]) -> None:
        self.asked: list[str] = []
        self._changing = {name.replace("_", "."): cycle(answers) for name, answers in changing.items()}

    async def resolve(self, host: str, _port: int) -> list[str]:
        self.asked.append(host)
        if host in self._changing:
            return [next(self._changing[host])]
        if host == "gone.example":
            raise OSError("unknown")
        return HOSTS.get(host, [host])


def redirecting(*targets: str) -> Say:
    """Return a handler that redirects one request after the other, and then sends the picture."""
    left = list(targets)

    async def say(request: bytes, writer: asyncio.StreamWriter) -> None:
        here = b"http://" + request.split(b"Host: ", 1)[1].split(b"\r\n", 1)[0]
        if left:
            target = left.pop(0).replace("HERE", here.decode())
            await answered("302 Found", b"", f"Location: {target}")(request, writer)
        else:
            await answered("200 OK", PICTURE, AS_PNG)(request, writer)

    return say


def downloaded(say: Say, names: Names | None = None, path: str = "/lamp.png") -> tuple[bytes, str | None]:
    async def run() -> tuple[bytes, str | None]:
        async with serving(say) as server:
            url = server.url.replace("127.0.0.1", "pictures.example") + path
            return await download(url, is_allowed, (names or Names()).resolve)

    return asyncio.run(run())


def refused(say: Say, names: Names | None = None) -> str:
    with pytest.raises(PictureRefused) as error:
        downloaded(say, names)
    return error.value.reason


def test_a_picture_is_downloaded_with_its_type() -> None:
    assert downloaded(answered("200 OK", PICTURE, AS_PNG)) == (PICTURE, "image/png")


@pytest.mark.parametrize("said", ["", "Content-Type: application/octet-stream", "Content-Type: text/html"])
def test_a_type_that_no_picture_has_says_nothing(said: str) -> None:
    headers = [said] if said else []

    assert downloaded(answered("200 OK", PICTURE, *headers)) == (PICTURE, None)


def test_redirects_are_followed_three_times() -> None:
    assert downloaded(redirecting("HERE/second", "third"))[0] == PICTURE
    assert downloaded(redirecting("HERE/a", "HERE/b", "HERE/c"))[0] == PICTURE
    assert refused(redirecting("HERE/a", "HERE/b", "HERE/c", "HERE/d")) == "too_many_redirects"


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("http://internal.example/", "internal_address"),
        ("http://cloud.example/latest/meta-data/", "internal_address"),
        ("http://169.254.169.254/latest/meta-data/", "internal_address"),
        ("http://127.0.0.2:8123/?query=SELECT", "internal_address"),
        ("//internal.example/", "internal_address"),
        ("http://[::ffff:127.0.0.1]/", "internal_address"),
        ("file:///etc/passwd", "bad_url"),
        ("gopher://internal.example/", "bad_url"),
        ("http://user:secret@pictures.example/", "bad_url"),
        ("http://pictures.example\\@internal.example/", "bad_url"),
    ],
)
@pytest.mark.parametrize("before", [(), ("HERE/once",), ("HERE/once", "HERE/twice")])
def test_a_redirect_to_an_internal_address_is_refused(target: str, why: str, before: tuple[str, ...]) -> None:
    assert refused(redirecting(*before, target)) == why


def test_a_host_is_resolved_once_for_each_request_and_its_address_is_used() -> None:
    names = Names(pictures_example=["127.0.0.1", "127.0.0.2"])

    assert downloaded(answered("200 OK", PICTURE), names)[0] == PICTURE
    assert names.asked == ["pictures.example"]
    assert refused(redirecting("HERE/again"), Names(pictures_example=["127.0.0.1", "127.0.0.2"])) == (
        "internal_address"
    )


def test_a_host_with_one_internal_address_is_refused() -> None:
    async def run() -> None:
        async def resolve(_host: str, _port: int) -> list[str]:
            return ["127.0.0.1", "10.0.0.1"]

        await download("http://pictures.example/lamp.png", is_allowed, resolve)

    with pytest.raises(PictureRefused) as error:
        asyncio.run(run())
    assert error.value.reason == "internal_address"


def endless(head: str) -> Say:
    """Return a handler that sends without an end."""

    async def say(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(head.encode())
        while not writer.is_closing():
            writer.write(b"x" * 65_536)
            await writer.drain()

    return say


def test_a_file_that_is_too_large_is_refused_before_it_is_read() -> None:
    say = answered("200 OK", b"", AS_PNG)

    async def declared(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {MAX_BYTES + 1}\r\n\r\n".encode())

    assert refused(declared) == "too_large"
    assert refused(endless("HTTP/1.1 200 OK\r\n\r\n")) == "too_large"
    assert downloaded(say)[0] == b""


@pytest.mark.parametrize(("status", "why"), [("404 Not Found", "not_found"), ("403 Forbidden", "not_found")])
def test_what_a_server_does_not_give_out_is_refused(status: str, why: str) -> None:
    assert refused(answered(status, b"")) == why


async def silent(_request: bytes, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def broken(_request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
    await writer.drain()
    writer.close()


async def nonsense(_request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
    await writer.drain()
    writer.close()


@pytest.mark.parametrize(
    "say",
    [
        silent,
        broken,
        nonsense,
        answered("503 Service Unavailable", b""),
        answered("429 Too Many Requests", b""),
    ],
    ids=["silent", "broken", "nonsense", "unavailable", "busy"],
)
def test_a_server_that_does_not_answer_is_tried_again(
    say: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_download, "TIMEOUT_S", 0.5)

    with pytest.raises(NotReachable):
        downloaded(say)  # type: ignore[arg-type]


def test_an_unknown_host_is_tried_again() -> None:
    async def run() -> None:
        await download("http://gone.example/lamp.png", is_allowed, Names().resolve)

    with pytest.raises(NotReachable):
        asyncio.run(run())
