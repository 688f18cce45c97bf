"""Computes digests of a job's SQL and Java code that ignore comments and white space.

A digest covers the tokens of the code. A digest of Flink's compiled plan would take a JVM several seconds,
and would change with the version of Flink.
"""

import json
import re
from collections.abc import Mapping
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


FILES_DIGEST = "JOB_FILES_DIGEST"
"""The environment variable in which `./souk up` gives the reconciler the digest of `plan_files_digest`."""

_ROOT = Path(__file__).parent


def plan_files_digest() -> str:
    """Return a digest of the files from which the plans of jobs are built."""
    files = [path for suffix in ("py", "sql", "java") for path in _ROOT.rglob(f"*.{suffix}")]
    files += _ROOT.parent.joinpath("schemas", "events").glob("*.avsc")
    return digest(
        [[str(path.relative_to(_ROOT.parent)), path.read_text(encoding="utf-8")] for path in sorted(files)]
    )


def sql_tokens(text: str) -> list[str]:
    """Return the tokens of Flink SQL: words, quoted strings and names, hints and punctuation."""
    return _tokens(_SQL, text)


def java_tokens(text: str) -> list[str]:
    """Return the tokens of a Java source file."""
    return _tokens(_JAVA, text)


def _tokens(pattern: re.Pattern[str], text: str) -> list[str]:
    return [match[0] for match in pattern.finditer(text) if match["ignored"] is None]


def digest(content: Any) -> str:
    """Return a digest of JSON-serializable `content`, as 16 hexadecimal digits."""
    return blake2b(json.dumps(content).encode(), digest_size=8).hexdigest()


def function_code(functions: Mapping[str, str], sources: Path) -> str:
    """Return a digest of the functions' Java code: all source files in the packages of their classes.

    Flink stores a function's state under the names of its classes and fields. After a change of the code,
    the old state may be unreadable or have another meaning.

    Args:
        functions: name in SQL → class, such as `souk.flink.visits.VisitPairs`.
        sources: the folder of the Java sources.
    """
    packages = sorted({java_class.rpartition(".")[0] for java_class in functions.values()})
    return digest([[package, _code(sources, package)] for package in packages])


def _code(sources: Path, package: str) -> list[list[str]]:
    files = sorted(sources.joinpath(*package.split(".")).glob("*.java"))
    if not files:
        raise FileNotFoundError(f"no Java sources of the package {package} in {sources}")
    return [java_tokens(file.read_text(encoding="utf-8")) for file in files]
