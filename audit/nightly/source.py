"""The replayed data set of a nightly audit, if its folder is still there."""

from audit.replayed_source import replayed
from audit.sources.source_tables import SourceTables
from common.settings import Settings


def tables_of_replay(settings: Settings) -> tuple[SourceTables | None, str]:
    """Return the tables that were replayed, and a note if they are gone and so not compared.

    Nothing was replayed: (None, ""). The platform itself is compared in any case.
    """
    tables = replayed(settings.home, None, settings.timezone)
    if tables is None or tables.directory.is_dir():
        return tables, ""
    return None, f"the replayed tables are not compared: {tables.directory} is gone"
