"""While the shop sells, the parts of an answer belong together: its split adds up to its total and series."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import httpx
import pytest
from hypothesis import settings as profile

from common.settings import Settings
from tests.integration.serving.conftest import TABLES, clear, insert

PERIOD = {"from": "2017-03-01", "to": "2017-04-01", "compare": "none", "grain": "day"}
NOTHING = (0, 0, 0, 0)
PRODUCTS = ("desk", "bed", "shelf")
ANSWERS = 60 if profile.default.max_examples > 100 else 20
"""Each is a chance to see a part of a sale. The nightly run takes more of them."""


@contextmanager
def selling(settings: Settings, seller: str) -> Iterator[None]:
    """Insert sales of a seller, one product after the other, as fast as ClickHouse takes them."""
    ended = Event()

    def sell() -> None:
        sold = 0
        while not ended.is_set():
            sold += 1
            minute = f"2017-03-{1 + sold % 28:02} {sold // 60 % 24:02}:{sold % 60:02}:00"
            # An order is named by its row, so that none replaces another one.
            row = [seller, minute, "BRL", 1, 1, 1, 1000 + sold, 0, 100, *NOTHING]
            insert(settings, "seller_sales_minute", [[*row, PRODUCTS[sold % len(PRODUCTS)]]])

    thread = Thread(target=sell)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        clear(settings, "seller_sales_minute")
        insert(settings, "seller_sales_minute", TABLES["seller_sales_minute"][1])


@pytest.mark.parametrize(("of", "by"), [("sellers/ana", "product"), ("marketplace", "seller")])
def test_a_split_adds_up_to_its_total_while_the_shop_sells(
    api: httpx.Client, shop: Settings, of: str, by: str
) -> None:
    totals, unlike = set(), []
    with selling(shop, "ana"):
        for _ in range(ANSWERS):
            parameters: dict[str, Any] = {**PERIOD, "with": "gross_sales", "by": by, "top": 1}
            found = api.get(f"/v1/{of}/analytics/net_sales", params=parameters).raise_for_status().json()
            for total in found["totals"]:
                parts = [*found["split"], *([found["rest"]] if found["rest"] else [])]
                split = sum(part["values"][total["name"]] for part in parts)
                series = sum(bucket["values"][total["name"]] for bucket in found["series"])
                totals.add(total["value"])
                if not split == series == total["value"]:
                    unlike.append((total, split, series))

    assert unlike == []
    assert len(totals) > ANSWERS / 4, "the shop sold nothing between two answers"
