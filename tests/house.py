"""`python -m tests.house` prints the size of each room, and what it takes to add something.

With the folder of another checkout, it prints the sizes there. The size: files, statements, lines of Python,
SQL, templates. A statement is one of Python's syntax tree, without docstrings, also those of constants. Blank
lines count, tests and data do not. What an addition takes is read from the examples of the lists of
CONTRIBUTING.md, which `tests/e2e/test_contributing.py` follows.
"""

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from common.settings import ROOT
from tests.e2e.contributing.lists import LISTS, Command, Example, Put

TEMPLATES = {".html", ".css", ".js"}
DECLARATIONS = {".toml", ".yaml", ".yml", ".avsc"}
LEFT_OUT = ("tests", "docs", ".ci")


@dataclass
class Size:
    """The size of a room."""

    files: int = 0
    small_files: int = 0
    statements: int = 0
    python_lines: int = 0
    sql_lines: int = 0
    template_lines: int = 0
    declaration_lines: int = 0
    public: int = 0
    documented: int = 0

    def add(self, other: "Size") -> None:
        """Add the size of another room."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


def tracked_files(root: Path) -> Iterator[Path]:
    """Yield the files of a checkout that git knows, outside of tests and docs."""
    listed = subprocess.run(["git", "-C", str(root), "ls-files"], capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        if not name.startswith(LEFT_OUT) and (root / name).is_file():
            yield Path(name)


def size_of(root: Path, path: Path) -> Size:
    """Return the size of one file of a checkout."""
    kind = path.suffix
    if kind not in {".py", ".sql"} | TEMPLATES | DECLARATIONS:
        return Size()
    text = (root / path).read_text(encoding="utf-8")
    lines = text.count("\n")
    size = Size(files=1)
    if kind == ".py":
        tree = ast.parse(text)
        nodes = list(ast.walk(tree))
        size.statements = sum(isinstance(node, ast.stmt) and not _is_docstring(node) for node in nodes)
        size.python_lines, size.small_files = lines, int(lines <= 40)
        public = list(_public(tree))
        size.public = len(public)
        size.documented = sum(ast.get_docstring(node) is not None for node in public)
    elif kind == ".sql":
        size.sql_lines = lines
    elif kind in TEMPLATES:
        size.template_lines = lines
    else:
        size.declaration_lines = lines
    return size


_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def _is_docstring(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _public(
    node: ast.Module | ast.ClassDef,
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    for each in node.body:
        if isinstance(each, _FUNCTIONS | ast.ClassDef) and not each.name.startswith("_"):
            yield each
            if isinstance(each, ast.ClassDef):
                yield from _public(each)


@dataclass(frozen=True)
class Addition:
    """The files that an example of a list adds, and those that it changes, without generated ones."""

    new: frozenset[str]
    touched: frozenset[str]

    @classmethod
    def of(cls, name: str, example: Example) -> "Addition":
        """Read an example and the files in its folder."""
        folder = ROOT / "tests" / "e2e" / "contributing" / name
        added = {
            path.relative_to(step).as_posix()
            for step in folder.glob("[0-9]")
            for path in step.rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        }
        actions = [action for step in example.steps.values() for action in step]
        written = {action.into for action in actions if isinstance(action, Command) and action.into}
        appended = {path.removesuffix(".end") for path in added if path.endswith(".end")}
        touched = {action.path for action in actions if isinstance(action, Put)} | appended
        new = {path for path in added | written if not path.endswith(".end")}
        return cls(frozenset(new), frozenset(touched))


def counted(files: frozenset[str]) -> str:
    """Return how many files there are, and how many of them belong to tests, docs and translations."""
    beside = sum(name.startswith(("tests/", "docs/")) or name.endswith(".po") for name in files)
    return f"{len(files) - beside} and {beside}"


def main(root: Path) -> None:
    """Print a table with a line for each room, and one with a line for each list of CONTRIBUTING.md."""
    rooms: dict[str, Size] = defaultdict(Size)
    for path in tracked_files(root):
        rooms[path.parts[0] if len(path.parts) > 1 else "(top)"].add(size_of(root, path))
    total = Size()
    for size in rooms.values():
        total.add(size)
    names = (
        "files",
        "small_files",
        "statements",
        "python_lines",
        "sql_lines",
        "template_lines",
        "declaration_lines",
    )
    print(f"| room | {' | '.join(name.replace('_', ' ') for name in names)} | documented |")
    print("|---" * (len(names) + 2) + "|")
    for room, size in [*sorted(rooms.items()), ("**all**", total)]:
        if size.files:
            share = f"{size.documented / size.public:.0%}" if size.public else ""
            print(f"| {room} | {' | '.join(f'{getattr(size, name):,}' for name in names)} | {share} |")
    print("\n| to add | new files, and of tests and docs | touched files, and of tests and docs |")
    print("|---|---|---|")
    for name, example in LISTS.items():
        addition = Addition.of(name, example)
        print(f"| {name} | {counted(addition.new)} | {counted(addition.touched)} |")


if __name__ == "__main__":
    main(Path(*sys.argv[1:]) if sys.argv[1:] else ROOT)
