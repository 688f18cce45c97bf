"""What the pages of people say: notices, and refusals of the services without words about the API. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from serving.web.problem_texts import problem_text
from serving.web.translation import N_, gettext

NOTICES: Mapping[str, str] = {
    "registered": N_("Your e-mail address is confirmed, and you are signed in."),
    "verified": N_("Your e-mail address is confirmed. Sign in to go on."),
    "password-set": N_("You have a new password. Sign in with it; all other sessions have ended."),
    "email-confirmed": N_("Your new e-mail address is confirmed. Use it to sign in from now on."),
    "signed-out": N_("You are signed out."),
    "erased": N_("Your account is erased. Nothing links your orders to you any more."),
    "profile-saved": N_("Your profile is saved."),
    "mails-saved": N_("Your choice of mails is saved."),
    "seller-followed": N_("You follow the seller. The home page of the shop shows what they list."),
    "seller-unfollowed": N_("You follow the seller no more."),
    "address-saved": N_("The address is saved."),
    "address-deleted": N_("The address is deleted."),
    "session-ended": N_("The session has ended."),
    "password-changed": N_("Your password is changed. Your other sessions have ended."),
    "staff-joined": N_("You belong to the staff now. Your shops are below."),
    "invitation-refused": N_("The invitation is refused. Its link does not work any more."),
    "email-requested": N_("A mail is on its way to the new address. Follow its link to use the address."),
}
"""The texts of `?done=…`, with which a form returns to a page."""

UNAVAILABLE = N_("Accounts are not available right now. Nothing was changed: try again in a moment.")

_API_CALL = re.compile(r" with (?:GET|POST|PUT|PATCH|DELETE) /v1/[\w/{}?=.-]*\w")
_FIELD = re.compile(r"^[a-z_.0-9]+: ")


def notice(done: str) -> str | None:
    """Return the text for what a form has done; None for an unknown name."""
    return NOTICES.get(done)


def refusal(problem: Any) -> str:
    """Return a problem of a service as a person should read it: its detail, without calls of the API."""
    detail = str(problem.get("detail") or problem.get("title") or "") if isinstance(problem, dict) else ""
    kind = str(problem.get("type", "")).rpartition(":")[2] if isinstance(problem, dict) else ""
    if (text := problem_text(kind, detail)) != detail:
        return text
    if _FIELD.match(detail):
        field, _, reason = detail.partition(": ")
        return gettext(
            "The field “%(field)s” can't be used like this. %(reason)s",
            field=field.replace("_", " "),
            reason=reason,
        )
    return _API_CALL.sub("", detail) or gettext("This did not work. Check the form, and try again.")
