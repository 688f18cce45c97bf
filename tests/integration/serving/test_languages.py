"""The pages in two languages: nothing English is left in Portuguese, and a reader chooses the language."""

import re
from collections.abc import Iterator

import httpx
import pytest

from clickhouse.analytics.catalogue import read_views
from clickhouse.metric_catalogue.definition import read_catalogue
from common.settings import Settings
from tests.page_texts import read_texts
from tests.principals import bearer

PORTUGUESE = {"Accept-Language": "pt-BR"}

FIRST_METRICS = {metric.domain: metric.name for metric in reversed(read_catalogue().values())}

OVERVIEW = ("/sell/ana?period=all", "/sell/ana/tasks", "/sell/ana/products", "/sell/ana/orders")
FURTHER = (
    *("/sell/ana/change?period=all", "/sell/ana/customers?period=all", "/sell/ana/sql"),
    *("/sell/ana/live", "/sell/ana/earnings?period=all", "/sell/ana/fulfilment?period=all"),
    *("/sell/ana/reviews?period=all", "/sell/ana/recommendations?period=all"),
    *(f"/sell/ana/metrics?period=all&metric={name}" for name in FIRST_METRICS.values()),
)
OTHERS = ("/", "/shop", "/shop/products?q=lamp", "/shop/products/lamp", "/shop/cart", "/sign-in", "/sign-up")

SAME = re.compile(
    r"(?:Souk|API|OpenAPI|SQL|CSV|Parquet|Site|Ranking|Status|Total|Português|English|"
    r"BRL|R\$|SP|São Paulo|Campinas|America/Sao_Paulo|Ana|ana|Lamp|Light|lamp|chair|new|o'hara|"
    r"order-\w+|desk|[0-9a-f]{8}|\dT\d|h|d|\W|\d)*"
)
"""Names, numbers and words that are the same in both languages."""

VIEWS = {
    name
    for view in read_views().values()
    for name in (view.name, *(part for column in view.columns for part in (column.name, column.type)))
}
"""Names of SQL."""


@pytest.fixture
def reader(shop: Settings) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shop.serving, headers=bearer(shop), trust_env=False, timeout=60) as client:
        yield client


@pytest.mark.usefixtures("commerce")
@pytest.mark.parametrize("path", [*OVERVIEW, *FURTHER, *OTHERS])
def test_a_page_in_portuguese_has_no_english_text_left(reader: httpx.Client, path: str) -> None:
    english, portuguese = reader.get(path), reader.get(path, headers=PORTUGUESE)
    assert english.status_code == portuguese.status_code == 200
    same = sorted(set(read_texts(english.text)) & set(read_texts(portuguese.text)))
    assert [text for text in same if not SAME.fullmatch(text) and text not in VIEWS] == []
    assert portuguese.headers["vary"] == "Accept-Language, Cookie"


def test_the_live_stream_has_the_language_of_its_reader(reader: httpx.Client) -> None:
    with reader.stream("GET", "/sell/ana/live/events", headers=PORTUGUESE) as response:
        lines = response.raise_for_status().iter_lines()
        shown = next(line for line in lines if 'class="before"' in line)
        assert "ontem até esta hora" in shown


def test_money_and_days_are_written_as_in_brazil(reader: httpx.Client) -> None:
    page = reader.get("/sell/ana?from=2018-02-17&until=2018-02-18", headers=PORTUGUESE).text
    assert "R$\xa07,00" in page
    assert "17 de fev. – 18 de fev. de 2018" in page


def test_a_problem_is_described_in_the_language_of_the_page(reader: httpx.Client) -> None:
    html = {"Accept": "text/html"}
    page = reader.get("/sell/nobody", headers=PORTUGUESE | html)
    assert page.status_code == 404
    assert "Vendedor desconhecido" in page.text
    assert "Não há vendedor com este id." in page.text
    period = reader.get("/sell/ana?from=2018-02-18&until=2018-02-17", headers=PORTUGUESE | html)
    assert "O primeiro dia (18 de fev. de 2018) é depois do último (17 de fev. de 2018)." in period.text
    json = reader.get("/v1/sellers/nobody/sales", headers=PORTUGUESE).json()
    assert json["title"] == "Unknown seller"


def test_a_reader_chooses_the_language_and_stays_on_the_page(reader: httpx.Client, shop: Settings) -> None:
    page = f"{shop.serving}/sell/ana?period=7d"
    form = {"Origin": shop.serving, "Referer": page}
    chosen = reader.post("/language", data={"language": "pt_BR"}, headers=form)
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/sell/ana?period=7d")
    assert '<html lang="pt-BR">' in reader.get(page, headers={"Accept-Language": "en"}).text
    assert '<html lang="en">' in reader.get(page, headers={"Cookie": "souk_language=xx"}).text

    refused = reader.post("/language", data={"language": "klingon"}, headers=form | {"Accept": "text/html"})
    assert refused.status_code == 422
    assert "As páginas estão em English, Português." in refused.text
    other_site = reader.post("/language", data={"language": "en"}, headers={"Referer": "https://x.example/y"})
    assert other_site.headers["location"] == "/"
