"""What readers see of a seller whose public profile changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

from clickhouse.client import connect
from clickhouse.databases import analytics_database
from clickhouse.query_files import load_queries
from common.settings import Settings
from tests.integration.event_rows import insert_events

QUERIES = load_queries()
START = datetime(2026, 3, 1, tzinfo=UTC)
SAO_PAULO = {"seller_id": "ana", "name": "Ana's lamps", "city": "são paulo", "state": "SP", "country": "BR"}
SANTOS = {"seller_id": "ana", "name": "Ana's lights", "city": None, "state": "SP", "country": "BR"}


def event(number: int, profile: dict[str, Any]) -> dict[str, Any]:
    """An event of the given minute."""
    return {"event_id": f"e{number}", "occurred_at": START + timedelta(minutes=number), **profile}


def test_every_reader_sees_the_newest_profile_also_after_a_later_registration(
    empty_database: Settings,
) -> None:
    insert_events(
        empty_database,
        {
            "seller_registered": [event(1, SAO_PAULO), event(9, SAO_PAULO)],
            "seller_changed": [event(3, SANTOS), event(2, {**SANTOS, "name": "Ana's lamps & lights"})],
        },
    )
    with connect(empty_database, admin=True) as client:

        def answer(query: str, **parameters: Any) -> list[dict[str, Any]]:
            return list(client.query(QUERIES[query], parameters).named_results())

        (card,) = answer("names_of_sellers", seller_ids=["ana", "unknown"])
        (page,) = answer("seller", seller_id="ana")
        (found,) = answer("sellers", currency="BRL", asked="lights", limit=5)
        database = analytics_database(client.database)
        (row,) = client.query(f"SELECT * FROM `{database}`.sellers").named_results()
        former = answer("sellers", currency="BRL", asked="lamps", limit=5)

    assert [each["name"] for each in (card, page, found, row)] == ["Ana's lights"] * 4
    assert [each["city"] for each in (page, found, row)] == [None] * 3
    assert page["registered_at"].replace(tzinfo=UTC) == START + timedelta(minutes=1)
    assert former == []
