from pathlib import Path

import pytest

from clickhouse import query_files, schema

QUERIES = sorted(query_files.FOLDER.glob("*.sql"))


def test_migrations_rebuild_schema_sql():
    assert schema.build_schema() == schema.FILE.read_text(), "run: python -m clickhouse.schema"


@pytest.mark.parametrize("query", QUERIES, ids=[path.stem for path in QUERIES])
def test_a_query_has_a_name_that_can_be_a_view(query: Path):
    assert query.stem.isidentifier()
    assert query.stem == query.stem.lower()
