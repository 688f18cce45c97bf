"""Reads the forms of pages, sends them to a service, and returns to a page afterwards."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from common.money import InexactMoney, to_minor
from common.problems import Problem
from producers.importer.mapped.countries import known_countries
from serving.kit.domain import opened
from serving.kit.problems import UnusableEntry
from serving.kit.request_body import read_fields
from serving.web.renderer import PageRenderer
from serving.web.service_calls import Refusal
from serving.web.translation import gettext

FORM_LIMIT = 64 * 1024
"""The largest body of a form in bytes."""

MAX_FIELDS = 2_000
MAX_MAGNITUDE = 20
"""Numbers of a form are below 10 to the power of this, so that computing with them is cheap."""

NO_STORE = {"Cache-Control": "no-store"}


def country_code(text: str) -> str:
    """Return the ISO 3166 code of a country's code or name; a text that is neither stays, for the service.

    A name is looked up, because its first two letters are often another country: `Germany` is not `GE`.
    """
    return known_countries().get(text.casefold(), text)


class BadField(Problem):
    """A field of a form can't be read. Nothing was sent to a service."""

    status, kind, title = 422, "bad-field", "A field can't be used"


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form that was sent. Texts come without blanks around them."""

    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return the text of a field; empty if the form lacks it."""
        return self.fields.get(name, ("",))[0].replace("\r\n", "\n").strip()

    def optional(self, name: str) -> str | None:
        """Return the text of a field; None if it is empty."""
        return self.text(name) or None

    def all(self, name: str) -> Sequence[str]:
        """Return the texts of all fields of a name, such as those of checkboxes."""
        return self.fields.get(name, ())

    def of(self, form_id: str) -> "Form":
        """Return the fields if they were entered into this form of the page; else an empty form."""
        return self if self.text("form") == form_id else Form()

    def number(self, name: str, what: str) -> Decimal:
        """Return a field as a number.

        Raises:
            BadField: the field is empty, no number, or too large or small; `what` names it in the message.
        """
        try:
            number = Decimal(self.text(name))
        except InvalidOperation as error:
            raise BadField(gettext("%(what)s must be a number such as 12.5.", what=what)) from error
        if not number.is_finite() or abs(number.adjusted()) > MAX_MAGNITUDE:
            raise BadField(gettext("%(what)s must be a number such as 12.5.", what=what))
        return number

    def basis_points(self, name: str, what: str) -> int | None:
        """Return a percentage as basis points; None if it is empty.

        Raises:
            BadField: the field is no number from 0 to 100 with at most two decimals.
        """
        if not self.text(name):
            return None
        points = self.number(name, what) * 100
        if not 0 <= points <= 10_000 or points != int(points):
            raise BadField(
                gettext("%(what)s must be a percentage from 0 to 100 with at most two decimals.", what=what)
            )
        return int(points)

    def minor(self, name: str, what: str, currency: str) -> int | None:
        """Return an amount in major units as minor units; None if it is empty.

        Raises:
            BadField: the field is no amount of this currency.
        """
        if not self.text(name):
            return None
        try:
            return to_minor(self.number(name, what), currency)
        except InexactMoney as error:
            raise BadField(
                gettext(
                    "%(what)s must be an amount in %(currency)s such as 1.50.", what=what, currency=currency
                )
            ) from error

    def midnight(self, name: str, what: str, zone: ZoneInfo) -> datetime | None:
        """Return the beginning of a day in a time zone; None if the field is empty.

        Raises:
            BadField: the field is no day.
        """
        if not self.text(name):
            return None
        try:
            return datetime.combine(date.fromisoformat(self.text(name)), time(), zone)
        except ValueError as error:
            raise BadField(gettext("%(what)s must be a day such as 2027-01-31.", what=what)) from error

    def moment(self, name: str, what: str, zone: ZoneInfo) -> datetime | None:
        """Return a day and time of a time zone; None if the field is empty.

        Raises:
            BadField: the field is no day with a time.
        """
        if not self.text(name):
            return None
        try:
            return datetime.fromisoformat(self.text(name)).replace(tzinfo=zone)
        except ValueError as error:
            raise BadField(
                gettext("%(what)s must be a day and a time such as 2027-01-31T18:00.", what=what)
            ) from error


async def read_form(request: Request, limit: int = FORM_LIMIT) -> Form:
    """Return the form in the body of a request of at most `limit` bytes.

    Raises:
        NotAForm: the body has another content type.
        BadField: the body is malformed or not UTF-8, or has too many fields.
        BodyTooLarge: the body exceeds the limit.
    """
    try:
        fields = await read_fields(request, limit, MAX_FIELDS)
    except ValueError as error:
        raise BadField(
            gettext("The form can't be read. Open the page again and send the form again.")
        ) from error
    values: dict[str, list[str]] = defaultdict(list)
    for name, value in fields:
        values[name].append(value)
    return Form(dict(values))


async def submit(
    change: Callable[[], Awaitable[object]],
    page: Callable[[Problem], Awaitable[Response]],
    target: str,
    done: str,
    section: str = "",
) -> Response:
    """Make a change and redirect to a page that confirms it; `done` is the key of its message.

    If a field or the service refuses the change, return `page` with the reason and what was entered.
    """
    try:
        await change()
    except (BadField, Refusal, UnusableEntry) as problem:
        return await page(problem)
    return confirmation(target, done, section)


def confirmation(target: str, done: str, section: str = "") -> Response:
    """Redirect to a section of a page that confirms a change; `done` is the key of its message."""
    separator, fragment = "&" if "?" in target else "?", f"#{section}" if section else ""
    return RedirectResponse(f"{target}{separator}{urlencode({'done': done})}{fragment}", 303, NO_STORE)


def form_page(
    request: Request,
    template: str,
    messages: Mapping[str, str],
    problem: Problem | None = None,
    entered: Form | None = None,
    **shown: Any,
) -> Response:
    """Return a page with forms. It is personal, so nothing may store it.

    `messages` has the text for each key that `submit` puts into the address.
    """
    pages = opened(request, PageRenderer)
    response = pages(
        template,
        problem.status if problem else 200,
        problem=problem,
        entered=entered or Form(),
        done=messages.get(request.query_params.get("done", "")),
        **shown,
    )
    response.headers.update(NO_STORE)
    return response
