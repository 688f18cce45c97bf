"""`services.toml` says once what each room emits and reads; whatever contradicts it does not start."""

import re
from pathlib import Path

import pytest
from fastapi import APIRouter

from clickhouse.query_files import load_queries
from producers.kit.inbox.subscription import Subscription
from producers.kit.outbox.transaction import Transaction
from producers.kit.service import Service
from schemas.codec import Record
from schemas.services import OTHERS, SERVICES, WrongServices, consumers_of, owner_of, read_rooms, takers_of
from schemas.topics import EVENT_TOPICS


async def ignore(_tx: Transaction, _event: Record) -> None:
    """Do nothing."""


def declared(folder: Path, text: str) -> Path:
    file = folder / "services.toml"
    file.write_text(text)
    return file


def test_owners_and_consumers_follow_from_what_rooms_emit_and_read() -> None:
    owners = {topic.name: owner_of(topic.name) for topic in EVENT_TOPICS}

    assert owners["order_placed"] == "producers/services/orders"
    assert owners["product_viewed"] == "serving/event_collector"
    assert owners["order_shipped"] == "external"
    assert set(consumers_of("order_placed")) == {
        "producers/services/inventory", "producers/services/payments", "producers/services/carts",
        "jobs/recommendations",
    }  # fmt: skip


def test_an_event_of_a_service_may_be_taken_from_outside_too() -> None:
    assert owner_of("cart_changed") == "producers/services/carts"
    assert takers_of("cart_changed") == ("serving/event_collector",)
    assert takers_of("product_viewed") == ()


def test_two_services_that_emit_one_event_are_refused(tmp_path: Path) -> None:
    text = """
        [services.orders]
        emits = ["order_placed"]
        [services.baskets]
        emits = ["cart_changed", "order_placed"]
        [others]
    """
    with pytest.raises(WrongServices, match=r"services/orders and \S+/baskets both emit order_placed"):
        read_rooms(declared(tmp_path, text))


@pytest.mark.parametrize("text", ["[services.orders]\nemit = []\n[others]", "[services]\n[others]\n[jobs]"])
def test_a_key_that_nothing_reads_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(WrongServices, match="unknown"):
        read_rooms(declared(tmp_path, text))


def test_a_service_that_is_not_in_the_list_does_not_start() -> None:
    with pytest.raises(WrongServices, match="no service baskets"):
        Service("baskets", (), APIRouter())


@pytest.mark.parametrize(
    ("read", "differing"),
    [
        (("order_placed", "stock_reserved", "order_cancelled"), "return_settled"),
        ((*SERVICES["payments"].reads, "cart_changed"), "cart_changed"),
        (SERVICES["payments"].reads * 2, "an event is there twice"),
    ],
)
def test_a_service_that_reads_anything_else_than_it_says_does_not_start(
    read: tuple[str, ...], differing: str
) -> None:
    with pytest.raises(WrongServices, match=f"producers/services/payments does not read .*: {differing}"):
        Service("payments", tuple(Subscription(event, ignore) for event in read), APIRouter())


def test_a_job_that_reads_anything_else_than_it_says_does_not_start() -> None:
    with pytest.raises(WrongServices, match=r"jobs/rankings .*: order_placed"):
        OTHERS["jobs/rankings"].check_reads(["order_confirmed", "order_placed"])


def test_the_figures_of_a_table_are_limited_by_the_services_that_emit_its_events() -> None:
    (limits,) = re.findall(r"(map\(.*\))\[table_name\]", load_queries()["as_of"])

    assert "'payment_captured', ['payments']" in limits
    assert "'signals', ['orders', 'inventory', 'payments', 'reviews']" in limits
    assert "product_viewed" not in limits  # no service emits it
