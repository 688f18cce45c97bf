"""Entries of the rules for recommendations as the page of administrators reads, shows and ends them. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from common.configuration.recommendation_rules import BLOCKS, BOOSTS, PINS, SPONSORED
from common.configuration.setting import ListSetting
from serving.web.forms import BadField, Form
from serving.web.translation import N_, gettext

Kind = Literal["boost", "pin", "block", "sponsored"]

SETTINGS: Mapping[str, ListSetting] = {"boost": BOOSTS, "pin": PINS, "block": BLOCKS, "sponsored": SPONSORED}
"""Kind of an entry → the setting whose list has it."""

KINDS: Mapping[str, str] = {
    "boost": N_("Boost"),
    "pin": N_("Pin"),
    "block": N_("Block"),
    "sponsored": N_("Sponsored product"),
}
TARGETS: Mapping[str, str] = {
    "product": N_("Product"),
    "seller": N_("Seller"),
    "category": N_("Category"),
}
SURFACES: Mapping[str, str] = {
    "any": N_("All pages"),
    "home": N_("Home page"),
    "product": N_("Product pages"),
    "cart": N_("Cart"),
}

KEPT_AFTER_END = timedelta(days=30)
"""How long a list keeps an entry that has ended. The history of the setting keeps it for good."""


def read_entry(form: Form, zone: ZoneInfo, now: datetime) -> tuple[Kind, dict[str, Any]]:
    """Return the kind and the JSON of the entry of a form. Without a start, it starts now.

    Raises:
        BadField: a field can't be read.
    """
    kind = form.text("kind")
    if kind not in SETTINGS:
        raise BadField(gettext("Choose what the entry does: a boost, a pin, a block or a sponsored product."))
    until = form.moment("until", gettext("The end"), zone)
    if until is None:
        raise BadField(gettext("The end is missing: every entry ends at some time, at most a year later."))
    start = form.moment("from", gettext("The start"), zone) or now.replace(microsecond=0)
    dates = {
        "surface": form.text("surface") or "any",
        "from": start.isoformat(),
        "until": until.isoformat(),
    }
    target, id_ = form.text("target") or "product", form.text("id")
    if kind == "sponsored":
        if target != "product":
            raise BadField(gettext("Only a product can be sponsored: choose Product, and enter its id."))
        return "sponsored", {"product_id": id_, **dates}
    entry: dict[str, Any] = {"target": target, "id": id_, **dates}
    if kind == "boost":
        return "boost", entry | {"factor": float(form.number("factor", gettext("The factor")))}
    if kind == "pin":
        place = form.number("place", gettext("The place"))
        if place != int(place):
            raise BadField(gettext("The place must be a whole number: 1 is the first."))
        return "pin", entry | {"place": int(place)}
    return "block", entry


def state_of(entry: Mapping[str, Any], now: datetime) -> str:
    """Return `ended`, `announced` or `in force`."""
    if datetime.fromisoformat(entry["until"]) <= now:
        return "ended"
    return "announced" if datetime.fromisoformat(entry["from"]) > now else "in force"


def with_entry(entries: Sequence[Any], entry: Mapping[str, Any], now: datetime) -> list[Any]:
    """Return a list with one more entry, without entries that ended long ago."""
    return [*(each for each in entries if _is_kept(each, now)), entry]


def ending(entries: Sequence[Any], position: int, now: datetime) -> list[Any]:
    """Return a list in which the entry at a position (0 is the first) ends now. One not begun is left out.

    Raises:
        BadField: there is no such entry, or it has ended already.
    """
    if not 0 <= position < len(entries) or state_of(entries[position], now) == "ended":
        raise BadField(gettext("This entry has ended already. Open the page again."))
    ended, moment = entries[position], now.replace(microsecond=0)
    has_begun = datetime.fromisoformat(ended["from"]) < moment
    replaced = [{**ended, "until": moment.isoformat()}] if has_begun else []
    changed = [*entries[:position], *replaced, *entries[position + 1 :]]
    return [each for each in changed if _is_kept(each, now)]


def _is_kept(entry: Mapping[str, Any], now: datetime) -> bool:
    return datetime.fromisoformat(entry["until"]) > now - KEPT_AFTER_END
