"""Measures how soon after its listing a new product is in somebody's list."""

import time
from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

from rich.console import Console

from bench.recommendations.shop_client import ShopClient, visitors
from bench.recommendations.small_shop import VISITS, RecordProducer, listing

LISTED_EVERY_S = 3.7
"""The time between two listings. It is no divisor of the time after which processes read new listings."""

ASKED_EVERY_S = 0.1
"""The time between two lists: a shop with few visitors."""

LIMIT_S = 60.0
"""A new listing must be shown within this time."""


def measure(
    client: ShopClient,
    producer: RecordProducer,
    count: int,
    clock: Callable[[], datetime],
    console: Console,
) -> tuple[list[float], int]:
    """List `count` products of as many sellers, while visitors with a history ask for lists.

    Returns the seconds from Kafka's acknowledgement of each listing to the end of the first answer with the
    product, and the number of products that were in no list within `LIMIT_S`.
    """
    run = uuid4().hex[:8]
    waiting: dict[str, float] = {}
    shown: list[float] = []
    listed = missed = 0
    asking = iter(visitors(10**6, VISITS))
    begun = time.perf_counter()
    while listed < count or waiting:
        now = time.perf_counter()
        if listed < count and now - begun >= listed * LISTED_EVERY_S:
            product_id = f"bench-new-{run}-{listed}"
            producer.send("product_listed", listing(product_id, f"bench-newcomer-{listed}", listed, clock()))
            producer.flush()
            waiting[product_id] = time.perf_counter()
            listed += 1
        for product_id in waiting.keys() & set(client.ids(next(asking))):
            shown.append(time.perf_counter() - waiting.pop(product_id))
        for product_id, since in list(waiting.items()):
            if time.perf_counter() - since > LIMIT_S:
                del waiting[product_id]
                missed += 1
        time.sleep(max(0.0, now + ASKED_EVERY_S - time.perf_counter()))
    console.print(f"  {len(shown)} of {count} new products were in a list", highlight=False)
    return shown, missed
