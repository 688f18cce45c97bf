"""After an erasure, no store and no file of the platform names the person, and all figures still agree."""

import asyncio
import re
import uuid
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest

from common.ids import new_id
from common.principal import Principal
from local import passwords
from tests.e2e.test_shop import AMBER, BIRCH, BOOKS, LAMPS, SHOP, STOCK, Marketplace
from tests.principals import bearer
from tests.store_search import clickhouse_with, files_with, postgres_with, redis_with, topics_with

pytestmark = [pytest.mark.timeout(3_600), pytest.mark.nightly]

PASSWORD = "seven lamps and a vase"
WRITE_AHEAD_LOG = "postgres/data/pg_wal"
"""The one place that keeps erased rows, until its segments are recycled (docs/decisions/erasure.md)."""


class Visitor:
    """A program of a shopper: a guest at first, later a person."""

    def __init__(self, settings):
        self.http = httpx.Client(base_url=settings.serving, trust_env=False, timeout=60)

    def send(self, method, path, **options):
        """Send a request with an idempotency key, and return the JSON of the response."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        answer = self.http.request(method, path, headers=headers, **options)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else None

    def use(self, token):
        """Send requests with this bearer token from now on."""
        self.http.headers["Authorization"] = f"Bearer {token}"


@pytest.fixture(scope="module")
def settings(platform):
    return passwords.ensure(platform.settings)


@pytest.fixture(scope="module")
def marketplace(settings, eventually):
    """Two sellers with lamps and books in stock, and visitors of two days, from whom a model can learn."""
    made = Marketplace(settings)
    for seller_id in (AMBER, BIRCH):
        made.tell("seller_registered", seller_id=seller_id, name=seller_id.capitalize())
    for product_id in SHOP:
        made.offer("product_listed", product_id)
        eventually(lambda listed=product_id: made.count(listed, STOCK).status_code == 200)
    for number in range(20):
        view(made.http, f"visitor-{uuid.uuid4()}", LAMPS[number % 4], BOOKS[number % 3], LAMPS[0])
    return made


def view(http, session_id, *product_ids):
    """Send views of these products, two days ago and now."""
    now = datetime.now(UTC)
    seen = [
        {
            "event": "product_viewed",
            "session_id": session_id,
            "product_id": product_id,
            "occurred_at": at.isoformat(),
        }
        for at in (now - timedelta(days=2), now - timedelta(seconds=5))
        for product_id in product_ids
    ]
    answer = http.post("/v1/events", json={"events": seen})
    assert answer.is_success, answer.text
    assert answer.json()["accepted"] == len(seen), answer.text


def token_in_mail(marketplace, email, page):
    """Return the token in the newest link to a page that was sent to an address; None before it was."""
    mails = marketplace.http.get("/v1/mails", params={"to": email}).raise_for_status().json()
    links = (re.search(rf"/{page}\?token=([\w-]+)", mail["text"]) for mail in mails)
    return next((link[1] for link in links if link), None)


def places_with(settings, *texts):
    """Return where a text is: in tables, topics, keys of Redis and files."""
    return [
        *postgres_with(settings, *texts),
        *topics_with(settings, *texts),
        *clickhouse_with(settings, *texts),
        *redis_with(settings, *texts),
        *files_with(settings.home, *texts, without=(WRITE_AHEAD_LOG,)),
    ]


def vacuum(settings):
    """Make PostgreSQL write its files without the deleted rows, as it does from time to time."""

    async def run():
        connection = await asyncpg.connect(settings.postgres)
        try:
            await connection.execute("VACUUM FULL")
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()

    asyncio.run(run())


def test_an_erased_person_is_in_no_store_and_no_file(platform, settings, marketplace, eventually):
    person, email = Visitor(settings), f"{uuid.uuid4().hex}@shop.example"
    guest = person.send("POST", "/v1/auth/guest_sessions")
    person.use(guest["guest_token"])
    view(person.http, guest["session_id"], LAMPS[0], LAMPS[1])
    login = {"email": email, "password": PASSWORD}
    person.send("POST", "/v1/auth/registrations", json=login | {"name": "Ana"})
    token = eventually_found(eventually, lambda: token_in_mail(marketplace, email, "verify"))
    person.send("POST", "/v1/auth/verifications", json={"token": token, "password": PASSWORD})
    person.http.post("/v1/auth/sessions", json=login | {"password": "another sentence"})
    tokens = person.send("POST", "/v1/auth/sessions", json=login)
    user_id, shopper_id = tokens["user"]["user_id"], tokens["user"]["shopper_id"]
    person.use(tokens["access_token"])
    view(person.http, shopper_id, LAMPS[2], BOOKS[0])
    home = {"recipient": "Ana", "street": email, "city": "São Paulo", "country": "BR"}
    person.send("PUT", "/v1/me/addresses/home", json=home)
    person.http.patch("/v1/me", json={"name": 7, "email": email})  # refused, and its error is logged nowhere
    for path in ("/v1/me", "/v1/me/export", "/v1/orders", f"/v1/recommendations/{shopper_id}"):
        person.send("GET", path)
    line = {"product_id": LAMPS[3], "quantity": 1}
    payment = {"method": "credit_card", "token": "tok_visa"}
    order = {"currency": "BRL", "payment": payment, "lines": [line]}
    order_id = person.send("POST", "/v1/orders", json=order)["order_id"]
    eventually(lambda: person.send("GET", f"/v1/orders/{order_id}")["status"] == "confirmed")
    administrator = bearer(settings, Principal(new_id(), frozenset({"admin"}), session_id=new_id()))
    for path in ("/v1/people", "/admin/people"):
        person.http.get(path, params={"q": email}, headers=administrator).raise_for_status()
    for path in (f"/v1/people/{user_id}", f"/admin/people/{user_id}", "/ops/mail"):
        person.http.get(path, headers=administrator).raise_for_status()
    eventually(lambda: redis_with(settings, shopper_id))
    platform.souk("train", "--budget", "5", "--days", "1")
    eventually(lambda: clickhouse_with(settings, shopper_id))
    assert "users.people" in postgres_with(settings, user_id)

    person.send("POST", "/v1/me/erasure", json={"password": PASSWORD})

    eventually(lambda: "shopper_erased" in topics_with(settings, shopper_id))
    eventually(lambda: not postgres_with(settings, user_id))  # every service has answered
    vacuum(settings)
    assert places_with(settings, email, user_id, user_id.replace("-", "")) == []
    assert person.http.get("/v1/me").status_code in (401, 404)
    assert marketplace.http.get(f"/v1/orders/{order_id}").json()["shopper_id"] == shopper_id
    audit = platform.audit()
    assert audit["settled"]
    assert audit["differences"] == 0, audit


def eventually_found(eventually, find):
    """Wait until `find` returns something, and return it."""
    found = []
    eventually(lambda: found.append(find()) or found[-1])
    return found[-1]
