"""Loads a package's SQL: one file per statement in `queries/`, with typed parameters (`$1::uuid`)."""

from collections.abc import Mapping
from pathlib import Path


def load_queries(module: str) -> Mapping[str, str]:
    """Return the statements in `queries/` beside a module (its `__file__`), by file name without `.sql`."""
    folder = Path(module).parent / "queries"
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.sql"))}
