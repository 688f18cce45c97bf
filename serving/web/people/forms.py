"""Reads the forms of the pages, which work without a script."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from fastapi import Request

from common.problems import Problem
from serving.gateway.identity import check_origin
from serving.problems import BadBody
from serving.request_body import read_body

FORM = "application/x-www-form-urlencoded"
FORM_LIMIT = 16 * 1024
MAX_FIELDS = 32

Form = Mapping[str, str]


class NotAForm(Problem):
    """The body is not a form."""

    status, kind, title = 415, "not-a-form", "This body is not a form"

    def __init__(self) -> None:
        super().__init__(f"This page takes forms ({FORM}). Programs use the API: see /docs.")


async def read_form(request: Request) -> Form:
    """Return the fields of a form that a page of this site has sent. Values are as they were typed.

    Raises:
        NotAllowed: the request does not say that it comes from this site.
        NotAForm: the body is something else.
        BadBody: a field is repeated, is not UTF-8, or there are too many.
        BodyTooLarge: the form exceeds `FORM_LIMIT`.
    """
    check_origin(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise NotAForm
    body = await read_body(request, FORM_LIMIT)
    try:
        fields = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except ValueError as error:
        raise BadBody("The form can't be read. Open the page again, and send it from there.") from error
    form = dict(fields)
    if len(form) != len(fields):
        raise BadBody("A field of the form is given twice. Open the page again, and send it from there.")
    return form


def typed(form: Form, name: str) -> str:
    """Return a field without the blanks around it; empty if it is missing. Not for passwords."""
    return form.get(name, "").strip()
