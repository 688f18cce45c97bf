"""Reads the forms of the pages, which work without a script."""

from collections.abc import Mapping

from fastapi import Request

from serving.gateway.identity import check_origin
from serving.kit.problems import BAD_BODY
from serving.kit.request_body import read_fields

FORM_LIMIT = 16 * 1024
MAX_FIELDS = 32

Form = Mapping[str, str]


async def read_form(request: Request) -> Form:
    """Return the fields of a form that a page of this site has sent. Values are as they were typed.

    Raises:
        NotAllowed: the request does not say that it comes from this site.
        NotAForm: the body is something else.
        BAD_BODY: a field is repeated, is not UTF-8, or there are too many.
        BodyTooLarge: the form exceeds `FORM_LIMIT`.
    """
    check_origin(request)
    try:
        fields = await read_fields(request, FORM_LIMIT, MAX_FIELDS)
    except ValueError as error:
        raise BAD_BODY(
            detail="The form can't be read. Open the page again, and send it from there."
        ) from error
    form = dict(fields)
    if len(form) != len(fields):
        raise BAD_BODY(
            detail="A field of the form is given twice. Open the page again, and send it from there."
        )
    return form


def typed(form: Form, name: str) -> str:
    """Return a field without the blanks around it; empty if it is missing. Not for passwords."""
    return form.get(name, "").strip()
