"""What the audit reads in the API's files and on pages."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.reference.totals import ALL_SELLERS
from audit.seller_sample import EVERY, chosen
from audit.sources.api import ApiRequest
from audit.sources.metrics_page import read_page, shows
from audit.sources.sales_api import DayRange
from audit.sources.served_metrics import (
    METRICS_OF_REQUEST,
    csv_rows,
    json_rows,
    owner_of,
    parquet_rows,
    requests,
)
from clickhouse.metric_catalogue.definition import Unit, read_catalogue
from serving.analytics.metric_endpoints import MAX_METRICS
from serving.kit.parquet_writer import write_parquet
from serving.kit.responses import table_of_kinds, write_csv
from serving.web.formatter import Formatter
from serving.web.seller.metrics import metric_text
from tests.unit.test_reference import SAO_PAULO

DAYS = DayRange(date(2018, 6, 1), date(2018, 8, 1))
JUNE = datetime(2018, 6, 1, 3, tzinfo=UTC)
REQUEST = ApiRequest("/v1/sellers/ana/analytics/net_sales")


def month_of(start: datetime) -> str:
    return f"{start.astimezone(SAO_PAULO):%Y-%m}"


@pytest.mark.parametrize("owner", ["ana", "o'hara/ß?", ALL_SELLERS])
def test_more_metrics_than_the_api_answers_for_are_asked_for_in_several_requests(owner: str) -> None:
    names = [f"metric_{number}" for number in range(METRICS_OF_REQUEST + 1)]

    first, second = requests([owner], names, DAYS, "/export.csv")

    asked = [[each.path.split("/")[-2], *each.query["with"].split(",")] for each in (first, second)]
    assert asked == [names[:METRICS_OF_REQUEST], [names[-1], ""]]
    assert METRICS_OF_REQUEST <= MAX_METRICS
    assert {owner_of(first), owner_of(second)} == {owner}


def test_every_form_of_an_answer_has_the_same_values() -> None:
    kinds = {"start": "time", "end": "time", "net_sales": "money", "return_rate": "number"}
    row = {"start": JUNE, "end": JUNE, "net_sales": -1_234_567, "return_rate": None}
    in_json = (
        b'{"totals": [{"name": "net_sales", "value": 5}],'
        b'"series": [{"start": "2018-06-01T00:00:00-03:00", "values": {"net_sales": -1234567}}]}'
    )

    table = write_csv(table_of_kinds(kinds, lambda rows: rows["rows"]), {"rows": [row], "currency": "BRL"})  # type: ignore[arg-type]
    [of_csv] = csv_rows("BRL", month_of, REQUEST, table)
    [of_euros] = csv_rows("BRL", month_of, REQUEST, table.replace(b"BRL", b"EUR"))
    [of_parquet] = parquet_rows("BRL", month_of, REQUEST, write_parquet(kinds, [row], "BRL"))  # type: ignore[arg-type]
    total, of_json = json_rows(month_of, REQUEST, in_json)

    assert b"-12345.67,,BRL" in table
    assert of_csv["values"] == {"net_sales": "-1234567", "return_rate": ""}
    assert of_euros["values"]["net_sales"] == "-12345.67 EUR"
    assert of_parquet["values"] == {"net_sales": -1_234_567, "return_rate": None}
    assert {each["part"] for each in (of_csv, of_parquet, of_json)} == {"2018-06"}
    assert (total["part"], total["values"]) == ("total", {"net_sales": 5})


PAGE = """<html lang="pt-BR">
<a href="/x/export.csv?from=2018-06-01T00%3A00%3A00-03%3A00&amp;to=2018-07-01T00:00-03:00">
<table><tr class="chosen"><th scope="row"><a href="?period=all&amp;metric=net_sales">Vendas</a></th>
<td class="figure"> R$ 1.234,50
</td><td class="figure before">R$ 9,00</td></tr>
<tr><th scope="col">Junho</th><td class="figure">7</td></tr></table>"""


def test_a_page_has_a_language_a_period_and_the_value_beside_the_name_of_a_metric() -> None:
    page = read_page(PAGE)

    assert (page.locale, page.texts) == ("pt-BR", {"net_sales": "R$ 1.234,50"})
    assert page.period is not None
    assert [f"{each:%F}" for each in page.period] == ["2018-06-01", "2018-07-01"]


@pytest.mark.parametrize(
    ("text", "value", "unit", "is_shown"),
    [
        ("R$1,234.50", 123_450, "money", True),
        ("-R$1,234.50", -123_450, "money", True),
        ("R$1,234.50", 123_451, "money", False),
        ("R$1,234.50", -123_450, "money", False),
        ("12.3%", 0.1234, "share", True),
        ("12.3%", 0.1236, "share", False),
        ("-12.3%", -0.1234, "share", True),
        ("12.3%", -0.1234, "share", False),
        ("134%", 1.3449, "share", True),
        ("71.9 h", 71.8667, "hours", True),
        ("12 min", 0.2, "hours", True),
        ("12 min", 0.22, "hours", False),
        ("3 s", 0.0008, "hours", True),
        ("0 s", 0.0, "hours", True),
        ("3.1 d", 73.3, "hours", True),
        ("3.1 d", 76.0, "hours", False),
        ("99,441", 99_441, "count", True),
        ("1.234", 1.2336, "number", True),
        ("–", None, "number", True),
        ("–", 0, "count", False),
        ("0", None, "count", False),
    ],
)
def test_a_text_shows_a_value_rounded_to_its_decimals(
    text: str, value: float | None, unit: str, is_shown: bool
) -> None:
    assert shows(text, value, unit, "en-US", "BRL") is is_shown


OF_UNIT = {metric.unit: metric for metric in read_catalogue().values()}


@given(
    st.sampled_from(("money", "count")).flatmap(
        lambda unit: st.tuples(st.just(unit), st.integers(-(10**12), 10**12))
    )
    | st.tuples(
        st.sampled_from(("share", "number", "hours")),
        st.integers(-(10**8), 10**8).map(lambda scaled: scaled / 10_000),
    ),
    st.sampled_from(("en", "pt-BR")),
)
def test_the_texts_of_pages_show_their_values(figure: tuple[Unit, float], locale: str) -> None:
    unit, value = figure
    text = metric_text(OF_UNIT[unit], value, Formatter(locale.replace("-", "_"), "BRL", SAO_PAULO))  # type: ignore[arg-type]

    assert shows(text, value, unit, locale, "BRL"), text


def test_the_same_sellers_are_compared_each_time_the_largest_among_them() -> None:
    sellers = [f"seller-{number}" for number in range(2_000)]

    found = chosen(sellers, ["seller-7"])

    assert found == chosen(reversed(sellers), ["seller-7"])
    assert "seller-7" in found
    assert 2_000 / EVERY / 2 < len(found) < 2_000 / EVERY * 2
