"""The `.sql` files of a job: one for each output, and the views that they share."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from jobs.plan import View


@dataclass(frozen=True)
class Queries:
    """A job's folder: `<table>.sql` for each output, `views/<name>.sql`."""

    folder: Path

    def views(self, names: Iterable[str]) -> tuple[View, ...]:
        """Shared views, in the order given: each after those it reads."""
        return tuple(View(name, _read(self.folder / "views" / f"{name}.sql")) for name in names)

    def of(self, table: str) -> str:
        """The SELECT that fills a table."""
        return _read(self.folder / f"{table}.sql")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()
