"""Finds out which data set was replayed here, and which of its days."""

import json
from datetime import date
from pathlib import Path

from audit.sources.olist import OlistTables


def replayed(home: Path, directory: Path | None) -> OlistTables | None:
    """The Olist tables that were replayed last (`home/replay/olist.json` says which), or those in `directory`.

    None where nothing was replayed and no directory is named.
    """
    record = home / "replay" / "olist.json"
    chosen = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    if directory is None and not chosen:
        return None
    return OlistTables(
        directory or Path(chosen["directory"]), _day(chosen.get("from")), _day(chosen.get("to"))
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
