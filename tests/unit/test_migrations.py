import pytest

from clickhouse.migrate import split_statements
from common.migrations import BrokenMigrations, Migration, pending, read_migrations


def test_statements_end_at_semicolons_outside_of_strings_and_comments():
    sql = "-- one; two\nSELECT ';' AS a; /* ; */ SELECT `;`;;\nSELECT 3 -- last;\n"

    assert list(split_statements(sql)) == ["SELECT ';' AS a", "SELECT `;`", "SELECT 3"]


def test_migrations_are_read_in_the_order_of_their_numbers(tmp_path):
    (tmp_path / "0002_b.sql").write_text("SELECT 2")
    (tmp_path / "0001_a.sql").write_text("SELECT 1")

    assert [migration.name for migration in read_migrations(tmp_path)] == ["0001_a.sql", "0002_b.sql"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["0001_a.sql", "0003_c.sql"], "0003_c.sql comes before 0002"),
        (["0001_a.sql", "0001_b.sql"], "0001_b.sql is a duplicate"),
        (["0001_a.sql", "2_b.sql"], "2_b.sql is not named"),
    ],
)
def test_a_gap_a_duplicate_or_a_wrong_name_is_an_error_that_names_the_file(tmp_path, names, message):
    for name in names:
        (tmp_path / name).write_text("SELECT 1")

    with pytest.raises(BrokenMigrations, match=message):
        read_migrations(tmp_path)


def test_what_was_applied_is_not_applied_again():
    first, second = Migration(1, "0001_a.sql", "SELECT 1"), Migration(2, "0002_b.sql", "SELECT 2")

    assert pending([first, second], {1: (first.name, first.checksum)}) == [second]


@pytest.mark.parametrize(
    ("applied", "message"),
    [
        ({1: ("0001_a.sql", "other")}, "0001_a.sql has changed"),
        ({3: ("0003_c.sql", "x")}, "0003_c.sql, which this checkout lacks"),
        (
            {2: ("0002_b.sql", Migration(2, "0002_b.sql", "SELECT 2").checksum)},
            "0001_a.sql was not applied",
        ),
    ],
)
def test_a_history_that_does_not_fit_the_files_is_an_error(applied, message):
    files = [Migration(1, "0001_a.sql", "SELECT 1"), Migration(2, "0002_b.sql", "SELECT 2")]

    with pytest.raises(BrokenMigrations, match=message):
        pending(files, applied)
