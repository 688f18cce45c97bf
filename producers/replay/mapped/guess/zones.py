"""Finds the zone of times in a column that names it, as Square's `Time Zone` does."""

from collections import Counter
from dataclasses import dataclass
from zoneinfo import available_timezones

from producers.replay.mapped.column_roles import plain
from producers.replay.mapped.guess.profile import ColumnProfile

_NAMES = {
    "eastern time us canada": "America/New_York", "central time us canada": "America/Chicago",
    "mountain time us canada": "America/Denver", "pacific time us canada": "America/Los_Angeles",
    "arizona": "America/Phoenix", "alaska": "America/Anchorage", "hawaii": "Pacific/Honolulu",
    "atlantic time canada": "America/Halifax", "newfoundland": "America/St_Johns",
    "indiana east": "America/Indianapolis",
    "london": "Europe/London", "edinburgh": "Europe/London", "dublin": "Europe/Dublin",
    "lisbon": "Europe/Lisbon",
    "paris": "Europe/Paris", "madrid": "Europe/Madrid", "berlin": "Europe/Berlin",
    "brasilia": "America/Sao_Paulo",
    "tokyo": "Asia/Tokyo", "osaka": "Asia/Tokyo", "sydney": "Australia/Sydney",
    "melbourne": "Australia/Melbourne",
    "brisbane": "Australia/Brisbane", "perth": "Australia/Perth", "adelaide": "Australia/Adelaide",
    "darwin": "Australia/Darwin", "hobart": "Australia/Hobart", "utc": "UTC", "gmt": "UTC",
    "est": "America/New_York", "edt": "America/New_York", "cst": "America/Chicago", "cdt": "America/Chicago",
    "mst": "America/Denver", "mdt": "America/Denver", "pst": "America/Los_Angeles",
    "pdt": "America/Los_Angeles",
    "brt": "America/Sao_Paulo", "cet": "Europe/Paris", "cest": "Europe/Paris", "bst": "Europe/London",
}  # fmt: skip
"""Names of zones, as Rails and shops write them, in the form that `plain` returns."""


@dataclass(frozen=True)
class FoundZone:
    """The commonest zone of a column, and what says so."""

    zone: str
    why: str
    is_mixed: bool


def zone_of(columns: list[ColumnProfile]) -> FoundZone | None:
    """Return the zone that a column names for most rows."""
    known = available_timezones()
    for column in columns:
        if (
            not column.given
            or column.distinct > 20
            or column.number_share > 0.5
            or "zone" not in plain(column.name)
        ):
            continue
        counts = Counter(column.given)
        zones = {text: text if text in known else _NAMES.get(plain(text)) for text in counts}
        text, _ = counts.most_common(1)[0]
        zone = zones[text]
        if zone:
            return FoundZone(zone, f'The column "{column.name}" says "{text}"', len(set(zones.values())) > 1)
    return None
