"""The rules of signals: thresholds in one place, and queries that use all of them."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest

from common.cursor import BadCursor, encode_cursor
from common.errors import UserError
from common.settings import Settings
from common.signals import SignalKind
from jobs.plan import QueryFolder
from jobs.signals.logic import LATENESS_S, QUERIES, VIEWS, plan
from jobs.signals.rules import RULES
from serving.analytics.signals import read_signal_cursor, signal, signal_cursor
from serving.kit.names import ProductName
from serving.web.seller.overview import METRICS, TITLES, link_of

TEXTS = {path.stem: path.read_text() for path in QUERIES.folder.rglob("*.sql")}
ROW = {
    "signal_id": "a1", "kind": "stock_end", "seller_id": "ann", "subject_kind": "product",
    "subject_id": "pen/ink", "first_ms": 0, "last_ms": 1_000, "figures": {"available": "3"},
    "sentence": "Few.",
}  # fmt: skip


def test_every_threshold_is_used_and_every_parameter_has_a_value() -> None:
    used = {name for text in TEXTS.values() for name in re.findall(r"\{(\w+):INT\}", text)}

    assert used == set(RULES.parameters(lead_days=7))


def test_no_query_has_a_threshold_of_its_own() -> None:
    for name, text in TEXTS.items():
        code = re.sub(r"--.*|\{\w+:INT\}|4294967296|TIMESTAMP_LTZ\(3\)|FROM 1 FOR 32", "", text)
        numbers = set(re.findall(r"(?<![\w.])\d+", code))
        assert numbers <= {"0", "1", "100"}, name  # one hour, one unit, percent


def test_every_sql_file_is_the_table_or_a_listed_view() -> None:
    assert set(TEXTS) == {*VIEWS, "signals"}


def test_the_kinds_are_those_of_the_query() -> None:
    kinds = set(re.findall(r"CAST\('(\w+)' AS STRING\)(?: AS kind)?,\n", TEXTS["signals"]))
    kinds |= set(re.findall(r"THEN '(\w+_flood)' ELSE '(\w+_flood)'", TEXTS["signals"])[0])

    assert kinds == set(get_args(SignalKind)) == set(TITLES) == set(METRICS)


def test_another_threshold_or_lead_time_changes_the_plan() -> None:
    plans = [
        plan(Settings()),
        plan(Settings(), replace(RULES, failures=6)),
        plan(Settings(restock_lead_days=9)),
    ]

    assert len({each.fingerprint() for each in plans}) == 3
    assert "PATTERN (F{6})" in {view.name: view.query for view in plans[1].views}["payment_failures"]
    assert all(f"occurred_at - INTERVAL '{LATENESS_S}' SECOND" in table for table in plans[0].sources)
    assert all("'scan.startup.mode' = 'earliest-offset'" in table for table in plans[0].sources)


@pytest.mark.parametrize("bad", [{"failures": 1}, {"reviews": 0}, {"window_hours": 1.5}, {"wave_factor": -1}])
def test_rules_that_make_no_pattern_are_refused(bad: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least"):
        replace(RULES, **bad)


def test_a_query_with_an_unknown_parameter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one.sql").write_text("SELECT {unknown:INT}")

    with pytest.raises(UserError, match="unknown"):
        QueryFolder(tmp_path, {"known": 1}).of("one")


def test_a_signal_of_a_product_links_to_the_product_and_another_to_a_metric() -> None:
    shown = signal(ROW, {"pen/ink": ProductName("Pen", None)}, Settings().timezone)

    assert (shown["label"], shown["figures"]) == ("Pen", {"available": 3})
    assert link_of(shown, "ann") == "/shop/products/pen%2Fink"
    of_seller = signal(ROW | {"subject_kind": "seller", "subject_id": "a b"}, {}, Settings().timezone)
    assert link_of(of_seller, "a b") == "/sell/a%20b/metrics?metric=days_of_supply"


def test_a_cursor_is_the_place_of_the_last_signal() -> None:
    last = signal(ROW, {}, Settings().timezone)

    assert read_signal_cursor(signal_cursor(last)) == (datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), "a1", "ann")
    for bad in ("x", encode_cursor(1, "a"), encode_cursor(1, "", "b"), encode_cursor(2**62, "a", "b")):
        with pytest.raises(BadCursor):
            read_signal_cursor(bad)
