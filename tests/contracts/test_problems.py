"""Kinds of problems are values; whoever raises one gives the values that its text names."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from common.problems import ProblemKind
from common.settings import ROOT


def kinds_of(path: Path) -> dict[str, ProblemKind]:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return {key: value for key, value in vars(import_module(name)).items() if isinstance(value, ProblemKind)}


def calls(path: Path) -> Iterator[tuple[str, frozenset[str], int]]:
    """Return name, keywords and line of each call of a constant: `UNKNOWN_SETTING(name=name)`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.isupper():
            yield node.func.id, frozenset(each.arg or "" for each in node.keywords), node.lineno


@pytest.mark.parametrize("room", ["common", "producers", "serving"])
def test_whoever_raises_a_problem_gives_the_values_that_its_text_names(room: str) -> None:
    wrong, compared = [], 0
    for path in sorted((ROOT / room).rglob("*.py")):
        found = list(calls(path))
        kinds = kinds_of(path) if found else {}
        for name, given, line in found:
            if name in kinds:
                compared += 1
                if given - {"retry_after_s"} != kinds[name].fields:
                    wrong.append(f"{path.relative_to(ROOT)}:{line} {name}: {sorted(kinds[name].fields)}")

    assert wrong == []
    assert compared or room == "common"
