"""Generated hostile queries of a seller: no answer depends on the rows of other sellers.

Each query runs in two databases. One has all sellers, the other one has nothing but the rows of one seller.
The answers must be the same, errors included: whatever differs tells about other sellers.
"""

import json
import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from clickhouse.client import connect
from clickhouse.migrate import migrate
from clickhouse.seller_sql.limits import Limits
from common.settings import Settings
from tests.integration.analytics_shop import SELLERS, SETTINGS, Event, events
from tests.integration.clickhouse.hostile_queries import hostile_query
from tests.integration.clickhouse.seller_sql import Answer, SellerClient, seller_client

SELLER = "seller-ana"
CAMPAIGN = int(os.environ.get("SOUK_TEST_HOSTILE_QUERIES", 20_000))
CAMPAIGN_FIRST = int(os.environ.get("SOUK_TEST_HOSTILE_FIRST", 1_000))
CAMPAIGN_LIMIT_S = 3 * 3600.0
"""The campaign: its queries, the seed of the first one, and the time in which all must have run."""

RESOURCES = {"159", "202", "241"}
"""Codes of limits of time, of concurrent queries and of memory, which depend on the machine."""

LIMIT = Limits(time_s=4)
"""A shorter limit of time than that of sellers, because many of the queries would never end."""
LATE_S = 2.0
"""How long after the limit each query must have been answered."""
CANARY = "canary-3e77a0"


def only_of(seller: str, made: dict[str, list[Event]]) -> dict[str, list[Event]]:
    """Return the events that concern a seller, without the lines and items of others."""
    kept: dict[str, list[Event]] = {}
    for table, rows in made.items():
        own = []
        for event in rows:
            parts = {name: event[name] for name in ("lines", "items") if name in event}
            mine = {
                name: [part for part in each if part.get("seller_id", seller) == seller]
                for name, each in parts.items()
            }
            if event.get("seller_id", seller) == seller and all(mine.values()):
                own.append(event | mine)
        kept[table] = own
    shown = {
        (e["recommendation_id"], i["product_id"]) for e in kept["recommendation_shown"] for i in e["items"]
    }
    kept["recommendation_clicked"] = [
        event
        for event in kept["recommendation_clicked"]
        if (event["recommendation_id"], event["product_id"]) in shown
    ]
    reviews = {event["review_id"] for event in kept["review_submitted"]}
    for table in ("review_published", "review_rejected", "review_withdrawn", "review_answered"):
        kept[table] = [event for event in kept[table] if event["review_id"] in reviews]
    return kept


@pytest.fixture(scope="module")
def alone(clickhouse_server: Settings) -> Settings:
    """A database with the rows of one seller. Its name is as long as the other's: queries may compare it."""
    settings = clickhouse_server.model_copy(update={"clickhouse_database": "isolated"})
    migrate(settings)
    with connect(settings, admin=True) as client:
        for table, rows in only_of(SELLER, events(1)).items():
            block = "\n".join(map(json.dumps, rows))
            if rows:
                client.raw_insert(table, insert_block=block, fmt="JSONEachRow", settings=SETTINGS)
    return settings


@pytest.fixture(scope="module")
def canary(filled: Settings) -> str:
    """The path of a file of ClickHouse that no answer may contain."""
    path = filled.home / "clickhouse" / "data" / "hostile_canary.txt"
    path.write_text(CANARY)
    return str(path)


@pytest.fixture(scope="module")
def clients(filled: Settings, alone: Settings) -> Iterator[tuple[SellerClient, SellerClient]]:
    with seller_client(filled, SELLER, LIMIT) as one, seller_client(alone, SELLER, LIMIT) as other:
        yield one, other


@pytest.fixture(scope="module")
def unguarded(filled: Settings) -> Iterator[SellerClient]:
    """A client whose queries are not checked."""
    with seller_client(filled, SELLER, LIMIT, guard=False) as client:
        yield client


def sent(client: SellerClient, query: str, canary: str) -> Answer:
    """Send a query with the names of its marks, and check that the answer comes in time."""
    names = {"{canary}": canary, **names_of(client)}
    for mark, name in names.items():
        query = query.replace(mark, name)
    begun = time.monotonic()
    answer = client.send(query.replace("{{", "{").replace("}}", "}"), {"x": "orders", "t": "orders"})
    took = time.monotonic() - begun
    assert took < LIMIT.time_s + LATE_S, f"{took:.1f} s: {query}"
    assert CANARY not in answer.text, query
    return answer


def names_of(client: SellerClient) -> dict[str, str]:
    return {"{database}": client.database, "{facts}": client.database.removesuffix("_analytics")}


def outcome(client: SellerClient, query: str, canary: str) -> tuple[str, Any]:
    """Return the error's code and an empty list, or no code and the sorted rows.

    `{database}` and `{facts}` stand for the names of databases, which an answer may repeat.
    """
    answer, names = sent(client, query, canary), names_of(client)
    if answer.code:
        return str(answer.code), []
    try:
        content = answer.text
        for mark, name in names.items():
            content = content.replace(name, mark)
        rows = json.loads(content)["data"]
    except ValueError:
        return "not JSON", answer.text
    return "", sorted(map(json.dumps, rows))


def without_limits(query: str) -> str:
    """Return a query without its LIMITs, which choose any rows where its order is not complete."""
    return re.sub(r"\bLIMIT\s+\d+", "", query)


def in_order(found: tuple[str, Any]) -> tuple[str, Any]:
    """Return an outcome with the values of each array sorted: some functions return them in any order."""

    def ordered(value: Any) -> Any:
        return sorted(map(ordered, value), key=json.dumps) if isinstance(value, list) else value

    code, rows = found
    return code, sorted(json.dumps(ordered(json.loads(row))) for row in rows) if code == "" else rows


def run(
    clients: tuple[SellerClient, SellerClient], canary: str, seeds: range, limit_s: float = float("inf")
) -> Counter[str]:
    """Run the queries of these seeds in both databases, as many as start within `limit_s`.

    Return how often each outcome occurred.
    """
    crowded, alone = clients
    outcomes: Counter[str] = Counter()
    deadline = time.monotonic() + limit_s
    for seed in seeds:
        if time.monotonic() > deadline:
            break
        query = hostile_query(seed)
        one, other = outcome(crowded, query, canary), outcome(alone, query, canary)
        outcomes[one[0] or "answered"] += 1
        if not RESOURCES & {one[0], other[0]} and one != other:
            one, other = (outcome(client, without_limits(query), canary) for client in clients)
            outcomes["same in any order"] += 1
            assert in_order(one) == in_order(other), f"seed {seed}: {query}"
        assert not re.search("|".join(f"{re.escape(each)}ville" for each in SELLERS[1:]), str(one[1]))
    for seller_id in SELLERS:
        assert crowded.of(seller_id).rows("SELECT DISTINCT seller_id FROM order_lines") == [[seller_id]]
    return outcomes


def run_unguarded(client: SellerClient, canary: str, seeds: range) -> Counter[str]:
    """Run the queries of these seeds without their check, and return how often each code occurred."""
    codes: Counter[str] = Counter()
    for seed in seeds:
        query = hostile_query(seed)
        answer = sent(client, query, canary)
        codes[str(answer.code) if answer.code else "answered"] += 1
        if not answer.code:
            foreign = re.search("|".join(f"{re.escape(each)}ville" for each in SELLERS[1:]), answer.text)
            assert not foreign, f"seed {seed}: {query}"
    return codes


def test_hostile_queries_tell_nothing_about_other_sellers(
    clients: tuple[SellerClient, SellerClient], canary: str
) -> None:
    outcomes = run(clients, canary, range(300))

    assert outcomes["answered"] > 50, outcomes
    assert outcomes["497"] > 50, outcomes


def test_hostile_queries_that_nobody_checks_read_no_foreign_row(unguarded: SellerClient, canary: str) -> None:
    codes = run_unguarded(unguarded, canary, range(500, 600))

    assert codes["answered"] > 20, codes


@pytest.mark.campaign
@pytest.mark.timeout(4 * 3600)
def test_many_hostile_queries_that_nobody_checks_read_no_foreign_row(
    unguarded: SellerClient, canary: str, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = run_unguarded(unguarded, canary, range(CAMPAIGN_FIRST, CAMPAIGN_FIRST + CAMPAIGN))
    with capsys.disabled():
        print(f"\n{codes.total():,} hostile queries without the check: {dict(codes.most_common())}")


@pytest.mark.campaign
@pytest.mark.timeout(4 * 3600)
def test_many_hostile_queries_tell_nothing_about_other_sellers(
    clients: tuple[SellerClient, SellerClient], canary: str, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = time.monotonic()
    outcomes = run(clients, canary, range(CAMPAIGN_FIRST, CAMPAIGN_FIRST + CAMPAIGN), CAMPAIGN_LIMIT_S)
    seconds, unordered = time.monotonic() - begun, outcomes.pop("same in any order", 0)
    count = outcomes.total()
    with capsys.disabled():
        answered, refused = outcomes["answered"], count - outcomes["answered"]
        print(f"\n{count:,} hostile queries from seed {CAMPAIGN_FIRST:,} in {seconds:,.0f} s: ", end="")
        print(f"{answered:,} answered, {refused:,} refused ({dict(outcomes.most_common())}), ", end="")
        print(f"{unordered:,} compared in any order and without LIMIT; ", end="")
        print("0 foreign rows")

    assert count == CAMPAIGN, f"{count:,} of {CAMPAIGN:,} queries ran within {CAMPAIGN_LIMIT_S:,.0f} s"
