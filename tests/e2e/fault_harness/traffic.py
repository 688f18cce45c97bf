"""Sends what people send while a fault is injected: two requests a second of each kind, answered or not."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

import httpx

from common.settings import Settings
from tests.principals import bearer

PAUSE_S = 0.5
"""Between two requests of a kind."""

TIMEOUT_S = 20.0
"""Longer than the API waits for a part: a client that leaves earlier says nothing about the part."""

MAX_THREADS = 10
"""Of each kind: a request that hangs does not keep others from being sent."""

SHOPPER = "shopper-000001"
Request = Callable[[httpx.Client, str], httpx.Response]


def checkout(http: httpx.Client, product_id: str) -> httpx.Response:
    body = {
        "shopper_id": SHOPPER,
        "currency": "BRL",
        "payment": {"method": "credit_card", "token": "tok_visa", "installments": 1},
        "lines": [{"product_id": product_id, "quantity": 1}],
    }
    return http.post("/v1/orders", json=body, headers={"Idempotency-Key": str(uuid4())})


def view(http: httpx.Client, product_id: str) -> httpx.Response:
    event = {"event": "product_viewed", "session_id": str(uuid4()), "product_id": product_id}
    return http.post("/v1/events", json={"events": [event]})


def recommendations(http: httpx.Client, _: str) -> httpx.Response:
    return http.get(f"/v1/recommendations/{uuid4()}", params={"n": 12})


def product(http: httpx.Client, product_id: str) -> httpx.Response:
    return http.get(f"/v1/products/{product_id}")


REQUESTS: tuple[Request, ...] = (checkout, view, recommendations, product)


@contextmanager
def traffic(settings: Settings) -> Iterator[None]:
    """Send the requests of every kind from threads, until the context ends."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=_send, args=(settings, request, number * PAUSE_S, stop), daemon=True)
        for request in REQUESTS
        for number in range(MAX_THREADS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _send(settings: Settings, request: Request, delay_s: float, stop: threading.Event) -> None:
    """Send a request at each turn of this thread; a turn that passes during a request is left out."""
    period_s = PAUSE_S * MAX_THREADS
    next_at, number = time.monotonic() + delay_s, 0
    with httpx.Client(base_url=settings.serving, timeout=TIMEOUT_S, trust_env=False) as http:
        while not stop.wait(max(0.0, next_at - time.monotonic())):
            next_at = max(next_at + period_s, time.monotonic())
            number += 1
            http.headers.update(bearer(settings))  # a token lasts for an hour
            with suppress(httpx.HTTPError):
                request(http, f"product-{number % 50 + 1:06}")
