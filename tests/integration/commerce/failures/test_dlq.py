import asyncio
import os
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import orjson
import pytest

from common.ids import new_id
from producers.kit.inbox.dead_letter_queue import DeadLetterQueue
from schemas.services import SERVICES
from serving.ops.dead_letters import DeadLetters


@pytest.fixture
def dlq(souk):
    """Runs `./souk dlq …`."""

    def run(*arguments, code=0):
        ended, output, errors = souk("dlq", *arguments)
        assert ended == code, output + errors
        return output + errors

    return run


def letters(dlq, topic, key):
    """Return the dead letters of one key. Other tests leave dead letters with other keys."""
    return [letter for letter in orjson.loads(dlq("list", "--json")).get(topic, []) if letter["key"] == key]


def test_a_shipment_of_an_unpaid_order_can_be_replayed_once_it_is_paid(shop, dlq, eventually):
    order_id = shop.buy(shop.product(), token="tok_slow_bank")
    shop.tell("order_shipped", order_id=order_id, shipment_id="s1", seller_id="seller-1")
    eventually(lambda: letters(dlq, "order_shipped", order_id))
    (letter,) = [orjson.loads(line) for line in dlq("show", "order_shipped").splitlines() if order_id in line]
    assert shop.settled(order_id)["status"] == "confirmed"

    dlq("replay", "order_shipped")

    eventually(lambda: shop.order(order_id)["status"] == "shipped")
    assert (letter["stage"], letter["event"]["shipment_id"]) == ("orders", "s1")
    assert "is not paid yet" in letter["reason"]
    assert not letters(dlq, "order_shipped", order_id)


def test_a_return_of_an_unpaid_order_can_be_replayed_once_it_is_paid(shop, dlq, eventually):
    lamp = shop.product(price_minor=900)
    order_id = shop.buy(lamp, token="tok_slow_bank")
    eventually(lambda: shop.payment(order_id).get("attempts") == 1)
    line = {"line_number": 1, "product_id": lamp, "quantity": 1, "refund_minor": 900, "restocked": True}
    back = {
        "return_id": new_id(), "order_id": order_id, "shopper_id": "ana", "seller_id": "seller-1",
        "reason": "damaged", "placed_at": 0, "currency": "BRL", "lines": [line],
    }  # fmt: skip
    shop.tell("order_returned", **back)
    (rejected,) = eventually(lambda: letters(dlq, "order_returned", order_id))
    assert shop.settled(order_id)["status"] == "confirmed"

    dlq("replay", "order_returned")

    eventually(lambda: len(shop.events("payment_refunded", order_id)) == 1)
    assert rejected["stage"] == "orders"
    eventually(lambda: "returned" in [step["status"] for step in shop.order(order_id)["history"]])
    assert not letters(dlq, "order_returned", order_id)
    shop.tell("order_returned", **back)
    eventually(lambda: letters(dlq, "order_returned", order_id))
    dlq("replay", "order_returned")
    (again,) = eventually(lambda: letters(dlq, "order_returned", order_id))
    assert "was accepted before" in again["reason"]
    assert len(shop.events("payment_refunded", order_id)) == 1
    eventually(lambda: shop.stock(lamp) == (10, 0))


def test_a_replayed_letter_that_is_rejected_again_is_a_new_letter_of_each_service(shop, dlq, eventually):
    key = new_id()
    readers = {name for name, service in SERVICES.items() if "order_cancelled" in service.reads}

    def each_letter():
        found = letters(dlq, "order_cancelled", key)
        return found if len(found) == len(readers) else None

    shop.send("order_cancelled", b"no event at all", key, "orders")
    first = eventually(each_letter)

    assert "sent again" in dlq("replay", "order_cancelled")

    again = eventually(each_letter)
    assert {letter["offset"] for letter in first}.isdisjoint(letter["offset"] for letter in again)
    assert {letter["stage"] for letter in again} == readers
    shown = [line for line in dlq("show", "order_cancelled_dlq").splitlines() if key in line]
    assert '"raw":"no event at all"' in shown[-1]


def test_a_letter_of_two_jobs_is_replayed_once(shop, dlq):
    key = new_id()
    for _job in ("facts", "rankings"):
        shop.send("payout_paid_dlq", b"garbage", key, headers={"stage": "decode", "reason": "short"})

    assert dlq("replay", "payout_paid") == "1 sent again to payout_paid\n"
    assert not letters(dlq, "payout_paid", key)


@pytest.fixture
def one_cut_short(shop):
    """The key of three dead letters of a topic that no service reads; the second is truncated."""
    key = new_id()
    for value, cut in ((b"one", {}), (b"two", {"truncated_from": "1000000"}), (b"three", {})):
        shop.send("payout_paid_dlq", value, key, headers={"stage": "decode", "reason": "short", **cut})
    return key


def test_a_truncated_letter_is_not_replayed_and_stays_until_it_is_discarded(shop, dlq, one_cut_short):
    _, cut, _ = letters(dlq, "payout_paid", one_cut_short)
    place = str(cut["offset"])

    said = dlq("replay", "payout_paid")

    assert "2 sent again to payout_paid\n" in said
    assert f"1 truncated and not sent: {place}." in said
    assert f"`./souk dlq discard payout_paid --offset {place}`" in said
    sent = [one.value() for one in shop.messages("payout_paid") if one.key() == one_cut_short.encode()]
    assert sorted(sent) == [b"one", b"three"]
    assert letters(dlq, "payout_paid", one_cut_short) == [cut]
    assert "0 sent again" in dlq("replay", "payout_paid")

    assert dlq("discard", "payout_paid", "--offset", place) == "1 of payout_paid_dlq discarded\n"

    assert not letters(dlq, "payout_paid", one_cut_short)
    assert one_cut_short in dlq("show", "payout_paid", "--offset", place)


def test_replaying_one_letter_resolves_no_other(dlq, one_cut_short):
    first, cut, last = letters(dlq, "payout_paid", one_cut_short)

    dlq("replay", "payout_paid", "--offset", str(last["offset"]))
    assert letters(dlq, "payout_paid", one_cut_short) == [first, cut]

    assert dlq("discard", "payout_paid", "--all") == "2 of payout_paid_dlq discarded\n"
    assert not letters(dlq, "payout_paid", one_cut_short)


def test_a_letter_written_after_others_were_discarded_is_listed(shop, dlq, one_cut_short):
    dlq("discard", "payout_paid", "--all")
    shop.send("payout_paid_dlq", b"four", one_cut_short, headers={"stage": "decode"})

    assert len(letters(dlq, "payout_paid", one_cut_short)) == 1
    dlq("discard", "payout_paid", "--all")


@pytest.fixture
def large(shop, dlq):
    """Large dead letters of a topic: 20 MB."""
    dlq("discard", "payout_paid", "--all")
    for number in range(200):
        shop.send("payout_paid_dlq", os.urandom(100_000), str(number), headers={"stage": "decode"})
    yield 200
    dlq("discard", "payout_paid", "--all")


@contextmanager
def memory_for_few_letters():
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def test_commands_hold_few_letters_in_memory(shop, dlq, large):
    with memory_for_few_letters():
        assert f" {large} " in dlq("list")
        assert len(letters(dlq, "payout_paid", "7")) == 1
        assert f"{large - 1} more" in dlq("show", "payout_paid", "--limit", "1")
        assert f"{large} sent again" in dlq("replay", "payout_paid")
    assert not letters(dlq, "payout_paid", "7")
    sent = [one.key() for one in shop.messages("payout_paid") if len(one.value()) == 100_000]
    assert sorted(sent) == sorted(str(number).encode() for number in range(large))


def test_pages_hold_few_letters_in_memory(shop, large):
    dead_letters = DeadLetters(shop.settings)

    async def read():
        return [
            await dead_letters.summaries(),
            await dead_letters.page("payout_paid", -1, 2),
            await dead_letters.replay("payout_paid", None),
        ]

    with memory_for_few_letters():
        summaries, page, sent = asyncio.run(read())
    assert [each.letters for each in summaries if each.name == "payout_paid"] == [large]
    assert ([each.letter.key for each in page.letters], page.total, sent) == (["0", "1"], large, large)
    assert page.next_after == page.letters[1].letter.offset


def test_letters_that_several_processes_discard_at_once_are_all_resolved(shop, dlq):
    keys = [new_id() for _ in range(24)]
    for key in keys:
        shop.send("payout_paid_dlq", b"one", key, headers={"stage": "decode"})
    with DeadLetterQueue(shop.settings.kafka) as queue:
        offsets = [one.offset for one in queue.unresolved("payout_paid_dlq") if one.key in keys]

    def discard(own):
        with DeadLetterQueue(shop.settings.kafka) as queue:
            for offset in own:
                queue.discard("payout_paid_dlq", [offset])

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(discard, [offsets[::3], offsets[1::3], offsets[2::3]]))

    unresolved = {letter["key"] for letter in orjson.loads(dlq("list", "--json")).get("payout_paid", [])}
    assert len(offsets) == len(keys)
    assert unresolved.isdisjoint(keys)


def test_mistakes_are_answered_in_one_line(dlq):
    assert dlq("show", "nothing", code=2).startswith("souk: there is no dead-letter topic of 'nothing'")
    assert "holds no dead letter 999" in dlq("replay", "order_placed", "--offset", "999", code=2)
    assert "choose dead letters" in dlq("discard", "order_placed", code=2)
    assert "are rows that ClickHouse or Redis refused" in dlq("replay", "recommendations", code=2)
