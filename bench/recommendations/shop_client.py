"""What the recommendations benchmark asks of the API: views, lists, titled rows, stock and orders."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import httpx

from bench.recommendations.small_shop import SELLER
from common.errors import PartUnavailable, SoukError
from common.ids import new_id
from common.principal_token import PlatformToken
from common.settings import Settings

TIMEOUT_S = 120.0
"""How long the benchmark waits for something to arrive."""

UNKNOWN_PRODUCT = 422
"""The status with which the inventory refuses the stock of a product that was not listed yet."""

NOT_READY = 503


class ShopClient:
    """An HTTP client of the API, as a process of the platform. Use it as a context manager."""

    def __init__(self, settings: Settings) -> None:
        self._http = httpx.Client(
            base_url=settings.serving, trust_env=False, timeout=30, auth=PlatformToken(settings, "bench")
        )

    def __enter__(self) -> "ShopClient":
        return self

    def __exit__(self, *_error: object) -> None:
        self._http.close()

    def view(self, shopper: str, product_id: str) -> None:
        """Send the view of a product; returns when it was accepted.

        Raises:
            SoukError: the API did not accept it.
        """
        viewed = {"event": "product_viewed", "session_id": f"{shopper}-session", "shopper_id": shopper}
        answer = self._http.post("/v1/events", json={"events": [{**viewed, "product_id": product_id}]})
        if answer.status_code != 202 or answer.json()["accepted"] != 1:
            raise SoukError(f"a view was not accepted: {answer.text}")

    def items(self, visitor: str) -> list[dict[str, Any]]:
        """Return the items of a visitor's list."""
        return list(self._get(f"/v1/recommendations/{visitor}")["items"])

    def has_items(self, visitor: str) -> bool:
        """Return whether the API has a list for a visitor already."""
        answer = self._http.get(f"/v1/recommendations/{visitor}")
        return answer.is_success and bool(answer.json()["items"])

    def ids(self, visitor: str) -> list[str]:
        """Return the product ids of a visitor's list."""
        return [item["product_id"] for item in self.items(visitor)]

    def rows(self, visitor: str) -> list[str]:
        """Return the names of the titled rows on a visitor's home page."""
        return [row["row"] for row in self._get(f"/v1/recommendations/{visitor}/rows?page=home")["rows"]]

    def model_version(self, visitor: str) -> str | None:
        """Return the version of the trained model that proposed products to a visitor."""
        version: str | None = self._get(f"/v1/recommendations/{visitor}?n=50")["model_version"]
        return version

    def has_similar(self, product_id: str) -> bool:
        """Return whether other products were viewed together with this one."""
        answer = self._http.get(f"/v1/products/{product_id}/similar")
        return answer.is_success and any(i["reason"]["kind"] == "similar" for i in answer.json()["items"])

    def set_stock(self, available: int, product_ids: Collection[str]) -> bool:
        """Set the units of products on hand; False while inventory is not ready or misses one."""
        counts = [{"product_id": each, "seller_id": SELLER, "on_hand": available} for each in product_ids]
        answer = self._http.put("/v1/stock", json=counts)
        if answer.status_code not in (UNKNOWN_PRODUCT, NOT_READY):
            _checked(answer)
        return answer.is_success

    def order(self, shopper: str, quantities: Mapping[str, int]) -> str:
        """Order units of products and return the id of the order, which was accepted."""
        body = {
            "shopper_id": shopper,
            "currency": "BRL",
            "payment": {"method": "credit_card", "token": "tok_visa"},
            "lines": [{"product_id": each, "quantity": number} for each, number in quantities.items()],
        }
        answer = self._http.post("/v1/orders", json=body, headers={"Idempotency-Key": new_id()})
        return str(_checked(answer).json()["order_id"])

    def order_status(self, order_id: str) -> str:
        """Return the status of an order."""
        return str(self._get(f"/v1/orders/{order_id}")["status"])

    def _get(self, path: str) -> Any:
        return _checked(self._http.get(path)).json()


def _checked(answer: httpx.Response) -> httpx.Response:
    """Return a successful response.

    Raises:
        PartUnavailable: it has another status.
    """
    if answer.is_success:
        return answer
    raise PartUnavailable(f"{answer.request.url.path} returned {answer.status_code}: {answer.text[:300]}")


def await_true(condition: Callable[[], bool], what: str, pause_s: float = 0.002) -> None:
    """Wait until a condition is true.

    Raises:
        SoukError: it is still false after `TIMEOUT_S`.
    """
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline:
            raise SoukError(f"{what} did not arrive within {TIMEOUT_S:.0f} s")
        time.sleep(pause_s)


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def visitors(count: int, of: int) -> Sequence[str]:
    """Return `count` sessions of the small shop in turn, each of which has a history; `of` are different."""
    return [f"bench-visit-{number % of}" for number in range(count)]
