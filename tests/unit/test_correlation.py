"""Each request has a correlation id: the client's, if it is a valid one, else a new one."""

import pytest
from starlette.types import Scope

from common import correlation
from common.correlation import trace_id_of
from common.ids import is_uuid7

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def scope_of(**headers: str) -> Scope:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "headers": pairs}


def header(scope: Scope, name: bytes) -> list[str]:
    return [value.decode() for each, value in scope["headers"] if each == name]


def test_the_clients_id_is_kept() -> None:
    scope = scope_of(x_correlation_id="checkout-7")
    assert correlation.begin(scope, keeps_trace=True) == "checkout-7"
    assert header(scope, b"x-correlation-id") == ["checkout-7"]


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "one\x1b[31m", '"', "é"])
def test_an_id_that_could_garble_a_log_is_replaced(given: str) -> None:
    scope = scope_of(x_correlation_id=given)
    made = correlation.begin(scope, keeps_trace=True)
    assert is_uuid7(made)
    assert header(scope, b"x-correlation-id") == [made]


def test_without_a_trace_the_correlation_id_is_its_id() -> None:
    scope = scope_of()
    made = correlation.begin(scope, keeps_trace=True)
    [traceparent] = header(scope, b"traceparent")
    assert trace_id_of(traceparent) == made.replace("-", "")


def test_another_id_gives_a_trace_id_as_well() -> None:
    scope = scope_of(x_correlation_id="checkout-7")
    correlation.begin(scope, keeps_trace=True)
    [traceparent] = header(scope, b"traceparent")
    assert len(trace_id_of(traceparent)) == 32


def test_the_trace_of_a_trusted_caller_is_kept() -> None:
    scope = scope_of(traceparent=TRACEPARENT)
    correlation.begin(scope, keeps_trace=True)
    assert header(scope, b"traceparent") == [TRACEPARENT]


@pytest.mark.parametrize("given", [TRACE, "checkout-7"])
def test_another_caller_does_not_choose_the_trace_but_keeps_its_correlation_id(given: str) -> None:
    traces = set()
    for _ in range(2):
        scope = scope_of(x_correlation_id=given, traceparent=TRACEPARENT)
        assert correlation.begin(scope, keeps_trace=False) == given
        [traceparent] = header(scope, b"traceparent")
        traces.add(trace_id_of(traceparent))
    assert len(traces) == 2
    assert TRACE not in traces


def test_what_a_request_causes_has_its_ids() -> None:
    scope = scope_of(x_correlation_id="checkout-7", traceparent=TRACEPARENT)
    correlation.begin(scope, keeps_trace=True)
    assert dict(correlation.outgoing_headers()) == {
        "x-correlation-id": "checkout-7",
        "traceparent": TRACEPARENT,
    }


def test_an_invalid_trace_is_replaced() -> None:
    scope = scope_of(traceparent="00-zz-1-01")
    made = correlation.begin(scope, keeps_trace=True)
    [traceparent] = header(scope, b"traceparent")
    assert trace_id_of(traceparent) == made.replace("-", "")
