"""The plain computation of every metric, with which the audit compares the API."""

from zoneinfo import ZoneInfo

from audit.comparisons.facts_vs_seller_metrics import METRICS, expected, rows_of
from clickhouse.metric_catalogue.definition import read_catalogue

SHOP = ZoneInfo("America/Sao_Paulo")
MAY_31_MS = 1_527_821_999_000  # 23:59:59 in the shop
JUNE_1_MS = 1_527_822_000_000


def line(kind: str, order: str, placed_ms: int = JUNE_1_MS, **figures: int) -> dict[str, object]:
    nothing = dict.fromkeys(("units", "gross", "discount", "shipping", "refund"), 0)
    return {
        "kind": kind,
        "seller_id": "ana",
        "order_id": order,
        "placed_ms": placed_ms,
        **nothing,
        **figures,
    }


def test_every_metric_of_the_catalogue_is_compared() -> None:
    assert set(METRICS) == set(read_catalogue())


def test_sales_cancellations_and_returns_make_the_metrics_of_a_month() -> None:
    months = expected(
        [
            line("sold", "one", units=2, gross=2_000, discount=500, shipping=70),
            line("sold", "one", units=1, gross=300),
            line("sold", "two", units=1, gross=901),
            line("cancelled", "two", units=1, gross=901),
            line("returned", "one", units=1, refund=300),
            line("sold", "earlier", MAY_31_MS, units=1, gross=40),
        ],
        SHOP,
    ).to_pylist()

    june = next(row for row in months if row["bucket"] == "2018-06")
    assert {name: june[name] for name in METRICS} == {
        "gross_sales": "3201", "discounts": "500", "cancellations": "901", "returns": "300",
        "net_sales": "1500", "shipping": "70", "orders": "2", "cancelled_orders": "1",
        "units": "4", "net_units": "2", "average_order_value": "1500", "average_unit_price": "800",
        "units_per_order": "2.0", "cancellation_rate": "0.5", "return_rate": "0.25",
        "discount_rate": "0.1562",
    }  # fmt: skip
    assert [row["gross_sales"] for row in months if row["bucket"] == "2018-05"] == ["40"]


def test_a_month_without_orders_is_no_row_and_a_missing_ratio_is_empty() -> None:
    nothing = dict.fromkeys(METRICS, 0) | dict.fromkeys(("average_order_value", "return_rate"))
    months = [
        {"start": "2018-05-01T00:00:00-03:00", "values": nothing},
        {"start": "2018-06-01T00:00:00-03:00", "values": nothing | {"orders": 1, "units_per_order": 1.5}},
    ]

    [row] = rows_of({"seller_id": "ana", "series": months})

    assert (row["bucket"], row["orders"], row["units_per_order"]) == ("2018-06", "1", "1.5")
    assert row["return_rate"] == ""
