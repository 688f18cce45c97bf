"""Every query of the API has typed parameters and can be a view; a seller's query takes `seller_id`."""

import re

import pytest
import sqlglot

from clickhouse.query_files import FOLDER as QUERIES
from clickhouse.query_files import load_queries

LOADED = load_queries()
PARAMETER = re.compile(r"\{(\w+):([^}]+)\}")


def test_there_are_queries() -> None:
    assert len(LOADED) > 10
    assert set(LOADED) == {path.stem for path in QUERIES.iterdir() if path.suffix == ".sql"}


@pytest.mark.parametrize("name", LOADED)
def test_a_query_begins_with_one_line_that_says_what_it_answers(name: str) -> None:
    first, second = LOADED[name].splitlines()[:2]
    assert re.fullmatch(r"-- [A-Z].{20,}[.]", first)
    assert not second.startswith("--")


@pytest.mark.parametrize("name", [name for name in LOADED if name.split("_")[0] == "seller"])
def test_a_sellers_query_takes_a_seller(name: str) -> None:
    assert ("seller_id", "String") in PARAMETER.findall(LOADED[name])
    assert re.search(r"WHERE seller_id = \{seller_id:String\}", LOADED[name])


@pytest.mark.parametrize("name", LOADED)
def test_a_query_is_one_select_that_can_be_a_view(name: str) -> None:
    statements = sqlglot.parse(LOADED[name], dialect="clickhouse")
    assert len(statements) == 1
    assert isinstance(statements[0], sqlglot.exp.Query)
    assert not re.search(r"\b(FORMAT|SETTINGS)\b", LOADED[name])


@pytest.mark.parametrize("name", LOADED)
def test_nothing_is_left_to_be_put_together_from_text(name: str) -> None:
    without = PARAMETER.sub("", LOADED[name])
    assert "{" not in without
    assert "%s" not in without
