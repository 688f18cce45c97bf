"""Every dashboard meets Grafana's requirements; each panel has a title, a description, units and a query."""

import re
from pathlib import Path
from typing import Any

import pytest
import sqlglot

from clickhouse.metric_catalogue.definition import read_catalogue
from clickhouse.query_files import load_queries
from common.settings import ROOT, Settings
from dashboards.build import build, write
from dashboards.queries import FOLDER, UnknownParameter, fill
from producers.registry import SERVICES
from tests.promql import metrics_of, unknown_in

SETTINGS = Settings(home=Path("/nowhere"), shop_currency="JPY", shop_timezone="Asia/Tokyo")
BUILT = build(SETTINGS)
GRID_WIDTH = 24
QUERIES = sorted(FOLDER.rglob("*.sql"))
MACRO = re.compile(r"\$__\w+|\$\{\w+:singlequote\}")


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


PANELS = [
    pytest.param(panel, id=f"{name}: {panel['title']}")
    for name, dashboard in BUILT.items()
    for panel in panels(dashboard)
]


def test_every_dashboard_has_its_own_id() -> None:
    assert {f"service-{name}" for name in SERVICES} <= set(BUILT)
    assert {dashboard["uid"] for dashboard in BUILT.values()} == {f"souk-{name}" for name in BUILT}
    assert len({dashboard["uid"] for dashboard in BUILT.values()}) == len(BUILT)
    assert all(re.fullmatch(r"[a-z-]{1,40}", dashboard["uid"]) for dashboard in BUILT.values())


@pytest.mark.parametrize("name", BUILT)
def test_the_panels_of_a_dashboard_have_their_own_ids_and_places(name: str) -> None:
    everything = BUILT[name]["panels"]
    ids = [panel["id"] for panel in everything]
    assert sorted(ids) == list(range(1, len(ids) + 1))
    taken = set()
    for place in (panel["gridPos"] for panel in everything):
        assert place["x"] + place["w"] <= GRID_WIDTH
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not taken & cells
        taken |= cells


@pytest.mark.parametrize("name", BUILT)
def test_a_dashboard_shows_the_shops_time_and_names_its_variables(name: str) -> None:
    dashboard = BUILT[name]
    assert dashboard["timezone"] == "Asia/Tokyo"
    known = {variable["name"] for variable in dashboard.get("templating", {}).get("list", [])}
    for panel in panels(dashboard):
        asked = "".join(target.get("rawSql", "") for target in panel["targets"])
        assert set(re.findall(r"\$\{(\w+):", asked)) <= known


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_has_a_title_a_description_a_unit_and_a_query(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert re.fullmatch(r"[A-Z0-9].{20,}[.]", panel["description"])
    assert panel["fieldConfig"]["defaults"]["unit"] not in ("", "string")
    (target,) = panel["targets"]
    assert target["datasource"] == panel["datasource"]
    assert target.get("rawSql") or target.get("expr")


@pytest.mark.parametrize("panel", PANELS)
def test_a_panels_query_is_one_select_without_open_parameters(panel: dict[str, Any]) -> None:
    for sql in (target["rawSql"] for target in panel["targets"] if "rawSql" in target):
        assert "{" not in re.sub(r"\$\{\w+:singlequote\}", "", sql)
        assert "--" not in sql
        (statement,) = sqlglot.parse(MACRO.sub("1", sql), dialect="clickhouse")
        assert isinstance(statement, sqlglot.exp.Query)


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_on_prometheus_uses_existing_metrics(panel: dict[str, Any]) -> None:
    for expression in (target["expr"] for target in panel["targets"] if "expr" in target):
        assert metrics_of(expression)
        assert not unknown_in(expression)


def test_every_metric_of_the_catalogue_is_on_the_sellers_dashboard() -> None:
    shown = {
        override["matcher"]["options"]
        for panel in panels(BUILT["seller"])
        for override in panel["fieldConfig"]["overrides"]
    }
    assert set(read_catalogue()) <= shown


def test_money_is_shown_in_the_minor_units_of_its_currency() -> None:
    (sales,) = (panel for panel in panels(BUILT["marketplace"]) if panel["title"] == "Net sales")
    assert "/ 1 AS net_sales" in sales["targets"][0]["rawSql"]  # a yen has no hundredths
    assert sales["fieldConfig"]["defaults"]["unit"] == "currency:¥"


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_a_query_has_one_line_of_description_and_a_panel(path: Path) -> None:
    first, second = path.read_text().splitlines()[:2]
    assert re.fullmatch(r"-- [A-Z].{20,}[.]", first)
    assert not second.startswith("--")
    sources = "".join(module.read_text() for module in (ROOT / "dashboards").glob("*.py"))
    assert f'"{path.parent.name}/{path.stem}"' in sources


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_queries_of_the_api_are_used_through_their_views(path: Path) -> None:
    for view in re.findall(r"\bq_(\w+)", path.read_text()):
        assert view in load_queries()


def test_an_unknown_parameter_is_named() -> None:
    with pytest.raises(UnknownParameter, match=r"some/query has the parameter colour"):
        fill("SELECT {colour:String}", "some/query", {"grain": "'day'"})


def test_building_twice_writes_the_same_files(tmp_path: Path) -> None:
    paths = write(SETTINGS, tmp_path / "new" / "folder")
    before = [path.read_text() for path in paths]
    assert [path.read_text() for path in write(SETTINGS, tmp_path / "new" / "folder")] == before
    assert {path.name for path in paths} == {
        *(f"{name}.json" for name in BUILT),
        "prometheus.yml",
        "rules.yml",
    }


def test_prometheus_scrapes_the_ports_of_this_installation(tmp_path: Path) -> None:
    moved = Settings(home=Path("/nowhere"), port_offset=700)
    write(moved, tmp_path)
    configuration = (tmp_path / "prometheus.yml").read_text()
    assert f"127.0.0.1:{moved.port('commerce')}" in configuration
    assert "$" not in configuration
