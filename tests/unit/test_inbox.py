import orjson
import pytest

from common.errors import Rejected
from common.ids import is_uuid7, new_id
from producers.kit.inbox.message_processor import dead_letter
from producers.kit.inbox.subscription import ONLY_FOR, InboundEvent, Subscription, any_key, headers_of
from producers.kit.outbox.dead_letter_message import MAX_VALUE_BYTES
from producers.kit.outbox.relay import MAX_MESSAGE_BYTES
from tests.kafka_message import KafkaMessage


async def act(tx, event):
    """Does nothing."""


OWN = Subscription("order_placed", act)
CARRIERS = Subscription("order_shipped", act, external_key=is_uuid7)
OF_OTHERS = Subscription("review_submitted", act, external_key=any_key, skips_own=True)


@pytest.mark.parametrize(
    ("subscription", "key", "headers", "concerns"),
    [
        (OWN, "o1", {"origin": "orders"}, True),
        (OWN, "o1", {}, False),  # a historical event
        (CARRIERS, new_id(), {}, True),
        (CARRIERS, "h0123", {}, False),  # ids of historical orders are not UUIDs
        (OF_OTHERS, "o1", {}, True),
        (OF_OTHERS, "o1", {"origin": "payments"}, False),  # it has emitted the event itself
        (OWN, "o1", {"origin": "orders", ONLY_FOR: "payments"}, True),
        (OWN, "o1", {"origin": "orders", ONLY_FOR: "inventory"}, False),  # a dead letter of another service
    ],
)
def test_a_service_knows_which_undecoded_messages_concern_it(subscription, key, headers, concerns):
    assert subscription.concerns("payments", key, headers) is concerns


def test_a_dead_letter_is_the_original_message_with_the_reason_and_its_location():
    message = KafkaMessage(b"\x00\xff", [("origin", b"orders")])
    received = InboundEvent(message, headers_of(message), Rejected("no"))

    letter = dead_letter(received, "payments", "no")

    assert (letter.topic, letter.key, letter.value) == ("order_placed_dlq", b"o1", b"\x00\xff")
    assert letter.headers["stage"] == "payments"
    assert letter.headers["came_from"] == "order_placed/3/42"
    assert letter.headers["origin"] == "orders"


def test_a_dead_letter_too_large_for_kafka_is_truncated_and_says_so():
    received = InboundEvent(KafkaMessage(b"x" * (MAX_VALUE_BYTES + 1)), {}, Rejected("no"))

    letter = dead_letter(received, "payments", "no")

    assert len(letter.value) == MAX_VALUE_BYTES
    assert letter.headers["truncated_from"] == str(MAX_VALUE_BYTES + 1)


def test_a_dead_letter_leaves_out_large_headers_and_truncates_a_large_key():
    message = KafkaMessage(b"x" * 10**6, [("origin", b"orders"), ("huge", b"h" * 10**6)], key=b"k" * 10**6)

    letter = dead_letter(InboundEvent(message, headers_of(message), Rejected("no")), "payments", "no")

    headers = letter.headers
    assert len(letter.key) + len(letter.value) + len(orjson.dumps(letter.headers)) < MAX_MESSAGE_BYTES
    assert (headers["origin"], headers["truncated_from"]) == ("orders", "1000000")
    assert "huge" not in headers


def test_headers_become_text_that_postgresql_can_store():
    headers = [("a", b"\xff"), ("b", None), ("c", "d"), ("e", b"f\x00g")]

    assert headers_of(KafkaMessage(b"", headers)) == {"a": "\ufffd", "b": "", "c": "d", "e": "f\ufffdg"}


def test_a_reason_becomes_text_that_postgresql_can_store():
    letter = dead_letter(InboundEvent(KafkaMessage(b""), {}, Rejected("no")), "payments", "r\x00")

    assert letter.headers["reason"] == "r\ufffd"
