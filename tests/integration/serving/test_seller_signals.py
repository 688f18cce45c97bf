"""The signals of a seller and of the marketplace: pages, kinds, periods, and the part of the overview."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from common.settings import Settings
from tests.integration.serving.conftest import ask, put

ANN, BOB = "signal-ann", "signal-bob"
COLUMNS = (
    *("seller_id", "signal_id", "kind", "subject_kind", "subject_id"),
    *("first_at", "last_at", "figures", "sentence"),
)
STOCK = ["stock_end", "product", "lamp", "2018-02-10 09:00:00.000", "2018-02-10 10:00:00.000"]
WAVE = ["cancellation_wave", "seller", ANN, "2018-02-11 06:00:00.000", "2018-02-11 12:00:00.000"]
FLOOD = ["review_flood", "product", "gone/rug", "2018-02-11 11:30:00.000", "2018-02-11 12:00:00.000"]
PIX = ["payment_failures", "payment_method", "pix", "2018-02-12 06:00:00.000", "2018-02-12 06:04:00.500"]
PROGRESS = ("table_name", "subtask", "parallelism", "watermark", "version")


@pytest.fixture(scope="module", autouse=True)
def raised(shop: Settings) -> Iterator[None]:
    """Signals of two sellers and of the marketplace; one was raised twice."""
    rows = [
        [ANN, "s1", *STOCK, {"available": 9}, "An earlier reading."],
        [ANN, "s1", *STOCK, {"available": 9, "units_sold": 11}, "Units left: 9."],
        [ANN, "s2", *WAVE, {"cancellations": 6}, "6 orders were cancelled."],
        [ANN, "s3", *FLOOD, {"reviews": 10}, "10 reviews."],
        [BOB, "s2", *WAVE, {"cancellations": 8}, "8 orders were cancelled."],
        ["", "s4", *PIX, {"failures": 5}, "5 payments by pix failed in a row."],
    ]
    for row in rows:
        put(shop, "signals", COLUMNS, [row])
    put(shop, "pipeline_progress", PROGRESS, [["signals", 0, 1, "2018-02-18 05:00:00.000", 1]])
    yield
    ask(shop, "TRUNCATE TABLE signals")
    ask(shop, "DELETE FROM pipeline_progress WHERE table_name = 'signals'")


def listed(api: httpx.Client, path: str, **parameters: str | int) -> list[tuple[str, str]]:
    """Return the seller and id of every signal, page by page."""
    found, cursor = [], {}
    while True:
        answer = api.get(path, params={**parameters, **cursor}).raise_for_status().json()
        found += [(signal["seller_id"], signal["signal_id"]) for signal in answer["signals"]]
        if answer["next_cursor"] is None:
            return found
        cursor = {"cursor": answer["next_cursor"]}


def test_a_seller_sees_their_own_signals_the_newest_first(api: httpx.Client) -> None:
    path = f"/v1/sellers/{ANN}/signals"

    everything = [(ANN, "s3"), (ANN, "s2"), (ANN, "s1")]
    assert listed(api, path) == listed(api, path, limit=1) == listed(api, path, limit=2) == everything
    assert listed(api, path, kind="stock_end") == [(ANN, "s1")]
    assert listed(api, path, **{"from": "2018-02-11", "to": "2018-02-12"}) == everything[:2]
    assert listed(api, path, **{"from": "2018-02-11T10:00:00Z"}) == everything[:2], "the end is today"


def test_a_signal_has_what_raised_it(api: httpx.Client) -> None:
    answer = api.get(f"/v1/sellers/{ANN}/signals", params={"kind": "stock_end"}).json()

    assert answer["signals"] == [
        {
            "signal_id": "s1", "kind": "stock_end", "seller_id": ANN, "subject_kind": "product",
            "subject_id": "lamp", "label": "Lamp", "first_at": "2018-02-10T07:00:00-02:00",
            "last_at": "2018-02-10T08:00:00-02:00", "figures": {"available": 9, "units_sold": 11},
            "sentence": "Units left: 9.",
        }
    ]  # fmt: skip


def test_the_answer_says_up_to_when_it_is_complete(
    api: httpx.Client, wait_until: Callable[..., object]
) -> None:
    def as_of() -> Any:
        return api.get(f"/v1/sellers/{ANN}/signals").json()["as_of"]

    assert wait_until(as_of) == "2018-02-18T02:00:00-03:00"


def test_the_marketplace_sees_all_signals(api: httpx.Client) -> None:
    expected = [(None, "s4"), (ANN, "s3"), (BOB, "s2"), (ANN, "s2"), (ANN, "s1")]

    path = "/v1/marketplace/signals"
    assert listed(api, path) == listed(api, path, limit=1) == listed(api, path, limit=3) == expected
    rows = api.get(path, params={"kind": "payment_failures"}, headers={"Accept": "text/csv"}).text
    assert rows.splitlines()[1].startswith("s4,payment_failures,,payment_method,pix,,")


def test_bad_requests_are_refused(api: httpx.Client) -> None:
    assert api.get("/v1/sellers/nobody/signals").status_code == 404
    path = f"/v1/sellers/{ANN}/signals"
    for bad in ({"kind": "gossip"}, {"cursor": "x"}, {"from": "then"}, {"limit": "0"}):
        assert api.get(path, params=bad).status_code == 422, bad


def test_the_overview_shows_the_newest_with_what_they_concern(api: httpx.Client) -> None:
    page = {"Accept": "text/html"}
    part = api.get(f"/sell/{ANN}/signals", headers=page).text

    words = " ".join(re.sub("<[^>]+>", " ", part).split())
    assert "Stock ends before the next delivery: Lamp Units left: 9." in words
    assert "Many cancellations 6 orders were cancelled." in words
    assert 'href="/shop/products/gone%2Frug"' in part
    assert f'href="/sell/{ANN}/metrics?metric=cancellation_rate"' in part
    assert 'data-part="/sell/ana/signals"' in api.get("/sell/ana", headers=page).text
    assert "Nothing unusual so far." in api.get("/sell/new/signals", headers=page).text
