"""Many shoppers order the last 10 units at the same time, and each sends the order five times."""

import asyncio
import json
import random
import time
from urllib.parse import urlsplit

import pytest

from common.principal import platform
from common.principal_token import COMMERCE, HEADER, PrincipalTokens

UNITS, TRIES = 10, 5
NIGHTLY = [pytest.param(seed, 1_000, marks=pytest.mark.nightly) for seed in range(1, 11)]


async def send(url, token, body, key, hear):
    """Send an order over a new connection; return the response, or None if it is 503 or was not read."""
    address = urlsplit(url)
    content = json.dumps(body).encode()
    head = f"POST /v1/orders HTTP/1.1\r\nHost: {address.netloc}\r\nIdempotency-Key: {key}\r\n"
    head += f"Content-Type: application/json\r\n{HEADER}: {token}\r\n"
    end = f"Connection: close\r\nContent-Length: {len(content)}\r\n\r\n"
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write((head + end).encode() + content)
        await writer.drain()
        if not hear:
            return None
        answered, _, said = (await reader.read()).partition(b"\r\n\r\n")
        if b" 503 " in answered.partition(b"\r\n")[0]:
            assert b"retry-after: " in answered
            return None
        assert answered.startswith(b"HTTP/1.1 202 "), answered + said
        return said
    finally:
        writer.close()


async def rush(url, token, body, seed, buyers):
    """Return each buyer's distinct responses. After a disconnect the next request runs in parallel."""
    draw = random.Random(seed)

    async def buy(buyer, patience):
        name = f"{body['shopper_id']}-{buyer}"
        answers = [await send(url, token, {**body, "shopper_id": name}, name, hear) for hear in patience]
        while answers[-1] is None:
            answers.append(await send(url, token, {**body, "shopper_id": name}, name, True))
        return {answer for answer in answers if answer is not None}

    order = draw.sample(range(buyers), buyers)
    patience = [[*(draw.random() < 0.5 for _ in range(TRIES - 1)), True] for _ in order]
    return await asyncio.gather(*map(buy, order, patience))


@pytest.mark.parametrize(("seed", "buyers"), [(1, 100), *NIGHTLY])
def test_exactly_the_last_units_are_sold(shop, eventually, seed, buyers):
    lamp = shop.product(stock=UNITS, price_minor=990)
    shoppers = f"rush-{lamp}"
    token = PrincipalTokens(shop.settings, lambda: time.time() + 3_600).make(platform("tests"), COMMERCE)

    answers = asyncio.run(
        rush(shop.settings.commerce, token, shop.body(lamp, shopper_id=shoppers), seed, buyers)
    )

    assert [len(one) for one in answers] == [1] * buyers
    statuses = (
        "SELECT status, count(*) AS orders "
        "FROM orders.orders WHERE shopper_id LIKE $1 || '-%' GROUP BY status"
    )
    eventually(lambda: {row["status"] for row in shop.sql(statuses, shoppers)} == {"confirmed", "cancelled"})
    assert {row["status"]: row["orders"] for row in shop.sql(statuses, shoppers)} == {
        "confirmed": UNITS,
        "cancelled": buyers - UNITS,
    }
    eventually(lambda: shop.stock(lamp) == (0, 0))
    charges = (
        "SELECT outcome, count(*) AS charges, sum(charges.amount_minor) AS minor "
        "FROM provider.charges JOIN payments.payments ON payment_id = idempotency_key "
        "WHERE shopper_id LIKE $1 || '-%' GROUP BY outcome"
    )
    assert shop.sql(charges, shoppers) == [{"outcome": "captured", "charges": UNITS, "minor": UNITS * 990}]
    eventually(shop.caught_up)
    sold = [event for event in shop.events("stock_changed", lamp) if event["reason"] == "shipped"]
    assert sum(event["change"] for event in sold) == -UNITS
