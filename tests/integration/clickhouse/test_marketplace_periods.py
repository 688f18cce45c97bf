"""The marketplace's queries return the same for any bounds and time zone as sums over the rows themselves."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from clickhouse.client import connect
from clickhouse.query_files import FOLDER
from common.settings import Settings
from tests.integration.metric_tables import emptied

BEGIN = datetime(2018, 3, 1, tzinfo=UTC)
DAYS = 6
QUESTIONS = [
    ("America/Sao_Paulo", "day", (27, 75, 99, 147)),  # bounds at midnight in Brazil
    ("UTC", "day", (24, 30.5, 72, 120)),
    ("Asia/Kolkata", "hour", (18.5, 40.75, 66.5, 114.5)),  # hours of India begin within those of UTC
    ("Asia/Kathmandu", "week", (18.25, 18.25, 66.25, 114.25)),
    ("UTC", "hour", (25 + 7 / 60, 25 + 8 / 60, 49 + 11 / 60, 73 + 59 / 60)),
]
"""Time zone, grain, and the hours from `BEGIN` to the previous start, compared end, start and end."""


@pytest.fixture(scope="module")
def client(migrated_database: Settings) -> Iterator[Client]:
    """The administrator of a database with orders of several sellers at random times."""
    settings = emptied(migrated_database)
    random = Random(5)
    orders, payments = [], []
    for number in range(400):
        at = BEGIN + timedelta(seconds=random.randrange(DAYS * 86_400))
        sellers = [f"seller-{int(random.random() ** 3 * 40)}" for _ in range(random.randint(1, 2))]
        lines = [
            (n, "pen", seller, 1, 1000 + number, 0, 0, 0, 0, None, None, None)
            for n, seller in enumerate(sellers, 1)
        ]
        orders.append([f"c{number}", at, f"o{number}", at, "BRL", lines])
        payments.append([f"p{number}", at, f"o{number}", random.choice(["pix", "boleto"]), "BRL", number])
    with connect(settings, admin=True) as client:
        client.insert(
            "order_confirmed",
            orders,
            column_names=["event_id", "occurred_at", "order_id", "placed_at", "currency", "lines"],
        )
        client.insert(
            "payment_captured",
            payments,
            column_names=["event_id", "occurred_at", "order_id", "method", "currency", "amount_minor"],
        )
        yield client


@pytest.mark.parametrize(("zone", "grain", "hours"), QUESTIONS)
def test_the_queries_agree_with_the_rows(
    client: Client, zone: str, grain: str, hours: tuple[float, ...]
) -> None:
    names = ("previous_start", "compared_end", "period_start", "period_end")
    moments = (BEGIN + timedelta(minutes=round(60 * each)) for each in hours)
    parameters = {name: f"{moment:%F %T}" for name, moment in zip(names, moments, strict=True)}
    parameters |= {"currency": "BRL", "grain": grain, "timezone": zone}
    current = "minute >= {period_start:DateTime('UTC')} AS is_current"
    compared = "minute < {compared_end:DateTime('UTC')} AS is_compared"
    bounds = "minute >= {previous_start:DateTime('UTC')} AND minute < {period_end:DateTime('UTC')}"
    bucket = (
        "toUnixTimestamp(toDateTime(dateTrunc({grain:String}, minute, {timezone:String}), {timezone:String}))"
    )

    def rows(query: str) -> list[tuple[Any, ...]]:
        return sorted(tuple(row) for row in client.query(query, parameters=parameters).result_rows)

    def answered(name: str, columns: str) -> list[tuple[Any, ...]]:
        return rows(f"SELECT {columns} FROM ({(FOLDER / f'{name}.sql').read_text()})")

    sales = rows(
        f"SELECT {current}, {compared}, {bucket} AS bucket, sum(orders), sum(revenue_minor) "
        f"FROM sales_orders WHERE {bounds} GROUP BY ALL"
    )
    payments = rows(
        f"SELECT {current}, {compared}, count(), sum(amount_minor) "
        f"FROM captured_payments WHERE {bounds} GROUP BY ALL"
    )
    sellers = rows(
        f"SELECT is_current, uniqExact(seller_id), uniqExactIf(seller_id, is_compared) "
        f"FROM (SELECT seller_id, {current}, {compared} FROM sales_lines WHERE {bounds}) GROUP BY is_current"
    )
    assert answered("marketplace_sales", "is_current, is_compared, bucket, orders, revenue_minor") == sales
    assert answered("marketplace_payments", "is_current, is_compared, payments, amount_minor") == payments
    assert answered("marketplace_sellers", "is_current, active_sellers, compared_sellers") == sellers
    assert len(sales) > 2


def test_the_span_is_that_of_the_rows(client: Client) -> None:
    found = client.query((FOLDER / "marketplace_span.sql").read_text()).result_rows
    expected = client.query("SELECT minOrNull(minute), maxOrNull(minute) FROM sales_orders").result_rows

    assert found == expected
    assert found[0][0] < found[0][1]
