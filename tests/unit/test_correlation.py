"""Each request has a correlation id: the client's, if it is a valid one, else a new one."""

import pytest
from starlette.types import Scope

from common import correlation
from common.correlation import trace_id_of
from common.ids import is_uuid7

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def scope_of(**headers: str) -> Scope:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "headers": pairs}


def header(scope: Scope, name: bytes) -> list[str]:
    return [value.decode() for each, value in scope["headers"] if each == name]


def test_the_clients_id_is_kept() -> None:
    scope = scope_of(x_correlation_id="checkout-7")
    assert correlation.begin(scope) == "checkout-7"
    assert header(scope, b"x-correlation-id") == ["checkout-7"]


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "one\x1b[31m", '"', "é"])
def test_an_id_that_could_garble_a_log_is_replaced(given: str) -> None:
    scope = scope_of(x_correlation_id=given)
    made = correlation.begin(scope)
    assert is_uuid7(made)
    assert header(scope, b"x-correlation-id") == [made]


def test_without_a_trace_the_correlation_id_is_its_id() -> None:
    scope = scope_of()
    made = correlation.begin(scope)
    [traceparent] = header(scope, b"traceparent")
    assert trace_id_of(traceparent) == made.replace("-", "")


def test_another_id_gives_a_trace_id_as_well() -> None:
    scope = scope_of(x_correlation_id="checkout-7")
    correlation.begin(scope)
    [traceparent] = header(scope, b"traceparent")
    assert len(trace_id_of(traceparent)) == 32


def test_the_clients_trace_is_kept() -> None:
    scope = scope_of(traceparent=TRACEPARENT)
    correlation.begin(scope)
    assert header(scope, b"traceparent") == [TRACEPARENT]


def test_what_a_request_causes_has_its_ids() -> None:
    scope = scope_of(x_correlation_id="checkout-7", traceparent=TRACEPARENT)
    correlation.begin(scope)
    assert dict(correlation.outgoing_headers()) == {
        "x-correlation-id": "checkout-7",
        "traceparent": TRACEPARENT,
    }


def test_an_invalid_trace_is_replaced() -> None:
    scope = scope_of(traceparent="00-zz-1-01")
    made = correlation.begin(scope)
    [traceparent] = header(scope, b"traceparent")
    assert trace_id_of(traceparent) == made.replace("-", "")
