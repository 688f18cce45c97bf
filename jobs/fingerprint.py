"""Digests of what a job's SQL and Java mean: comments and white space do not count.

Programs are compared by their tokens. Flink's compiled plan could be compared instead, but it takes a JVM
several seconds, and another version of Flink changes it without a change of the SQL.
"""

import json
import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

_SQL = re.compile(
    r"""(?P<ignored>\s+ | --[^\n]* | /\*(?!\+).*?\*/)  # /*+ … */ is a hint, which changes the job
      | '(?:[^']|'')*' | `(?:[^`]|``)*` | \w+ | [^\w\s]""",
    re.VERBOSE | re.DOTALL,
)
_JAVA = re.compile(
    r'''(?P<ignored>\s+ | //[^\n]* | /\*.*?\*/)
      | """.*?(?<!\\)""" | "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | \w+ | [^\w\s]''',
    re.VERBOSE | re.DOTALL,
)


def sql_tokens(text: str) -> list[str]:
    """The tokens of Flink SQL: words, quoted texts and names, hints and signs."""
    return _tokens(_SQL, text)


def java_tokens(text: str) -> list[str]:
    """The tokens of a Java source file."""
    return _tokens(_JAVA, text)


def _tokens(pattern: re.Pattern[str], text: str) -> list[str]:
    return [found[0] for found in pattern.finditer(text) if found["ignored"] is None]


def digest(content: Any) -> str:
    """16 hexadecimal digits that change with `content`, which JSON can express."""
    return blake2b(json.dumps(content).encode(), digest_size=8).hexdigest()


def function_code(functions: Mapping[str, str], sources: Path) -> str:
    """A digest of the Java code that functions run, from all files of their classes' packages.

    Flink stores a function's state under the names of its classes and fields, so the state of other code
    may be unreadable, or mean something else.

    Args:
        functions: name in SQL → class, such as `souk.flink.visits.VisitPairs`.
        sources: the folder of the Java sources.
    """
    packages = sorted({java_class.rpartition(".")[0] for java_class in functions.values()})
    return digest([[package, list(_code(sources, package))] for package in packages])


def _code(sources: Path, package: str) -> Iterable[list[str]]:
    files = sorted(sources.joinpath(*package.split(".")).glob("*.java"))
    if not files:
        raise FileNotFoundError(f"no Java sources of the package {package} in {sources}")
    for file in files:
        yield java_tokens(file.read_text(encoding="utf-8"))
