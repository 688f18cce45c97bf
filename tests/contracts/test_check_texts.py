"""The texts of checks that `/ops` translates are those that the code writes."""

import ast
import asyncio
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import httpx
import pytest

from common.settings import ROOT, Settings
from serving.web.admin import check_texts
from serving.web.admin.check_texts import TEXTS, TEXTS_OF_HTTPX, check_text
from serving.web.language import use_language
from tests.ports import free_offset

VALUE = "\0"
"""Stands for a value in a text."""

ROOMS = ("common", "producers", "serving")


@cache
def written_texts() -> frozenset[str]:
    """Return every text in the code, with `VALUE` for each value of an f-string."""
    files = {path for room in ROOMS for path in (ROOT / room).rglob("*.py")} - {Path(check_texts.__file__)}
    return frozenset(text for path in files for text in _texts(ast.parse(path.read_text())))


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else VALUE for part in node.values]
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("text", TEXTS)
def test_the_code_writes_this_text(text: str) -> None:
    wanted = re.sub(r"%\(\w+\)s", VALUE, text)
    assert any(wanted in written for written in written_texts())


def test_httpx_writes_this_text_if_nothing_listens() -> None:
    async def get() -> None:
        async with httpx.AsyncClient(trust_env=False) as http:
            await http.get(f"http://127.0.0.1:{Settings(port_offset=free_offset()).port('serving')}")

    with pytest.raises(httpx.ConnectError) as refused:
        asyncio.run(get())
    assert (str(refused.value),) == TEXTS_OF_HTTPX


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        (
            "no TaskManager is registered, so nothing runs; see ./souk logs flink",
            "nenhum TaskManager está registrado, então nada é executado; veja ./souk logs flink",
        ),
        (
            "does not answer (All connection attempts failed); see ./souk status",
            "não responde (Todas as tentativas de conexão falharam); veja ./souk status",
        ),
        (
            "orders: its consumer has not joined its group yet; see ./souk logs commerce",
            "orders: seu consumidor ainda não entrou no grupo; veja ./souk logs commerce",
        ),
        ("[Errno 28] No space left on device", "[Errno 28] No space left on device"),
    ],
)
def test_a_detail_is_shown_in_the_language_of_the_page(detail: str, shown: str) -> None:
    assert check_text(detail) == detail
    use_language("pt_BR")
    try:
        assert check_text(detail) == shown
    finally:
        use_language("en")
