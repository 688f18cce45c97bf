"""The first query of clickhouse-go over HTTP, whose result it reads as a client of revision 54460."""

import io
import struct

import httpx
import pytest

from common.settings import Settings

HELLO = "SELECT displayName(), version(), revision(), timezone()"
NATIVE = {"default_format": "Native"}
OF_GO = {**NATIVE, "client_protocol_version": "54460", "max_execution_time": "47"}


class Block:
    """Reads one block of one row of Native, whose strings are shorter than 128 bytes."""

    def __init__(self, content: bytes, revision: int) -> None:
        self._content = io.BytesIO(content)
        if revision:
            assert self._content.read(8) == b"\x01\x00\x02" + struct.pack("<i", -1) + b"\x00"
        columns, rows = self._content.read(2)
        assert rows == 1
        self.row: dict[str, str | int] = {}
        for _ in range(columns):
            name, kind = self._text(), self._text()
            if revision:
                assert self._content.read(1) == b"\x00"
            self.row[name] = (
                self._text() if kind == "String" else int.from_bytes(self._content.read(4), "little")
            )
        assert self._content.read() == b""

    def _text(self) -> str:
        return self._content.read(self._content.read(1)[0]).decode()


def ask(settings: Settings, query: str, asked: dict[str, str]) -> bytes:
    reader = {"x-clickhouse-user": settings.clickhouse_reader_user}
    answer = httpx.post(settings.clickhouse, params=asked, content=query, headers=reader, trust_env=False)
    assert answer.is_success, answer.text
    assert answer.headers["x-clickhouse-format"] == "Native"
    return answer.content


@pytest.mark.parametrize("query", [HELLO, f"\n{HELLO.lower().replace('name', 'Name')} ;"])
def test_a_client_that_names_a_revision_hears_that_the_answers_are_of_revision_0(
    clickhouse_server: Settings, query: str
) -> None:
    row = Block(ask(clickhouse_server, query, OF_GO), 54460).row
    assert list(row) == ["displayName()", "version()", "revision()", "timezone()"]
    assert row["revision()"] == 0
    assert str(row["version()"]).startswith("26.")
    assert row["displayName()"]
    assert row["timezone()"]


def test_all_that_it_asks_then_is_of_revision_0(clickhouse_server: Settings) -> None:
    content = ask(clickhouse_server, "SELECT 'lamp' AS name, toUInt32(7) AS units", OF_GO)
    assert Block(content, 0).row == {"name": "lamp", "units": 7}


def test_a_client_that_names_none_hears_the_engine_itself(clickhouse_server: Settings) -> None:
    row = Block(ask(clickhouse_server, HELLO, NATIVE), 0).row
    assert int(row["revision()"]) > 54_000


@pytest.mark.parametrize("version", ["", "x", "-1", "54.4", "9" * 30])
def test_a_revision_that_is_no_number_is_none(clickhouse_server: Settings, version: str) -> None:
    asked = {**NATIVE, "client_protocol_version": version}
    assert int(Block(ask(clickhouse_server, HELLO, asked), 0).row["revision()"]) > 54_000
