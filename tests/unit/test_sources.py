from common.settings import Settings
from jobs.sources import non_negative_fields, source_table
from schemas.events import all_events


def test_a_source_refuses_negative_prices_but_not_negative_postings() -> None:
    events = all_events()

    assert non_negative_fields(events["product_listed"]) == ("price_minor",)
    assert "lines.unit_price_minor" in non_negative_fields(events["order_placed"])
    assert "lines.unit_price_minor" in non_negative_fields(events["order_confirmed"])
    assert non_negative_fields(events["payment_refunded"]) == ("amount_minor", "lines.refund_minor")
    assert non_negative_fields(events["ledger_posted"]) == ()
    ddl = source_table(events["product_changed"], Settings(), group="facts", start="committed")
    assert "'value.souk-avro.non-negative' = 'price_minor'" in ddl
