"""The databases whose tables a read-only user may read."""

from dataclasses import dataclass
from typing import Self

from clickhouse.databases import analytics_database, is_internal

OF_THE_ENGINE = frozenset({"default", "information_schema", "INFORMATION_SCHEMA", "system"})
"""The engine's own databases. `default` contains no tables; of `system`, only listed tables can be read."""

EVERY = "*"
"""In the setting, stands for every database that is not internal."""


@dataclass(frozen=True)
class ReadableDatabases:
    """The databases on the list, and those of the engine. Internal databases must be listed by name."""

    names: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, database: str, further: str) -> Self:
        """Return the platform's databases and further ones, from a list as in the setting: `a,b` or `*`."""
        return cls(
            frozenset(
                {database, analytics_database(database), *filter(None, map(str.strip, further.split(",")))}
            )
        )

    def __contains__(self, name: object) -> bool:
        """Return whether the tables of a database may be read."""
        if not isinstance(name, str) or name == EVERY:
            return False
        if EVERY in self.names and not is_internal(name):
            return True
        return name in OF_THE_ENGINE or name in self.names
