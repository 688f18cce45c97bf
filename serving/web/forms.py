"""Reads the forms of pages, sends them to a service, and returns to a page afterwards."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urldefrag, urlencode
from zoneinfo import ZoneInfo

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from common.money import InexactMoney, to_minor
from common.problems import Problem
from producers.importer.mapped.countries import known_countries
from serving.commerce.commerce_client import target_path
from serving.kit.domain import opened
from serving.kit.http_caching import PRIVATE_NO_STORE
from serving.kit.problems import UnusableEntry
from serving.kit.request_body import SentFile, has_form, read_fields, read_multipart
from serving.web.formatter import words
from serving.web.renderer import PageRenderer
from serving.web.service_calls import Refusal, ask, body_schema
from serving.web.translation import N_, gettext, translated

FORM_LIMIT = 64 * 1024
"""The largest body of a form in bytes."""

MAX_FIELDS = 2_000

NAMES: Mapping[str, str] = {
    "fires_after": N_("How many times in a row"),
    "resolves_after": N_("How many times in a row until it is resolved"),
    "distance_minutes": N_("The time between messages"),
    "repeat_minutes": N_("The time until it is sent again"),
    "hour": N_("The hour"),
    "version": N_("The version"),
}
"""Field of a number → what messages call it."""

_PASSWORDS = frozenset({"password", "new_password"})

MAX_MAGNITUDE = 20
"""Numbers of a form are below 10 to the power of this, so that computing with them is cheap."""

NO_STORE = {"Cache-Control": PRIVATE_NO_STORE}

RELOAD = {"Refresh": "2"}
"""A page with this header loads itself again, without a script: while what it shows is being done."""


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
    """The fields of a form that was sent. Texts come without blanks around them, passwords as they are."""

    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)

    routes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Form of the page → the method and path of the service's route that takes its fields."""

    files: Sequence[tuple[str, SentFile]] = ()
    """The files (name of the field, file) of a form that sends files."""

    def text(self, name: str) -> str:
        """Return the text of a field; empty if the form lacks it."""
        return self.fields.get(name, ("",))[0].replace("\r\n", "\n").strip()

    def password(self, name: str) -> str:
        """Return a field as it was typed; empty if the form lacks it."""
        return self.fields.get(name, ("",))[0]

    def optional(self, name: str) -> str | None:
        """Return the text of a field; None if it is empty."""
        return self.text(name) or None

    def all(self, name: str) -> Sequence[str]:
        """Return the texts of all fields of a name, such as those of checkboxes."""
        return self.fields.get(name, ())

    def body(self, method: str, path: str, **given: Any) -> dict[str, Any]:
        """Return the body that a route of a service takes: `given` fields, and the others from this form.

        An empty field is null, or is left out if it can't be null; a required text stays, so that the service
        says what is wrong with it. A checkbox that is not ticked is false; a boolean that may be null is a
        choice between `true`, `false` and nothing. The name of a country becomes its code.

        Raises:
            BadField: a field is no number.
        """
        body = dict(given)
        for name, schema in body_schema(method, path).items():
            value = given[name] if name in given else self._value(name, schema)
            if value is not None or (schema.get("nullable") and name in self.fields):
                body[name] = value
        return body

    def _value(self, name: str, schema: Mapping[str, Any]) -> Any:
        """Return a field as JSON of its schema; None if it is empty."""
        text, what = self.text(name), translated(NAMES.get(name, words(name)))
        match schema.get("type"):
            case "boolean" if schema.get("nullable"):
                return {"true": True, "false": False}.get(text)
            case "boolean":
                return bool(text)
            case "integer" if text:
                return self.whole(name, what)
            case "number" if text:
                return float(self.number(name, what))
            case "string" if name in _PASSWORDS:
                return self.password(name)
            case "string" if text:
                return country_code(text) if name == "country" else text
            case "string" if schema["required"] and not schema.get("nullable"):
                return text
        return None

    def of(self, form_id: str) -> "Form":
        """Return the fields if they were entered into this form of the page; else an empty form."""
        return self if self.text("form") == form_id else Form()

    def limits(self, form_id: str, name: str) -> Mapping[str, Any]:
        """Return the JSON schema of a field, with `required`; nothing if no route takes it."""
        route = self.routes.get(form_id)
        return body_schema(*route).get(name, {}) if route else {}

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

    def whole(self, name: str, what: str) -> int:
        """Return a field as a whole number.

        Raises: as `number`, and BadField if it has a fraction, or JSON has no such number (64 bits).
        """
        number = self.number(name, what)
        if number != int(number):
            raise BadField(gettext("%(what)s must be a whole number.", what=what))
        if not -(2**63) <= number < 2**63:
            raise BadField(gettext("%(what)s is too large or too small.", what=what))
        return int(number)

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


async def read_form(request: Request, limit: int = FORM_LIMIT, max_fields: int = MAX_FIELDS) -> Form:
    """Return the form in the body of a request of at most `limit` bytes.

    Raises:
        NOT_A_FORM: the body has another content type.
        BadField: the body is malformed or not UTF-8, or has too many fields.
        BODY_TOO_LARGE: the body exceeds the limit.
    """
    try:
        fields = await read_fields(request, limit, max_fields)
    except ValueError as error:
        raise _unreadable() from error
    return Form(_by_name(fields))


async def read_form_with_files(request: Request, limit: int) -> Form:
    """Return the form in the body of a request of at most `limit` bytes, which may have files.

    Raises: as `read_form`.
    """
    if has_form(request):
        return await read_form(request)
    try:
        fields, files = await read_multipart(request, limit, MAX_FIELDS)
    except ValueError as error:
        raise _unreadable() from error
    return Form(_by_name(fields), files=files)


def _by_name(fields: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = defaultdict(list)
    for name, value in fields:
        values[name].append(value)
    return dict(values)


def _unreadable() -> BadField:
    return BadField(gettext("The form can't be read. Open the page again and send the form again."))


Change = Callable[[Form], Awaitable[Response | str | None]]
"""What a form does. It returns the response, or the key of another message than the usual one, or None."""

ShowPage = Callable[[Request, Problem | None, Form | None], Awaitable[Response]]
"""Returns the page of a form, with a problem and what was entered."""


async def action(
    request: Request,
    change: Change,
    page: ShowPage,
    target: str,
    done: str,
    read: Callable[[Request], Awaitable[Form]] = read_form,
    refusals: tuple[type[Problem], ...] = (),
) -> Response:
    """Read the form of a request, make its change, and redirect to a page that confirms it.

    If a field or the service refuses the change, or it raises one of `refusals`, return `page` with the
    reason and what was entered.
    `target` is the path of the page that confirms, with the parameters of this one in braces, and `done` the
    key of its message.
    """
    form = await read(request)
    refused: tuple[type[Problem], ...] = (BadField, Refusal, UnusableEntry, *refusals)
    try:
        outcome = await change(form)
    except refused as problem:
        return await page(request, problem, form)
    if isinstance(outcome, Response):
        return outcome
    return confirmation(target_path(target, request.path_params), outcome or done)


async def send(request: Request, form: Form, method: str, path: str, **given: Any) -> Any:
    """Send the fields of a form, and `given` ones, to a route of a service. Return the JSON of the response.

    Raises: as `ask`, and BadField if a field is no number.
    """
    return await ask(
        request, method, path, form.body(method, path, **given) if body_schema(method, path) else None
    )


def sending(request: Request, method: str, path: str) -> Change:
    """Return the change that sends the fields of a form to a route of a service."""

    async def change(form: Form) -> None:
        await send(request, form, method, path)

    return change


def confirmation(target: str, done: str) -> Response:
    """Redirect to a page, or a section of it, that confirms a change; `done` is the key of its message."""
    path, fragment = urldefrag(target)
    separator = "&" if "?" in path else "?"
    location = f"{path}{separator}{urlencode({'done': done})}" + (f"#{fragment}" if fragment else "")
    return RedirectResponse(location, 303, NO_STORE)


def form_page(
    request: Request,
    template: str,
    messages: Mapping[str, str],
    problem: Problem | None = None,
    entered: Form | None = None,
    routes: Mapping[str, tuple[str, str]] | None = None,
    **shown: Any,
) -> Response:
    """Return a page with forms. It is personal, so nothing may store it.

    `messages` has the text for each key that `confirmation` puts into the address. `routes` are those of
    `Form`: they limit the fields.
    """
    pages = opened(request, PageRenderer)
    response = pages(
        template,
        problem.status if problem else 200,
        problem=problem,
        entered=replace(entered or Form(), routes=routes or {}),
        done=messages.get(request.query_params.get("done", "")),
        **shown,
    )
    response.headers.update(NO_STORE)
    return response
