"""Pictures of products: sellers send them, a worker renders them, and everyone sees those of listings."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import httpx
import pytest

from common.clock import system_clock
from common.ids import new_id
from producers.kit.outbox.message import EventWriter
from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.listen_notify import Notifier
from producers.kit.postgres.pool import make_pool
from producers.services.products import picture_store, picture_worker, pictures
from producers.services.products.picture_rules import MAX_BYTES, SIZES
from producers.services.products.picture_storage import open_storage
from producers.services.products.picture_worker import Pictures
from tests.integration.commerce.people import admin, person, staff
from tests.integration.commerce_servers import Shop
from tests.pictures import HTML, SVG, drawn, jpeg_of, opened, png_of, written

T = TypeVar("T")

PNG = {"Content-Type": "image/png"}
JPEG = {"Content-Type": "image/jpeg"}


class Studio:
    """A seller who sends pictures."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.seller_id = f"seller-{new_id()}"
        self.http = shop.as_principal(staff(self.seller_id, "manager"))
        self.path = f"/v1/sellers/{self.seller_id}/pictures"

    def send(self, content: bytes, headers: dict[str, str] = PNG, **more: str) -> httpx.Response:
        return self.http.post(self.path, content=content, headers=headers | more)

    def status(self, picture_id: str) -> dict:
        return self.http.get(f"{self.path}/{picture_id}").raise_for_status().json()

    def ended(self, answer: httpx.Response, eventually) -> dict:
        """Wait until a picture is ready or refused."""
        assert answer.status_code == 202, answer.text
        picture_id = answer.json()["picture_id"]
        return eventually(lambda: it if (it := self.status(picture_id))["status"] != "waiting" else None)


@pytest.fixture
def studio(shop):
    return Studio(shop)


def in_service(shop: Shop, work: Callable[[Transactions], Awaitable[T]]) -> T:
    """Return the result of work with transactions of the service."""

    async def run() -> T:
        async with make_pool(shop.settings, "products", 2) as pool:
            return await work(
                Transactions(pool, EventWriter("products", {}), system_clock, Notifier("products"))
            )

    return asyncio.run(run())


def remove_unused(shop: Shop) -> int:
    return in_service(shop, lambda each: Pictures(each, open_storage(shop.settings)).remove_unused())


def known_to(shop: Shop, seller_id: str, *hashes: str) -> set[str]:
    async def ask(transactions: Transactions) -> set[str]:
        async with transactions.connection() as sql:
            return set(await picture_store.use_pictures(sql, seller_id, hashes))

    return in_service(shop, ask)


def problem(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["type"].rpartition(":")[2]


def seen(shop: Shop, sha256: str, size: str = "480") -> httpx.Response:
    return shop.as_principal(None).get(f"/v1/pictures/{sha256}/{size}")


def test_a_picture_that_was_sent_is_seen_by_everyone(shop, studio, eventually):
    sent = studio.send(written(drawn((1300, 900)), "JPEG"), JPEG)

    assert sent.json()["status"] == "waiting"
    ready = studio.ended(sent, eventually)
    assert (ready["status"], ready["reason"], ready["width"], ready["height"]) == ("ready", None, 1300, 900)
    for size in SIZES:
        answer = seen(shop, ready["sha256"], size)
        assert answer.headers["content-type"] == "image/webp"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert opened(answer.content).width == min(int(size), 1300)
    assert shop.sql("SELECT FROM products.sent_files WHERE picture_id = $1", ready["picture_id"]) == []


@pytest.mark.parametrize(
    ("content", "headers", "reason"),
    [
        (SVG, PNG, "not_a_picture"),
        (HTML, JPEG, "not_a_picture"),
        (written(drawn(), "JPEG"), PNG, "wrong_type"),
        (written(drawn(), "JPEG")[:900], JPEG, "damaged"),
        (jpeg_of(10_000, 10_000), JPEG, "too_many_pixels"),
        (png_of(100_000, 100_000, rows=1), PNG, "too_many_pixels"),
        (written(drawn((20, 20))), PNG, "too_small"),
    ],
    ids=["svg", "html", "lie", "truncated", "100 megapixels", "bomb", "too small"],
)
def test_a_hostile_picture_is_refused_with_what_to_do(studio, eventually, content, headers, reason):
    refused = studio.ended(studio.send(content, headers), eventually)

    assert (refused["status"], refused["reason"], refused["sha256"]) == ("refused", reason, None)
    assert "end it" in refused["detail"] or "Send" in refused["detail"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:8010/health", "internal_address"),
        ("http://localhost/lamp.png", "internal_address"),
        ("http://169.254.169.254/latest/meta-data/", "internal_address"),
        ("http://[::ffff:127.0.0.1]/", "internal_address"),
        ("https://2130706433/", "internal_address"),
    ],
)
def test_a_url_of_an_internal_address_is_refused(studio, eventually, url, reason):
    refused = studio.ended(studio.http.post(studio.path, json={"url": url}), eventually)

    assert (refused["status"], refused["reason"]) == ("refused", reason)
    assert "internal address" in refused["detail"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"url": "file:///etc/passwd"}, (422, "bad-picture-url")),
        ({"url": "https://ana:secret@example.com/a.png"}, (422, "bad-picture-url")),
        ({"url": "https://example.com/" + "a" * 2_000}, (422, "bad-parameter")),
        ({"url": "https://example.com/a.png", "seller_id": "another"}, (422, "bad-parameter")),
        ({}, (422, "bad-parameter")),
        ([], (422, "bad-parameter")),
    ],
)
def test_a_body_that_names_no_picture_is_refused(studio, body, expected):
    assert problem(studio.http.post(studio.path, json=body)) == expected


@pytest.mark.parametrize(
    "kind", ["image/svg+xml", "text/html", "application/octet-stream", "multipart/form-data"]
)
def test_a_type_that_is_no_picture_is_refused(studio, kind):
    assert problem(studio.send(SVG, {"Content-Type": kind})) == (415, "not-a-picture-type")


def test_a_file_without_content_and_one_that_is_too_large_are_refused(studio):
    assert problem(studio.send(b"")) == (422, "empty-picture")
    assert problem(studio.send(bytes(MAX_BYTES + 1))) == (413, "body-too-large")


def test_a_file_of_the_largest_size_is_taken(studio, eventually):
    sent = written(drawn(), "JPEG")

    ready = studio.ended(studio.send(sent + bytes(MAX_BYTES - len(sent)), JPEG), eventually)

    assert ready["status"] == "ready"


def test_a_repeated_request_sends_one_picture(studio, eventually):
    content, key = written(drawn()), new_id()

    first, again = (studio.send(content, **{"Idempotency-Key": key}) for _ in range(2))
    other = studio.send(written(drawn((301, 200))), **{"Idempotency-Key": key})

    assert first.json()["picture_id"] == again.json()["picture_id"]
    assert again.headers["idempotent-replayed"] == "true"
    assert problem(other) == (409, "idempotency-key-reused")
    studio.ended(first, eventually)


def test_only_owners_and_managers_of_the_seller_send_pictures(shop, studio, eventually):
    sent = studio.send(written(drawn()))
    others = [
        (staff(studio.seller_id, "analyst"), 403, 200),
        (staff(f"seller-{new_id()}", "owner"), 404, 404),
        (person(), 403, 403),
        (None, 401, 401),
        (staff(studio.seller_id, "owner"), 202, 200),
        (admin(), 202, 200),
    ]

    for principal, sends, reads in others:
        client = shop.as_principal(principal)
        assert client.post(studio.path, content=written(drawn()), headers=PNG).status_code == sends
        assert client.get(f"{studio.path}/{sent.json()['picture_id']}").status_code == reads
    studio.ended(sent, eventually)


def test_another_sellers_picture_is_unknown(shop, studio, eventually):
    other = Studio(shop)
    ready = studio.ended(studio.send(written(drawn((310, 210)))), eventually)

    foreign = other.http.get(f"{other.path}/{ready['picture_id']}")

    assert problem(foreign) == (404, "unknown-picture")
    assert known_to(shop, studio.seller_id, ready["sha256"], "00" * 32) == {ready["sha256"]}
    assert known_to(shop, other.seller_id, ready["sha256"]) == set()


def test_a_listing_shows_the_pictures_of_its_seller_only(shop, studio, eventually):
    other = Studio(shop)
    own, foreign = (
        each.ended(each.send(written(drawn((320 + number, 220)))), eventually)["sha256"]
        for number, each in enumerate((studio, other))
    )
    lamp = {"name": "A lamp", "category": "Lamps", "price_minor": 1_000}
    listings = f"/v1/sellers/{studio.seller_id}/listings"
    shop.await_row("SELECT FROM products.categories WHERE category_id = 'Lamps'")

    refused = studio.http.post(listings, json={**lamp, "pictures": [own, foreign]})
    (listed,) = studio.http.post(listings, json={**lamp, "pictures": [own]}).raise_for_status().json()
    changed = studio.http.put(f"{listings}/{listed['product_id']}", json={**lamp, "pictures": [foreign]})

    assert problem(refused) == problem(changed) == (404, "unknown-picture")
    assert foreign in refused.json()["detail"]
    assert (listed["pictures"], listed["photos"]) == ([own], 1)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{'00' * 32}/480", 404),
        (f"{'00' * 32}/481", 422),
        (f"{'00' * 31}/480", 422),
        (f"{'AB' * 32}/480", 422),
        ("..%2F..%2Fsecrets.toml/480", 422),
    ],
)
def test_a_picture_that_does_not_exist_is_not_found(shop, path, status):
    answer = shop.as_principal(None).get(f"/v1/pictures/{path}")

    assert answer.status_code == status
    assert answer.headers["cache-control"] == "no-store"


def test_many_pictures_of_one_seller_do_not_let_another_wait(shop, studio, eventually):
    other = Studio(shop)
    content = [written(drawn((200 + number, 150))) for number in range(12)]
    with ThreadPoolExecutor(5) as threads:
        many = list(threads.map(studio.send, content))
    one = other.ended(other.send(content[0]), eventually)

    assert one["status"] == "ready"
    ends = [studio.ended(each, eventually) for each in many]
    assert [end["status"] for end in ends] == ["ready"] * 12
    assert len({end["sha256"] for end in ends}) == 12


def test_so_many_pictures_of_a_seller_wait_and_no_more(shop, studio, eventually):
    waiting = """
        INSERT INTO products.pictures (picture_id, seller_id, status, submitted_at, due_at, used_at)
        SELECT $1 || n, $1, 'waiting', now(), 'infinity', now() FROM generate_series(1, $2) AS n
    """
    shop.sql(waiting, studio.seller_id, pictures.MAX_WAITING)

    refused = studio.send(written(drawn()))

    assert problem(refused) == (429, "too-many-pictures")
    assert int(refused.headers["retry-after"]) > 0
    shop.sql("DELETE FROM products.pictures WHERE seller_id = $1", studio.seller_id)
    assert studio.ended(studio.send(written(drawn())), eventually)["status"] == "ready"


def test_a_picture_that_was_begun_too_often_is_refused(shop, studio, eventually):
    begun = "UPDATE products.pictures SET attempts = $2, due_at = now() WHERE picture_id = $1"
    sent = studio.http.post(studio.path, json={"url": "https://no-such-host.invalid/lamp.png"})
    shop.sql(begun, sent.json()["picture_id"], picture_worker.MAX_ATTEMPTS)

    assert studio.ended(sent, eventually)["reason"] in ("too_costly", "not_reachable")


def unused(shop: Shop, sha256: str, days: int = 30) -> None:
    """Let the last use of a picture and the saving of its files be long ago."""
    before = f"now() - interval '{days} days'"
    shop.sql(f"UPDATE products.pictures SET used_at = {before} WHERE sha256 = $1", sha256)
    shop.sql(f"UPDATE products.picture_files SET saved_at = {before} WHERE sha256 = $1", sha256)


def show(shop: Shop, sha256: str) -> str:
    """Save a listing that shows a picture; return its product."""
    product_id = shop.product(stock=None)
    shop.await_row("SELECT FROM products.listings WHERE product_id = $1", product_id)
    shop.sql("UPDATE products.listings SET pictures = $2 WHERE product_id = $1", product_id, f'["{sha256}"]')
    return product_id


def test_a_picture_that_no_listing_shows_is_removed(shop, studio, eventually):
    shown, young, old = (
        studio.ended(studio.send(written(drawn((400 + number, 300)))), eventually)["sha256"]
        for number in range(3)
    )
    product_id = show(shop, shown)
    unused(shop, shown)
    unused(shop, young, days=13)
    unused(shop, old)

    remove_unused(shop)

    assert [seen(shop, each).status_code for each in (shown, young, old)] == [200, 200, 404]
    assert known_to(shop, studio.seller_id, shown, young, old) == {shown, young}
    shop.sql("UPDATE products.listings SET pictures = '[]' WHERE product_id = $1", product_id)
    remove_unused(shop)
    assert seen(shop, shown).status_code == 200, "it was seen a moment ago"
    unused(shop, shown)
    remove_unused(shop)
    assert seen(shop, shown).status_code == 404


def test_files_that_two_sellers_share_stay_for_the_other(shop, studio, eventually):
    other, content = Studio(shop), written(drawn((420, 320)))
    first = studio.ended(studio.send(content), eventually)
    second = other.ended(other.send(content), eventually)
    sha256 = first["sha256"]
    assert sha256 == second["sha256"]
    unused(shop, sha256)
    assert known_to(shop, other.seller_id, sha256) == {sha256}  # its seller lists it now

    remove_unused(shop)

    assert seen(shop, sha256).status_code == 200
    assert known_to(shop, studio.seller_id, sha256) == set()
    assert known_to(shop, other.seller_id, sha256) == {sha256}


def test_a_listing_that_is_saved_during_the_removal_keeps_its_picture(shop, studio, eventually):
    sha256 = studio.ended(studio.send(written(drawn((430, 330)))), eventually)["sha256"]
    unused(shop, sha256)

    with ThreadPoolExecutor(1) as thread:
        locked = "SELECT FROM products.pictures WHERE sha256 = $1 FOR UPDATE"
        with shop.locked(locked, sha256):
            using = thread.submit(known_to, shop, studio.seller_id, sha256)
            waits = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%used_at%'"
            shop.await_row(waits)
        assert using.result() == {sha256}
    remove_unused(shop)

    assert seen(shop, sha256).status_code == 200


def test_a_picture_is_sent_again_after_its_removal(shop, studio, eventually):
    content = written(drawn((440, 340)))
    sha256 = studio.ended(studio.send(content), eventually)["sha256"]
    unused(shop, sha256)
    remove_unused(shop)
    assert seen(shop, sha256).status_code == 404

    again = studio.ended(studio.send(content), eventually)

    assert again["sha256"] == sha256
    assert seen(shop, sha256).status_code == 200


def test_refused_pictures_are_forgotten_after_a_month(shop, studio, eventually):
    refused = studio.ended(studio.send(SVG), eventually)
    shop.sql(
        "UPDATE products.pictures SET used_at = now() - interval '31 days' WHERE picture_id = $1",
        refused["picture_id"],
    )

    async def prune(transactions: Transactions) -> None:
        async with transactions.connection() as sql:
            await sql.execute(picture_store.PRUNE_REFUSED, picture_store.REFUSED_AGE, 10)

    in_service(shop, prune)

    assert studio.http.get(f"{studio.path}/{refused['picture_id']}").status_code == 404


def test_a_picture_waits_while_its_storage_is_away(shop, studio, eventually):
    folder = shop.settings.picture_folder
    aside = folder.with_name("aside")
    studio.ended(studio.send(written(drawn((450, 350)))), eventually)
    folder.rename(aside)
    folder.write_text("no folder")
    try:
        sent = studio.send(written(drawn((451, 351))))
        postponed = (
            "SELECT FROM products.pictures WHERE picture_id = $1 AND due_at < now() + interval '1 minute'"
        )
        picture_id = sent.json()["picture_id"]
        shop.await_row(f"{postponed} AND due_at > now() + interval '10 seconds'", picture_id)
        assert studio.status(picture_id)["status"] == "waiting"
        assert problem(seen(shop, "ab" * 32)) == (503, "pictures-unavailable")
    finally:
        folder.unlink()
        aside.rename(folder)
    shop.sql("UPDATE products.pictures SET due_at = now() WHERE picture_id = $1", picture_id)

    assert studio.ended(sent, eventually)["status"] == "ready"
