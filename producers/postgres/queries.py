"""The SQL of a package: one file each in `queries/`, parameters typed (`$1::uuid`)."""

from collections.abc import Mapping
from pathlib import Path


def load_queries(module: str) -> Mapping[str, str]:
    """File name without `.sql` → statement, of the `queries/` beside a module (its `__file__`)."""
    folder = Path(module).parent / "queries"
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.sql"))}
