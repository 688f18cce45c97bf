"""Every folder of `audit/queries/` is complete, and every comparison is found."""

from pathlib import Path

import pytest

from audit.comparisons import source_vs_events
from audit.registry import COMPARISONS, current_name
from audit.sql_comparison import DESCRIPTION, QUERIES, discover, read_description
from common.settings import ROOT

FOLDERS = sorted(path for path in QUERIES.iterdir() if path.is_dir())
SHARED = {"cut", "returns"}
"""Queries that several comparisons use."""

COMPLETE = """
what = "a comparison"
unit = "orders"
key = ["order_id"]
expected = { store = "postgres", label = "PostgreSQL" }
actual = { store = "clickhouse", label = "facts" }
"""


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_of_queries_is_a_complete_comparison_or_belongs_to_a_module(folder: Path) -> None:
    if (folder / DESCRIPTION).is_file():
        assert {"expected.sql", "actual.sql"} <= {path.name for path in folder.iterdir()}
        assert read_description(folder).spec.name in COMPARISONS
    else:
        assert folder.name in SHARED or (ROOT / f"audit/comparisons/{folder.name}.py").is_file()


def test_every_module_of_comparisons_is_registered() -> None:
    modules = {path.stem for path in (ROOT / "audit/comparisons").glob("[!_]*.py")} - {"source_vs_events"}

    assert modules | source_vs_events.COMPARISONS.keys() | discover().keys() == COMPARISONS.keys()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_query_begins_with_a_comment(folder: Path) -> None:
    assert [path.name for path in folder.glob("*.sql") if not path.read_text().startswith("-- ")] == []


@pytest.mark.parametrize(
    ("line", "replacement", "message"),
    [
        ('unit = "orders"', "", "has no unit"),
        ('store = "clickhouse"', 'store = "redis"', "there is no store redis"),
        ('unit = "orders"', 'unit = "orders"\ncolour = "red"', "unknown colour"),
    ],
)
def test_an_incomplete_description_is_refused(
    tmp_path: Path, line: str, replacement: str, message: str
) -> None:
    (tmp_path / DESCRIPTION).write_text(COMPLETE.replace(line, replacement))

    with pytest.raises(ValueError, match=message):
        read_description(tmp_path)


def test_the_former_names_of_comparisons_are_still_known() -> None:
    assert current_name("books_vs_orders") in COMPARISONS
    assert current_name("aggregates_vs_seller_api") in COMPARISONS
    assert current_name("facts_vs_payments") == "facts_vs_payments"
