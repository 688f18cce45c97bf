import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.clock import system_clock
from common.ids import new_id
from producers.kit.outbox.message import EventWriter
from producers.kit.outbox.trace import Trace
from schemas.codec import Decoder, NotEncodable
from schemas.events import all_events

CONFIRMED = all_events()["order_confirmed"]
WRITER = EventWriter("orders", {"order_confirmed": 7})


def write(trace, **fields):
    return WRITER.write(
        "order_confirmed", system_clock(), trace, {"order_id": "o1", "shopper_id": "ana", **fields}
    )


def test_a_message_has_the_key_of_its_event_and_its_origin():
    message = write(Trace("o1"))

    record = Decoder(lambda _id: CONFIRMED.schema).decode(message.value)
    headers = message.headers
    assert (message.topic, message.key, record["shopper_id"]) == ("order_confirmed", b"o1", "ana")
    assert (headers["origin"], headers["correlation_id"]) == ("orders", "o1")
    assert "causation_id" not in headers


def test_an_event_that_does_not_fit_its_schema_is_not_written():
    with pytest.raises(NotEncodable, match="shopper_id"):
        write(Trace("o1"), shopper_id=None)


def test_the_next_event_of_a_chain_has_its_cause_and_the_same_trace():
    first = write(Trace.start("o1", None)).headers
    second = write(Trace.caused_by("event-1", first)).headers

    assert second["causation_id"] == "event-1"
    assert second["correlation_id"] == "o1"
    assert second["traceparent"].split("-")[1] == first["traceparent"].split("-")[1]
    assert second["traceparent"].split("-")[2] != first["traceparent"].split("-")[2]


def test_an_event_continues_the_trace_of_its_request():
    given_ = f"00-{'ab' * 16}-{'cd' * 8}-01"

    assert write(Trace.start("o1", given_)).headers["traceparent"].startswith(f"00-{'ab' * 16}-")


@given(st.text())
def test_an_invalid_traceparent_starts_a_new_trace(text):
    event_id = new_id()

    assert Trace.start("o1", text).headers(event_id)["traceparent"].count("-") == 3
