"""Which requests the REST server of a real JobManager answers."""

import socket
from collections.abc import Iterator

import httpx
import pytest

from common.errors import PartUnavailable
from common.settings import Settings
from jobs.flink_client import FlinkClient
from local.parts import flink
from tests.integration.servers import running
from tests.ports import free_offset

JOB = "0" * 31 + "1"
"""The id of a job that does not exist: a request that Flink acts on is answered with 404."""

IMAGE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
FRAME = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    settings = Settings(home=tmp_path_factory.mktemp("flink"), port_offset=free_offset())
    with running(flink.parts(settings)[0], settings):
        yield settings


@pytest.fixture
def rest(settings: Settings) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=settings.flink, trust_env=False, timeout=30) as client:
        yield client


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1.evil.example:{port}",
        "127.0.0.1:{port}@evil.example",
        "evil.example@127.0.0.1:{port}",
        "127.0.0.1:{port}:80",
        "localhost.",
        "",
        "[::2]",
    ],
)
def test_a_request_to_another_host_name_is_refused(rest: httpx.Client, settings: Settings, host: str) -> None:
    headers = {"Host": host.format(port=settings.port("flink"))}

    for method, path in (("GET", "/overview"), ("PATCH", f"/jobs/{JOB}?mode=cancel"), ("DELETE", "/cluster")):
        assert rest.request(method, path, headers=headers).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST", "[::1]:{port}"])
def test_a_request_to_this_machine_is_answered(rest: httpx.Client, settings: Settings, host: str) -> None:
    answer = rest.get("/overview", headers={"Host": host.format(port=settings.port("flink"))})

    assert answer.status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "file://", ""])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/overview"),
        ("OPTIONS", f"/jobs/{JOB}"),
        ("PATCH", f"/jobs/{JOB}?mode=cancel"),
        ("POST", f"/jobs/{JOB}/stop"),
        ("POST", "/jobs"),
        ("POST", "/jars/upload"),
        ("DELETE", "/cluster"),
    ],
)
def test_a_page_of_another_site_is_refused(rest: httpx.Client, method: str, path: str, origin: str) -> None:
    answer = rest.request(method, path, headers={"Origin": origin})

    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("headers", [IMAGE, FRAME], ids=["image", "frame"])
def test_what_a_page_of_another_site_embeds_is_refused(rest: httpx.Client, headers: dict[str, str]) -> None:
    assert rest.get("/overview", headers=headers).status_code == 403


def test_a_link_to_flinks_pages_is_followed(rest: httpx.Client) -> None:
    assert rest.get("/", headers=LINK).status_code == 200


def test_flinks_own_pages_are_answered(rest: httpx.Client, settings: Settings) -> None:
    own = {"Origin": settings.flink, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}

    assert rest.get("/overview", headers=own).status_code == 200


@pytest.mark.parametrize("headers", [{}, LINK, IMAGE], ids=["program", "link", "image"])
@pytest.mark.parametrize("path", ["yarn-cancel", "yarn-cancel/", "%79arn-cancel", "yarn%2Dstop?a=b"])
def test_no_get_request_cancels_a_job(rest: httpx.Client, path: str, headers: dict[str, str]) -> None:
    assert rest.get(f"/jobs/{JOB}/{path}", headers=headers).status_code == 403


def test_no_answer_allows_every_origin(rest: httpx.Client, settings: Settings) -> None:
    assert rest.get("/overview").headers["access-control-allow-origin"] == settings.flink


def test_the_pages_offer_neither_cancel_nor_upload(rest: httpx.Client) -> None:
    features = rest.get("/config").json()["features"]

    assert not features["web-cancel"]
    assert not features["web-submit"]
    assert rest.post("/jars/upload", files={"jarfile": b"PK"}).is_client_error


def test_our_client_may_still_cancel_a_job(settings: Settings) -> None:
    with FlinkClient(settings.flink) as client, pytest.raises(PartUnavailable, match="404"):
        client.cancel(JOB)


def test_a_refused_upload_is_not_stored(rest: httpx.Client, settings: Settings) -> None:
    before = set((settings.home / "flink" / "tmp").rglob("*"))

    answer = rest.post("/jobs", files={"request": b"x" * 100_000}, headers={"Origin": "http://evil.example"})

    assert answer.status_code == 403
    assert not {path for path in (settings.home / "flink" / "tmp").rglob("*") if path.is_file()} - before


def test_what_follows_a_refused_request_on_its_connection_is_not_answered(settings: Settings) -> None:
    own = f"127.0.0.1:{settings.port('flink')}"
    refused = b"POST /overview HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n"
    allowed = f"GET /overview HTTP/1.1\r\nHost: {own}\r\n\r\n".encode()

    with socket.create_connection(("127.0.0.1", settings.port("flink")), timeout=30) as connection:
        connection.sendall(refused + allowed)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("hosts", [[], ["127.0.0.1", "evil.example"]])
def test_a_request_without_exactly_one_host_is_refused(settings: Settings, hosts: list[str]) -> None:
    lines = ["GET /overview HTTP/1.1", *(f"Host: {host}" for host in hosts), "Connection: close", "", ""]

    with socket.create_connection(("127.0.0.1", settings.port("flink")), timeout=30) as connection:
        connection.sendall("\r\n".join(lines).encode())
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert answer.startswith(b"HTTP/1.1 403 ")
