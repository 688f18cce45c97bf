"""What the pages of vouchers share, of a seller and of the marketplace: the form, the list, the texts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import Request

from serving.kit.domain import opened
from serving.web.forms import BadField, Change, Form
from serving.web.renderer import PageRenderer
from serving.web.service_calls import ask
from serving.web.translation import N_, gettext

MESSAGES: Mapping[str, str] = {
    "voucher_created": N_("The voucher is created."),
    "voucher_ended": N_("The voucher has ended. Orders that were placed with it keep it."),
}

KINDS: Mapping[str, str] = {
    "percentage": N_("A percentage"),
    "amount": N_("An amount"),
    "free_shipping": N_("Free shipping"),
}

STATES: Mapping[str, str] = {
    "scheduled": N_("Not started yet"),
    "active": N_("Active"),
    "ended": N_("Ended"),
    "used_up": N_("Used up"),
}


async def create(request: Request, form: Form, path: str) -> None:
    """Create the voucher that a form describes.

    Raises:
        BadField: a field has no valid value.
        Refusal, CommerceUnavailable: the service refuses it, or does not answer.
    """
    await ask(request, "POST", path, _entered(request, form))


def ending(request: Request, path: str) -> Change:
    """Return what ends the voucher of the page's address."""

    async def end(_: Form) -> None:
        await ask(request, "POST", f"{path}/{{voucher_id}}/end", {})

    return end


async def listed(request: Request, path: str, cursor: str | None) -> dict[str, Any]:
    """Return what the list of vouchers shows.

    Raises:
        Refusal, CommerceUnavailable: the service refuses it, or does not answer.
    """
    found = await ask(request, "GET", path, query={"cursor": cursor})
    return {
        "vouchers": found["vouchers"],
        "next_cursor": found["next_cursor"],
        "kinds": KINDS,
        "states": STATES,
    }


def _entered(request: Request, form: Form) -> dict[str, Any]:
    formatter = opened(request, PageRenderer).formatter
    kind = form.text("kind")
    percent = form.basis_points("percent", gettext("The percentage"))
    amount = form.minor("amount", gettext("The amount"), formatter.currency)
    if kind == "percentage" and not percent:
        raise BadField(gettext("Enter the percentage, such as 10."))
    if kind == "amount" and not amount:
        raise BadField(gettext("Enter the amount, such as 5.00."))
    ends_at = form.moment("ends_at", gettext("The end"), formatter.zone)
    starts_at = form.moment("starts_at", gettext("The start"), formatter.zone)
    return {
        "name": form.text("name"),
        "code": form.optional("code"),
        "kind": kind,
        "percent_bp": percent if kind == "percentage" else None,
        "amount_minor": amount if kind == "amount" else None,
        "category": form.optional("category"),
        "product_id": form.optional("product_id"),
        "first_order": bool(form.text("first_order")),
        "minimum_minor": form.minor("minimum", gettext("The minimum"), formatter.currency) or None,
        "starts_at": _json(starts_at),
        "ends_at": _json(ends_at),
        "limit_total": _whole(form, "limit_total", gettext("The uses in all")),
        "limit_per_person": _whole(form, "limit_per_person", gettext("The uses of a person")),
    }


def _whole(form: Form, name: str, what: str) -> int | None:
    return form.whole(name, what) if form.text(name) else None


def _json(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
