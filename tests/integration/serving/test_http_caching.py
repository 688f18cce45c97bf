"""What browsers and shared caches may store: public responses are the same for everybody and have an ETag."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import httpx
import pytest
from redis import Redis

from common.settings import Settings
from serving.kit.cache.store import MAX_AGE_SETTLING_MS, MAX_AGE_UNWATCHED_MS
from tests.integration.servers import TEST_TIMEOUT_S, await_true
from tests.integration.serving.conftest import TABLES, ask, drop_cached, insert, put, put_offers
from tests.principals import bearer

LISTING = (
    *("event_id", "occurred_at", "product_id", "seller_id"),
    *("name", "category", "currency", "price_minor"),
)
LISTED = [
    ["h1", "2018-01-01 00:00:00.000", "cached-lamp", "ana", "Cached Lamp", "Caches", "BRL", 990],
    ["h2", "2018-01-02 00:00:00.000", "cached-desk", "ana", "Desk, cached", "Caches", "BRL", 9900],
]

PAGES = ("/shop/products?q=cached", "/shop/products?category=Caches", "/shop/products/cached-lamp")
DATA = (
    *("/v1/products?q=cached", "/v1/products/cached-lamp", "/v1/categories", "/v1/products/popular"),
    "/v1/products/cached-lamp/similar",
)
PERSONAL = ("/shop", "/shop/visitor", "/shop/cart", "/shop/orders", "/shop/recommended", "/", "/sell/ana")
PERSONAL_DATA = ("/v1/recommendations/somebody", "/v1/sellers/ana/sales")


@pytest.fixture(scope="module", autouse=True)
def lamp(shop: Settings) -> Iterator[None]:
    put(shop, "product_listed", LISTING, LISTED)
    with Redis.from_url(shop.redis) as redis:
        put_offers(redis, "cached-lamp", {"seller_id": "ana", "price_minor": 990}, stock={"ana": 4})
        yield
        redis.delete("product:cached-lamp")
    ask(shop, "TRUNCATE TABLE product_listed")
    insert(shop, "product_listed", TABLES["product_listed"][1])


@pytest.fixture
def client(shop: Settings) -> Iterator[httpx.Client]:
    """A client whose requests use the cache, which is empty at first."""
    drop_cached(shop)
    with httpx.Client(base_url=shop.serving, trust_env=False, timeout=30) as client:
        yield client


@pytest.mark.parametrize("path", [*PAGES, *DATA])
def test_a_public_response_is_the_same_for_two_visitors_and_sets_no_cookie(
    client: httpx.Client, shop: Settings, path: str
) -> None:
    answers = []
    for session in ("a" * 32, "b" * 32, None):
        drop_cached(shop)  # each response is computed, not cached
        cookies = {"souk_session": session} if session else {}
        answers.append(httpx.get(shop.serving + path, cookies=cookies, trust_env=False, timeout=30))

    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["etag"] for answer in answers}) == 1
    for answer in (*answers, client.get(path)):
        assert "set-cookie" not in answer.headers
        vary = "Accept-Language, Cookie" if path in PAGES else answer.headers.get("vary", "Accept")
        assert answer.headers.get("vary", "Accept") == vary
        assert path in PAGES or "cookie" not in vary.lower()
        assert re.match(r"public, max-age=0, s-maxage=\d+, stale", answer.headers["cache-control"])


@pytest.mark.parametrize("path", [*PAGES, *DATA])
def test_an_unchanged_response_is_a_304_with_the_same_headers(client: httpx.Client, path: str) -> None:
    first = client.get(path)
    head = client.head(path)
    for etag in (first.headers["etag"], f'"other", W/{first.headers["etag"]}', "*"):
        again = client.get(path, headers={"If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b"")
        for name in ("etag", "cache-control", "vary"):
            assert again.headers.get(name) == first.headers.get(name) == head.headers.get(name)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(first.content))
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_a_cached_page_is_only_given_to_readers_of_its_language(client: httpx.Client, path: str) -> None:
    english, portuguese = {"Accept-Language": "en-US,en"}, {"Accept-Language": "pt-BR,pt;q=0.9,en;q=0.8"}
    chosen = {**english, "Cookie": "souk_session=x; souk_language=pt_BR"}
    pages = [client.get(path, headers=headers) for headers in (english, portuguese, chosen) * 2]
    assert [re.findall(r'<html lang="([^"]*)"', page.text) for page in pages] == [
        ["en"],
        ["pt-BR"],
        ["pt-BR"],
    ] * 2
    assert pages[1].content == pages[2].content
    assert pages[0].headers["etag"] != pages[1].headers["etag"]
    stored = {"If-None-Match": pages[0].headers["etag"]}
    assert client.get(path, headers=english | stored).status_code == 304
    assert client.get(path, headers=chosen | stored).status_code == 200


@pytest.mark.usefixtures("commerce")
@pytest.mark.parametrize("path", [*PERSONAL, *PERSONAL_DATA])
def test_a_response_that_depends_on_who_asks_is_private(
    client: httpx.Client, shop: Settings, path: str
) -> None:
    answer = client.get(path, headers=bearer(shop))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] in ("private, no-cache", "private, no-store")


@pytest.mark.parametrize("path", ["/v1/products/nothing", "/shop/products/nothing", "/v1/products?cursor=x"])
def test_a_problem_is_not_stored(client: httpx.Client, path: str) -> None:
    for accept in ("application/json", "text/html"):
        refused = client.get(path, headers={"Accept": accept})
        assert refused.status_code in (404, 422)
        assert not re.search("public|s-maxage", refused.headers["cache-control"])
        assert "etag" not in refused.headers


def test_json_and_csv_are_cached_apart(client: httpx.Client) -> None:
    for _ in range(2):
        json = client.get("/v1/products?q=cached")
        csv = client.get("/v1/products?q=cached&limit=24", headers={"Accept": "text/csv"})
        assert json.json()["products"][0]["product_id"] == "cached-lamp"
        assert csv.headers["content-type"] == "text/csv; charset=utf-8"
        assert csv.text.startswith("product_id,")
        assert json.headers["vary"] == csv.headers["vary"] == "Accept"
        assert json.headers["etag"] != csv.headers["etag"]


def test_the_link_to_the_next_page_is_that_of_the_request(client: httpx.Client) -> None:
    links = [
        client.get(f"/v1/products?q=cached&limit=1&{other}", headers={"Accept": "text/csv"}).headers["link"]
        for other in ("a=secret", "b=1")
    ]
    assert "a=secret" in links[0]
    assert "a=secret" not in links[1]


def test_a_visitor_has_a_session_and_keeps_it(client: httpx.Client) -> None:
    first = client.get("/shop/visitor")
    again = client.get("/shop/visitor")  # with the cookie
    stranger = httpx.get(f"{client.base_url}/shop/visitor", trust_env=False)

    assert first.json() == again.json() != stranger.json()
    assert re.fullmatch("[0-9a-f]{32}", first.json()["session"])
    assert "httponly" in first.headers["set-cookie"].lower()
    assert first.headers["cache-control"] == "private, no-store"


def test_static_files_are_stored_for_a_year_under_the_fingerprint_of_this_release(
    client: httpx.Client,
) -> None:
    page = client.get("/shop/products/cached-lamp").text
    links = re.findall(r'(?:href|src)="(/(?:static|vendor|shop/tiles)/[^"]+)"', page)
    assert len(links) > 5
    for link in links:
        stored = client.get(link.replace("&amp;", "&"))
        assert stored.status_code == 200, link
        assert stored.headers["cache-control"] == "public, max-age=31536000, immutable"
        for other in (link.partition("?")[0], re.sub("v=.*", "v=0123456789ab", link)):
            assert "immutable" not in client.get(other).headers["cache-control"], other


def counted(shop: Settings, sample: str) -> float:
    """Return the sum of the samples of the API's metrics that a pattern matches."""
    text = httpx.get(f"{shop.serving}/metrics", trust_env=False, timeout=30).text
    return sum(float(value) for value in re.findall(rf"^{sample} (\S+)$", text, re.MULTILINE))


QUERIES = 'souk_query_seconds_count{query="products_found"}'
WITHOUT_REDIS = 'souk_cache_requests_total{cache="[a-z_]+",outcome="error"}'


def test_a_stampede_of_a_hundred_requests_is_one_query(shop: Settings) -> None:
    drop_cached(shop)
    before, without_redis, started_at = counted(shop, QUERIES), counted(shop, WITHOUT_REDIS), monotonic()

    def get(_: int) -> bytes:
        return httpx.get(f"{shop.serving}/v1/products?q=lamp", trust_env=False, timeout=60).content

    with ThreadPoolExecutor(20) as threads:
        assert len(set(threads.map(get, range(100)))) == 1

    # After the drop, an entry lives for a moment only. On a busy machine, the requests take longer than that,
    # and Redis may answer so late that the API asks ClickHouse instead.
    expired = (monotonic() - started_at) * 1000 // MAX_AGE_SETTLING_MS
    without_redis = counted(shop, WITHOUT_REDIS) - without_redis
    assert counted(shop, QUERIES) - before <= 1 + expired + without_redis


def test_a_page_that_no_event_drops_changes_within_seconds(client: httpx.Client, shop: Settings) -> None:
    path = "/v1/products/cached-lamp"
    assert client.get(path).json()["available"] == 4
    with Redis.from_url(shop.redis) as redis:
        redis.hset("product:cached-lamp", "stock", '{"ana": 3}')
        changed_at = monotonic()
        await_true(lambda: client.get(path).json()["available"] == 3, "the change")
        assert monotonic() - changed_at < MAX_AGE_UNWATCHED_MS / 1000 + TEST_TIMEOUT_S / 20
        put_offers(redis, "cached-lamp", stock={"ana": 4})


def test_the_metrics_have_the_outcomes_of_the_cache(client: httpx.Client) -> None:
    for _ in range(3):
        client.get("/v1/categories")
    metrics = client.get("/metrics").text
    for outcome in ("hit", "miss"):
        assert f'souk_cache_requests_total{{cache="categories",outcome="{outcome}"}}' in metrics
