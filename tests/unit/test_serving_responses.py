"""Content negotiation, and lists as CSV."""

from datetime import UTC, datetime

import pytest
from typing_extensions import TypedDict

from serving.responses import csv_list, prefers_csv, write_csv


class Entry(TypedDict):
    name: str | None
    at: datetime


@pytest.mark.parametrize(
    ("accept", "csv"),
    [
        ("text/csv", True),
        ("TEXT/CSV; header=present", True),
        ("text/csv, application/json;q=0.5", True),
        ("text/*", True),
        ("text/csv;q=0.5, application/json", False),
        ("text/csv, application/json", False),
        ("text/csv;q=0", False),
        ("text/csv;q=often", False),
        ("application/json", False),
        ("text/csv, */*", False),
        ("text/csv, */*;q=0.1", True),
        ("*/*", False),
        ("", False),
        (";;,,", False),
    ],
)
def test_an_accept_header_chooses_between_csv_and_json(accept: str, csv: bool) -> None:
    assert prefers_csv(accept) is csv


def test_a_list_is_written_with_its_header_and_quotes_what_needs_it() -> None:
    entries = [{"name": 'A "lamp",\nred', "at": datetime(2026, 1, 1, tzinfo=UTC)}, {"name": None, "at": None}]
    written = write_csv(csv_list("entries", Entry), {"entries": entries}).decode()
    assert written == 'name,at\r\n"A ""lamp"",\nred",2026-01-01T00:00:00+00:00\r\n,\r\n'
    assert write_csv(csv_list("entries", Entry), {"entries": []}) == b"name,at\r\n"
