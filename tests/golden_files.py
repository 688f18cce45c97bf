"""Golden files: what users of the platform see, as text, so that each change of it shows as a difference.

A test calls `check_golden` with what it sees now. `SOUK_WRITE_GOLDEN=1 ./souk test FILE` writes them anew.
"""

import json
import os
from typing import Any

import pytest

from common.settings import ROOT

FOLDER = ROOT / "tests" / "golden"
WIDTH = 100
_SAME_FROM = 80
"""Values whose JSON has at least so many characters are written once."""


def check_golden(name: str, text: str) -> None:
    """Fail if a golden file has another text, or write it if `SOUK_WRITE_GOLDEN` is set."""
    path = FOLDER / name
    text = text.rstrip("\n") + "\n"
    if os.environ.get("SOUK_WRITE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    golden = path.read_text(encoding="utf-8") if path.is_file() else ""
    if golden == text:
        return
    pairs = zip([*golden.splitlines(), "(end)"], [*text.splitlines(), "(end)"], strict=False)
    number, (was, now) = next((n, pair) for n, pair in enumerate(pairs, 1) if pair[0] != pair[1])
    pytest.fail(
        f"What users see differs from tests/golden/{name} from line {number} on:\n- {was}\n+ {now}\n"
        "If this is wanted, write the golden files with SOUK_WRITE_GOLDEN=1, look at their difference, and "
        "say in the commit why what users see changes.",
        pytrace=False,
    )


def golden_json(value: Any) -> str:
    """Return a value as JSON: sorted, short values on one line, a long value that occurs again only once.

    A value that is left out is replaced by `same as PATH`, with the path of its first place.
    """
    return _lines(_once(value, {}, ""), "")


def _once(value: Any, seen: dict[str, str], path: str) -> Any:
    if not isinstance(value, dict | list):
        return value
    text = json.dumps(value, sort_keys=True)
    if len(text) >= _SAME_FROM:
        if text in seen:
            return f"same as {seen[text]}"
        seen[text] = path or "/"
    if isinstance(value, dict):
        return {key: _once(value[key], seen, f"{path}/{key}") for key in sorted(value)}
    return [_once(each, seen, f"{path}/{number}") for number, each in enumerate(value)]


def _lines(value: Any, indent: str) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value or len(indent) + len(text) < WIDTH:
        return text
    deeper = indent + " "
    if isinstance(value, dict):
        inner = [
            f"{json.dumps(key, ensure_ascii=False)}: {_lines(each, deeper)}" for key, each in value.items()
        ]
    else:
        inner = [_lines(each, deeper) for each in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    body = f",\n{deeper}".join(inner)
    return f"{opening}\n{deeper}{body}\n{indent}{closing}"
