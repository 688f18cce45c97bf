"""nginx with the stack's configuration before the API: what it stores, what it passes on, what it hides."""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from urllib.parse import quote

import httpx
import pytest

from common.settings import LOOPBACK, ROOT, Settings
from tests.integration.servers import TEST_TIMEOUT_S, await_true, terminated
from tests.ports import free_offset
from tests.principals import bearer

PROGRAM = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="nginx is not on PATH (Debian: apt install nginx-light)"
)


@contextmanager
def running_nginx(api: str, folder: Path) -> Iterator[str]:
    """Run nginx before the API at `host:port`, and yield its address."""
    folder.mkdir()
    port = 8080 + free_offset()
    text = (ROOT / "docker" / "nginx" / "nginx.conf").read_text()
    for found, instead in (
        ("server serving:8000;", f"server {api};"),
        ("listen 8080;", f"listen {LOOPBACK}:{port};"),
        ("/tmp/", f"{folder}/"),
        # If requests waited for each other, they would do so for longer than a test.
        ("include mime.types;", "proxy_cache_lock_timeout 1h; proxy_cache_lock_age 1h;"),
    ):
        assert found in text
        text = text.replace(found, instead)
    (folder / "nginx.conf").write_text(text)
    # As root, nginx would drop to a user that may not enter the tests' folder.
    options = "daemon off;" + (" user root root;" if os.geteuid() == 0 else "")
    command = [str(PROGRAM), "-c", str(folder / "nginx.conf"), "-e", "/dev/stderr", "-g", options]
    address = f"http://{LOOPBACK}:{port}"
    with terminated(subprocess.Popen(command)) as process:

        def answers() -> bool:
            assert process.poll() is None
            try:
                return httpx.get(f"{address}/metrics", trust_env=False).status_code == 404
            except httpx.HTTPError:
                return False

        await_true(answers, "nginx' start")
        yield address


class Handler(BaseHTTPRequestHandler):
    """Answers in place of the API, without a log."""

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextmanager
def nginx_before(handler: type[Handler], folder: Path) -> Iterator[str]:
    """Run nginx before a server with this handler, and yield nginx' address."""
    server = ThreadingHTTPServer((LOOPBACK, 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        with running_nginx(f"{LOOPBACK}:{server.server_port}", folder) as address:
            yield address
    finally:
        server.shutdown()


@pytest.fixture(scope="module")
def front(shop: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_nginx(
        f"{LOOPBACK}:{shop.port('serving')}", tmp_path_factory.mktemp("front") / "nginx"
    ) as address:
        yield address


@pytest.fixture
def client(front: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=front, trust_env=False, timeout=30) as client:
        yield client


@pytest.mark.parametrize("path", ["/v1/products/popular", "/shop/products"])
def test_what_is_the_same_for_everyone_comes_from_the_cache(path: str, client: httpx.Client) -> None:
    first, second = client.get(path), client.get(path)
    assert first.headers["Cache-Control"].startswith("public, max-age=0, s-maxage=")
    assert first.headers["X-Cache-Status"] == "MISS"
    assert second.headers["X-Cache-Status"] == "HIT"
    assert second.content == first.content
    unchanged = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (unchanged.status_code, unchanged.headers["X-Cache-Status"]) == (304, "HIT")


def test_whoever_gets_a_stored_response_gets_no_correlation_id_of_another(client: httpx.Client) -> None:
    sent = {"X-Correlation-Id": "an-outsider"}
    first = client.get("/v1/products?limit=7", headers=sent)
    second = client.get("/v1/products?limit=7")
    assert (first.headers["X-Cache-Status"], first.headers.get_list("X-Correlation-Id")) == (
        "MISS",
        ["an-outsider"],
    )
    assert second.headers["X-Cache-Status"] == "HIT"
    assert "X-Correlation-Id" not in second.headers


def test_each_form_of_a_response_is_stored_for_itself(client: httpx.Client) -> None:
    kinds = [
        client.get("/v1/products/popular?n=3", headers={"Accept": accept}).headers["Content-Type"]
        for accept in ("application/json", "text/csv", "application/json")
    ]
    assert [kind.partition(";")[0] for kind in kinds] == ["application/json", "text/csv", "application/json"]


PAGE = "/shop/products"
VISITOR, SIGNED_IN = "souk_session=a1.b2", "souk_session=c3.d4; souk_signed_in=1; souk_access=e5"


def page_language(response: httpx.Response) -> str:
    found = re.search(r'<html lang="([\w-]+)"', response.text)
    assert found
    return found[1]


def test_visitors_with_the_same_language_share_a_page(shop: Settings, client: httpx.Client) -> None:
    """Also with a person who is signed in: the API writes the page for everybody."""
    path = f"{PAGE}?q=shared"
    first = client.get(path, headers={"Cookie": VISITOR, **bearer(shop)})
    assert first.content == httpx.get(f"{shop.serving}{path}", trust_env=False).content
    shared = [
        client.get(path, headers={"Cookie": cookie}) for cookie in (SIGNED_IN, f"{VISITOR}; other=1", "x=y")
    ]
    assert first.headers["X-Cache-Status"] == "MISS"
    assert {one.headers["X-Cache-Status"] for one in shared} == {"HIT"}
    assert {one.content for one in shared} == {first.content}


def test_the_chosen_language_and_that_of_the_browser_have_pages_of_their_own(client: httpx.Client) -> None:
    asked = [("en", ""), ("pt_BR", ""), ("", "pt-BR"), ("", "en"), ("en", "pt-BR"), ("xx", "pt-BR"), ("", "")]

    def languages() -> list[tuple[str, str]]:
        found = []
        for cookie, accepted in asked:
            headers = {"Cookie": f"{VISITOR}; souk_language={cookie}" if cookie else VISITOR}
            response = client.get(f"{PAGE}?q=own", headers={**headers, "Accept-Language": accepted})
            found.append((response.headers["X-Cache-Status"], page_language(response)))
        return found

    first, second = languages(), languages()
    assert [language for _, language in first] == ["en", "pt-BR", "pt-BR", "en", "en", "pt-BR", "en"]
    assert second == [("HIT", language) for _, language in first]


@pytest.mark.parametrize(
    "headers",
    [
        [("Cookie", "souk_language=en; souk_language=pt_BR")],
        [("Cookie", "SOUK_LANGUAGE=en; souk_language=pt_BR")],
        [("Cookie", "SOUK_LANGUAGE=pt_BR")],
        [("Cookie", "a=b,souk_language=pt_BR")],
        [("Cookie", "souk_language =pt_BR")],
        [("Cookie", 'souk_language="pt_BR"')],
        [("Cookie", "souk_language=pt_BR,a=b")],
        [("Cookie", "a=b"), ("Cookie", "souk_language=pt_BR")],
        [("Cookie", "souk_language=en"), ("Cookie", "souk_language=pt_BR")],
        [("Accept-Language", "en;q=0.5"), ("Accept-Language", "pt-BR")],
        [("Accept-Language", "pt-BR|en")],
        [("Accept-Language", "pt-BR|"), ("Accept", "text/html")],
    ],
)
def test_no_request_puts_a_page_in_the_place_of_another_language(
    headers: list[tuple[str, str]], client: httpx.Client
) -> None:
    """Whatever was asked before, a visitor gets the language that the API chooses for their headers."""
    path = f"{PAGE}?q={quote(str(headers), safe='')[:100]}"
    client.headers.pop("Accept", None)
    odd = [page_language(client.get(path, headers=headers)) for _ in range(2)]
    assert odd[0] == odd[1]
    for cookie, accepted, language in (
        ("souk_language=en", "", "en"),
        ("souk_language=pt_BR", "", "pt-BR"),
        ("souk_language=pt_BR", "en;q=0.5, pt-BR", "pt-BR"),
        ("a=b", "", "en"),
        ("a=b", "en;q=0.5, pt-BR", "pt-BR"),
        ("a=b", "en;q=0.5", "en"),
        ("a=b", "pt-BR", "pt-BR"),
    ):
        page = client.get(path, headers={"Cookie": cookie, "Accept-Language": accepted})
        assert page_language(page) == language, (cookie, accepted)
    assert page_language(client.get(path, headers=headers)) == odd[0]


@pytest.mark.parametrize("path", ["/v1/sellers/ana/sales", "/sell/ana"])
def test_what_one_person_sees_is_never_stored(path: str, shop: Settings, client: httpx.Client) -> None:
    seen = [client.get(path, headers=bearer(shop)) for _ in range(2)]
    assert [(one.status_code, one.headers["X-Cache-Status"]) for one in seen] == [(200, "MISS")] * 2
    other = client.get(path)
    assert other.status_code in (303, 307, 401)
    assert other.headers["X-Cache-Status"] == "MISS"


@pytest.mark.parametrize("path", ["/shop", "/shop/cart"])
def test_a_page_of_a_visitor_is_never_stored(path: str, client: httpx.Client) -> None:
    assert [client.get(path).headers["X-Cache-Status"] for _ in range(2)] == ["MISS", "MISS"]


def test_personal_requests_at_the_same_time_do_not_wait_for_each_other(tmp_path: Path) -> None:
    visitors = 8
    all_are_there = threading.Barrier(visitors)

    class Visitors(Handler):
        def do_GET(self) -> None:
            all_are_there.wait(TEST_TIMEOUT_S)
            self.send_response(200)
            self.send_header("Cache-Control", "private, no-store")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def visit(address: str) -> int:
        return httpx.get(f"{address}/shop/visitor", trust_env=False, timeout=2 * TEST_TIMEOUT_S).status_code

    with nginx_before(Visitors, tmp_path / "nginx") as address, ThreadPoolExecutor(visitors) as threads:
        assert list(threads.map(visit, [address] * visitors)) == [200] * visitors


def test_an_unchanged_private_response_is_a_304(shop: Settings, client: httpx.Client) -> None:
    path = "/v1/sellers/ana/sales"
    first = client.get(path, headers=bearer(shop))
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = client.get(path, headers={**bearer(shop), "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    other = client.get(path, headers={**bearer(shop), "If-None-Match": '"other"'})
    assert (other.status_code, other.content) == (200, first.content)


def test_a_304_is_not_stored(client: httpx.Client) -> None:
    """Others have no body that it could be about."""
    path = "/v1/products?limit=9"
    etag = client.get(path).headers["ETag"]
    same = f"{path}&same=1"
    unchanged = client.get(same, headers={"If-None-Match": etag})
    assert (unchanged.status_code, unchanged.headers["X-Cache-Status"]) == (304, "MISS")
    assert [client.get(same).status_code for _ in range(2)] == [200, 200]


def test_a_stored_response_that_has_expired_is_used_again_if_it_has_not_changed(tmp_path: Path) -> None:
    requested: list[str | None] = []

    class Unchanged(Handler):
        def do_GET(self) -> None:
            requested.append(etag := self.headers["If-None-Match"])
            self.send_response(304 if etag == '"1"' else 200)
            self.send_header("Cache-Control", "public, max-age=0, s-maxage=1")
            self.send_header("ETag", '"1"')
            if etag != '"1"':
                self.send_header("Content-Length", "4")
            self.end_headers()
            if etag != '"1"':
                self.wfile.write(b"text")

    with nginx_before(Unchanged, tmp_path / "nginx") as address:

        def get(etag: str | None = None) -> httpx.Response:
            headers = {"If-None-Match": etag} if etag else {}
            return httpx.get(f"{address}/a", headers=headers, trust_env=False)

        def revalidated(etag: str | None) -> bool:
            response = get(etag)
            assert (response.status_code, response.text) == ((304, "") if etag == '"1"' else (200, "text"))
            return response.headers["X-Cache-Status"] == "REVALIDATED"

        assert get().headers["X-Cache-Status"] == "MISS"
        for etag in (None, '"1"', '"other"'):
            await_true(partial(revalidated, etag), "the end of the stored response")
    assert requested == [None, '"1"', '"1"', '"1"']  # never that of a client: others get what is stored


@pytest.mark.parametrize("path", ["/metrics", "/ready", "/ready?exclude=parts", "/%72eady"])
def test_metrics_and_readiness_are_hidden(path: str, client: httpx.Client) -> None:
    assert client.get(path).status_code == 404


def test_another_host_is_refused_and_its_refusal_is_not_given_to_others(client: httpx.Client) -> None:
    refused = client.get("/v1/products/popular?n=4", headers={"Host": "evil.example"})
    assert refused.status_code in (400, 421)
    assert client.get("/v1/products/popular?n=4").status_code == 200


def test_events_pass_as_they_are_sent(shop: Settings, client: httpx.Client) -> None:
    with client.stream("GET", "/v1/live", headers=bearer(shop)) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        lines = (line for line in stream.iter_lines() if line.startswith("event:"))
        assert next(lines) == "event: progress"  # a buffered stream would show nothing before its end


def test_a_client_can_not_claim_another_address(tmp_path: Path) -> None:
    seen: list[dict[str, str]] = []

    class Echo(Handler):
        def do_GET(self) -> None:
            seen.append(dict(self.headers))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    claims = {"X-Forwarded-For": "8.8.8.8", "X-Forwarded-Host": "evil.example", "Forwarded": "for=8.8.8.8"}
    with nginx_before(Echo, tmp_path / "nginx") as address:
        httpx.get(f"{address}/a", headers={**claims, "X-Forwarded-Proto": "https"}, trust_env=False)
    (headers,) = seen
    assert headers["X-Forwarded-For"] == LOOPBACK
    assert headers["X-Forwarded-Proto"] == "http"
    assert re.fullmatch(rf"{LOOPBACK}:\d+", headers["Host"])  # with the port, for the check of Origin
    assert not headers.keys() & {"Forwarded", "X-Forwarded-Host"}


def test_a_download_goes_no_faster_than_its_client(tmp_path: Path) -> None:
    """nginx would store what the client has not read yet in its `/tmp`, which is memory."""
    outcome: Queue[str] = Queue()

    class Export(Handler):
        timeout = 2  # seconds that a write may block

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Cache-Control", "private, no-store")
            self.send_header("Content-Length", str(64 << 20))
            self.end_headers()
            try:
                for _ in range(64):
                    self.wfile.write(bytes(1 << 20))
                outcome.put("nginx took all of it")
            except TimeoutError:
                outcome.put("nginx waited for the client")

    with (
        nginx_before(Export, tmp_path / "nginx") as address,
        httpx.stream("GET", f"{address}/export.csv", trust_env=False) as response,
    ):
        assert response.status_code == 200
        assert outcome.get(timeout=60) == "nginx waited for the client"
