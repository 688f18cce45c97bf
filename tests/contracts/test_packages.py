"""Every package that our code imports is a direct dependency in pyproject.toml."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest

from common.settings import ROOT


def named() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    said = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    return {normal(re.split(r"[^\w.-]", each)[0]) for each in said}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported_by(room: str) -> set[str]:
    found = set()
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(str(node.module).split(".")[0])
    return found - set(sys.stdlib_module_names)


def test_every_package_that_the_recommenders_import_is_named():
    of_module = packages_distributions()
    imported = imported_by("recommenders") - {"clickhouse", "common", "recommenders", "schemas"}

    assert "threadpoolctl" in imported
    assert not {each for each in imported if not {normal(name) for name in of_module[each]} & named()}


@pytest.mark.parametrize("room", sorted(path.parent.name for path in ROOT.glob("*/__init__.py")))
def test_every_room_is_marked_as_typed(room: str) -> None:
    assert (ROOT / room / "py.typed").is_file()
