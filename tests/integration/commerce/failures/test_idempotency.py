"""A write with an Idempotency-Key takes effect once, and a retry gets the first response, errors too."""

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import httpx
import pytest

from common.clock import system_clock
from common.ids import new_id
from common.principal import Principal
from producers.kit.idempotency.store import PRUNE_RESPONSES, RETENTION
from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.listen_notify import Notifier
from producers.kit.postgres.pool import make_pool
from producers.kit.postgres.pruning import prune_once

AGE = "UPDATE configuration.stored_responses SET begun_at = begun_at - interval '1 hour' WHERE status IS NULL"

JUST_BEGUN = "UPDATE configuration.stored_responses SET begun_at = now() WHERE status IS NULL"


def set_stock(client, product, on_hand, key, seller_id="seller-1"):
    body = {"seller_id": seller_id, "on_hand": on_hand}
    return client.put(f"/v1/products/{product}/stock", json=body, headers={"Idempotency-Key": key})


def set_trials(client, value, key):
    body = {"value": value, "reason": "a test"}
    return client.put("/v1/settings/breaker_trials", json=body, headers={"Idempotency-Key": key})


def trials(shop):
    (found,) = [one for one in shop.http.get("/v1/settings").json() if one["name"] == "breaker_trials"]
    return found


def kind(answer):
    return answer.status_code, answer.json()["type"].removeprefix("urn:souk:problem:")


@pytest.fixture
def settings_locked(shop):
    """A context in which requests that change the setting `breaker_trials` wait."""
    shop.http.put("/v1/settings/breaker_trials", json={"value": 12, "reason": "it exists"})

    row = "SELECT FROM configuration.settings WHERE name = 'breaker_trials' FOR UPDATE"
    return partial(shop.locked, row)


def waits(shop):
    """Return whether a request waits for the locked row."""
    return shop.sql("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%settings%'")


def test_a_repeated_write_gets_the_first_response_and_changes_nothing(shop):
    lamp, key = shop.product(stock=5), new_id()
    first = set_stock(shop.http, lamp, 10, key)
    shop.set_stock(lamp, 4)

    again = set_stock(shop.http, lamp, 10, key)

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["cache-control"] == "no-store"
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert shop.stock(lamp) == (4, 0)


def test_the_order_of_the_fields_of_a_body_does_not_matter(shop):
    lamp, headers = shop.product(stock=5), {"Idempotency-Key": new_id(), "Content-Type": "application/json"}
    address = f"/v1/products/{lamp}/stock"

    shop.http.put(address, content=b'{"seller_id": "seller-1", "on_hand": 8}', headers=headers)
    again = shop.http.put(address, content=b'{"on_hand":8,"seller_id":"seller-1"}', headers=headers)

    assert again.headers["idempotent-replayed"] == "true"


def test_a_refusal_is_repeated_even_when_the_request_would_succeed_now(shop, eventually):
    lamp, key = shop.product(stock=5), new_id()
    refused = set_stock(shop.http, lamp, 7, key, seller_id="seller-2")
    offer = {"product_id": lamp, "seller_id": "seller-2", "currency": "BRL", "price_minor": 900}
    shop.tell("product_listed", **offer)
    listed = "SELECT FROM inventory.listings WHERE product_id = $1 AND seller_id = 'seller-2'"
    eventually(lambda: shop.sql(listed, lamp))

    again = set_stock(shop.http, lamp, 7, key, seller_id="seller-2")

    assert kind(refused) == kind(again) == (422, "not-listed")
    assert again.headers["content-type"] == "application/problem+json"
    assert again.headers["idempotent-replayed"] == "true"
    assert set_stock(shop.http, lamp, 7, new_id(), seller_id="seller-2").status_code == 200


def test_a_cancellation_with_a_key_is_repeated(shop):
    order_id, headers = shop.buy(shop.product()), {"Idempotency-Key": new_id()}
    shop.settled(order_id)
    first = shop.http.post(f"/v1/orders/{order_id}/cancellation", json={}, headers=headers)

    again = shop.http.post(f"/v1/orders/{order_id}/cancellation", json={}, headers=headers)

    assert (first.status_code, again.content) == (202, first.content)
    assert again.headers["idempotent-replayed"] == "true"


def test_a_key_with_another_body_or_address_is_refused(shop):
    lamp, other, key = shop.product(stock=5), shop.product(stock=5), new_id()
    set_stock(shop.http, lamp, 10, key)

    assert kind(set_stock(shop.http, lamp, 11, key)) == (409, "idempotency-key-reused")
    assert kind(set_stock(shop.http, other, 10, key)) == (409, "idempotency-key-reused")
    assert (shop.stock(lamp), shop.stock(other)) == ((10, 0), (5, 0))


def test_the_same_key_of_another_sender_or_on_another_route_is_another_request(shop):
    lamp, key = shop.product(stock=5), new_id()
    staff = {"seller-1": "owner"}
    seller = shop.as_principal(Principal("u-1", frozenset({"seller"}), sellers=staff, session_id="s"))
    set_stock(shop.http, lamp, 10, key)

    of_seller = set_stock(seller, lamp, 6, key)
    count = [{"product_id": lamp, "seller_id": "seller-1", "on_hand": 3}]
    on_another_route = shop.http.put("/v1/stock", json=count, headers={"Idempotency-Key": key})

    assert [answer.status_code for answer in (of_seller, on_another_route)] == [200, 200]
    assert shop.stock(lamp) == (3, 0)


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
def test_an_invalid_key_is_refused_and_changes_nothing(shop, key):
    lamp = shop.product(stock=5)

    assert kind(set_stock(shop.http, lamp, 10, key)) == (400, "idempotency-key")
    assert shop.stock(lamp) == (5, 0)


def test_a_key_of_255_characters_is_valid(shop):
    assert set_stock(shop.http, shop.product(stock=5), 6, "k" * 255).status_code == 200


def test_a_key_has_no_effect_on_a_request_that_reads(shop):
    lamp, headers = shop.product(stock=5), {"Idempotency-Key": new_id()}
    shop.http.get(f"/v1/products/{lamp}/stock", headers=headers)
    shop.set_stock(lamp, 6)

    answer = shop.http.get(f"/v1/products/{lamp}/stock", headers=headers)

    assert answer.json()["on_hand"] == 6
    assert "idempotent-replayed" not in answer.headers


def test_of_simultaneous_requests_with_one_key_one_takes_effect(shop):
    key, before = new_id(), trials(shop)
    value = 20 + before["value"] % 50

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: set_trials(shop.http, value, key), range(16)))

    after = trials(shop)
    assert (after["value"], after["version"]) == (value, before["version"] + 1)
    outcomes = Counter(
        "in progress" if answer.status_code == 409 else answer.headers.get("idempotent-replayed", "first")
        for answer in answers
    )
    assert outcomes["first"] == 1
    assert sum(outcomes.values()) == 16
    refused = [answer for answer in answers if answer.status_code == 409]
    assert {kind(answer) for answer in refused} <= {(409, "request-in-progress")}


def test_a_retry_while_the_first_request_runs_is_told_to_wait(shop, settings_locked, eventually):
    key = new_id()
    with ThreadPoolExecutor(1) as pool:
        with settings_locked():
            first = pool.submit(set_trials, shop.http, 31, key)
            eventually(lambda: waits(shop))
            meanwhile = set_trials(shop.http, 31, key)
        done = first.result()

    afterwards = set_trials(shop.http, 31, key)

    assert kind(meanwhile) == (409, "request-in-progress")
    assert meanwhile.headers["retry-after"] == "1"
    assert (afterwards.content, afterwards.headers["idempotent-replayed"]) == (done.content, "true")


def test_two_attempts_of_one_request_never_change_something_both(shop, settings_locked, eventually):
    key = new_id()
    with ThreadPoolExecutor(2) as pool:
        with settings_locked():
            slow = pool.submit(set_trials, shop.http, 41, key)
            eventually(lambda: waits(shop))
            shop.sql(AGE)  # the first attempt counts as failed
            retry = pool.submit(set_trials, shop.http, 41, key)
            eventually(lambda: len(waits(shop)) == 2)
        answers = [slow.result(), retry.result()]

    assert trials(shop)["value"] == 41
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    written = "SELECT FROM configuration.versions WHERE name = 'breaker_trials' AND value = '41'"
    assert len(shop.sql(written)) == 1


def test_after_a_crash_before_the_change_a_retry_takes_effect(shop, settings_locked, eventually):
    key = new_id()
    with ThreadPoolExecutor(1) as pool:
        with settings_locked():
            first = pool.submit(set_trials, shop.http, 51, key)
            eventually(lambda: waits(shop))
            shop.kill()
            with pytest.raises(httpx.TransportError):
                first.result()
        shop.start()

    shop.sql(JUST_BEGUN)  # however long the restart took
    at_once = set_trials(shop.http, 51, key)
    shop.sql(AGE)
    later = set_trials(shop.http, 51, key)

    assert kind(at_once) == (409, "request-in-progress")
    assert (later.status_code, "idempotent-replayed" in later.headers) == (200, False)
    assert trials(shop)["value"] == 51


def test_after_a_crash_between_change_and_response_a_retry_changes_nothing(shop):
    key = new_id()
    set_trials(shop.http, 61, key).raise_for_status()
    (newest,) = shop.sql("SELECT id FROM configuration.stored_responses ORDER BY begun_at DESC LIMIT 1")
    lost = "UPDATE configuration.stored_responses SET status = NULL, response = NULL WHERE id = $1"
    shop.sql(lost, newest["id"])
    shop.sql(AGE)
    before = trials(shop)

    assert kind(set_trials(shop.http, 61, key)) == (409, "response-lost")
    assert trials(shop) == before


def test_while_postgresql_is_down_no_response_is_stored(shop, postgres, eventually):
    lamp, key = shop.product(stock=5), new_id()
    postgres.stop()
    try:
        refused = set_stock(shop.http, lamp, 10, key)
    finally:
        postgres.start()
    eventually(lambda: shop.http.get("/ready").status_code == 200)

    again = set_stock(shop.http, lamp, 10, key)

    assert kind(refused) == (503, "postgres-unavailable")
    assert (again.status_code, "idempotent-replayed" in again.headers) == (200, False)


def test_the_table_reveals_neither_sender_nor_key_nor_response(shop):
    lamp, key, user = shop.product(stock=5), f"key-{new_id()}", f"user-{new_id()}"
    staff = {"seller-1": "owner"}
    seller = shop.as_principal(Principal(user, frozenset({"seller"}), sellers=staff, session_id="s"))
    set_stock(seller, lamp, 7, key).raise_for_status()

    stored = b"".join(
        bytes(value)
        for row in shop.sql("SELECT id, request_sha256, response FROM inventory.stored_responses")
        for value in row.values()
        if value is not None
    )

    assert not [text for text in (lamp, key, user, "seller-1", "on_hand") if text.encode() in stored]


def test_after_a_day_a_response_is_deleted_and_its_key_can_be_used_again(shop):
    lamp, old, new = shop.product(stock=5), new_id(), new_id()
    set_stock(shop.http, lamp, 6, old)
    yesterday = system_clock() - RETENTION - timedelta(minutes=1)
    shop.sql("UPDATE inventory.stored_responses SET begun_at = $1", yesterday)
    set_stock(shop.http, lamp, 7, new)

    async def prune():
        async with make_pool(shop.settings, "inventory", 1) as pool:
            transactions = Transactions(pool, None, system_clock, Notifier("inventory"))
            return await prune_once(transactions, PRUNE_RESPONSES, RETENTION)

    assert asyncio.run(prune()) >= 1
    assert "idempotent-replayed" in set_stock(shop.http, lamp, 7, new).headers
    assert "idempotent-replayed" not in set_stock(shop.http, lamp, 6, old).headers
