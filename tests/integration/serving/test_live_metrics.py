"""A seller follows the sums of the current day."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest

from common.principal_token import GATEWAY, LIFETIME_S, PrincipalTokens
from common.settings import Settings
from tests.integration.servers import await_true
from tests.integration.serving.conftest import NOTHING, running_serving
from tests.principals import TESTS, bearer

PATH = "/v1/sellers/ana/metrics/live"
PROGRESS = ["order_confirmed", 1, 2, "2018-02-18 05:59:30.000", 4]

Event = tuple[dict[str, str], Any]
"""The fields of an event besides its data, and the data."""


def events(response: httpx.Response) -> Iterator[Event]:
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        name, _, value = line.partition(": ")
        if name:
            fields[name] = value
        elif not line and "data" in fields:
            yield fields, orjson.loads(fields.pop("data"))
            fields = {}


@contextmanager
def following(shop: Settings, headers: dict[str, str] | None = None, **parameters: str) -> Iterator[Any]:
    own = headers or bearer(shop)
    with (
        httpx.Client(base_url=shop.serving, trust_env=False, timeout=30, headers=own) as http,
        http.stream("GET", PATH, params=parameters) as response,
    ):
        yield response


def test_a_sale_is_pushed_and_the_values_are_those_of_the_api(
    shop: Settings, api: httpx.Client, add: Callable[[str, list[Any]], None]
) -> None:
    with following(shop, metrics="orders,net_sales") as response:
        stream = events(response)
        first_fields, first = next(stream)
        minute = f"{datetime.now(UTC):%F %H:%M}:00"
        add("seller_sales_minute", ["ana", minute, "BRL", 1, 1, 2, 1000, 100, 50, *NOTHING])
        add("pipeline_progress", PROGRESS)
        fields, shown = next(stream)

    assert (first_fields["event"], fields["event"]) == ("metrics", "metrics")
    assert first_fields["id"] != fields["id"]
    changed = {name: value - first["values"][name] for name, value in shown["values"].items()}
    assert changed == {"orders": 1, "net_sales": 900}
    assert list(shown["values"]) == ["orders", "net_sales"]
    path = "/v1/sellers/ana/analytics/orders"
    asked = {"with": "net_sales", "compare": "none", **shown["period"]}
    answer = api.get(path, params=asked).raise_for_status().json()
    assert shown["values"] == {total["name"]: total["value"] for total in answer["totals"]}
    assert shown["versions"] == {total["name"]: total["version"] for total in answer["totals"]}
    with following(shop, bearer(shop) | {"Last-Event-ID": fields["id"]}, metrics="orders,net_sales") as again:
        assert next(events(again)) == (fields, shown)


def test_the_stream_ends_with_the_token(shop: Settings) -> None:
    tokens = PrincipalTokens(shop, now=lambda: time.time() - LIFETIME_S + 3)
    own = {"Authorization": f"Bearer {tokens.make(TESTS, GATEWAY)}"}
    with following(shop, own) as response:
        names = [fields["event"] for fields, _ in events(response)]

    assert names == ["metrics", "ended"]


@pytest.mark.nightly  # it starts an API of its own
def test_a_stream_ends_in_order_when_its_server_stops_and_the_reader_may_connect_again(
    shop: Settings,
) -> None:
    server = ExitStack()
    served = server.enter_context(running_serving(shop))
    with ThreadPoolExecutor(1) as thread, following(served) as response:
        stream = events(response)
        next(stream)
        stopping = thread.submit(server.close)
        left = [fields["event"] for fields, _ in stream]  # fails if the stream is cut
        stopping.result()

    assert "ended" not in left  # a browser would not connect again


def test_a_seller_has_a_limited_number_of_streams(shop: Settings) -> None:
    with ExitStack() as stack:
        opened = []
        while (response := stack.enter_context(following(shop))).status_code == 200 and len(opened) < 60:
            opened.append(events(response))
            next(opened[-1])
        assert len(opened) >= 10
        assert (response.status_code, response.headers["retry-after"]) == (429, "5")
        assert "too-many-streams" in response.read().decode()

    def has_room() -> bool:
        with following(shop) as response:
            return bool(response.status_code == 200)

    await_true(has_room, "room for another stream")


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        (f"{PATH}?metrics=average_order_value", 422, "is not a sum, so it can't be followed. Choose from: "),
        (f"{PATH}?metrics=customers", 422, "is not a sum"),
        (f"{PATH}?metrics=orders,orders", 422, "each metric once"),
        (f"{PATH}?metrics=luck", 404, "no metric"),
        ("/v1/sellers/nobody-at-all/metrics/live", 404, "No seller has the id"),
    ],
)
def test_what_can_t_be_followed_is_refused(api: httpx.Client, path: str, status: int, says: str) -> None:
    answer = api.get(path)

    assert answer.status_code == status
    assert says in answer.json()["detail"]
