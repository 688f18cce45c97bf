"""The details of problems on pages in other languages than English, in which the API describes problems."""

from collections.abc import Mapping

from common.problems import ErrorDescription
from serving.web.language import SOURCE, current_language
from serving.web.translation import N_, translated

DETAILS: Mapping[str, str] = {
    "unknown-seller": N_("There is no seller with this id. Find sellers on the start page."),
    "unknown-product": N_("There is no product with this id. Find products in the shop."),
    "unknown-order": N_("There is no order with this id. Check the link that you followed."),
    "unknown-metric": N_("There is no metric with this name. Choose one on the page of metrics."),
    "not-found": N_("There is nothing at this address. Check the address."),
    "method-not-allowed": N_("This address can't be opened like this. Go back, and use the page."),
    "sign-in-required": N_("Sign in to see this page."),
    "not-allowed": N_("Your account may not do this. Somebody who may can give you the right."),
    "bad-parameter": N_("A part of the address can't be used. Go back, and choose again."),
    "bad-cursor": N_("The next page can't be shown from here. Begin at the first page."),
    "bad-body": N_("What was sent can't be used. Open the page again, and send it from there."),
    "body-too-large": N_("What was sent is too large. Send it in several parts."),
    "quota-exceeded": N_("You sent more requests than a minute allows. Try again in a minute."),
    "clickhouse-unavailable": N_("The figures can't be read right now. Try again in a moment."),
    "redis-unavailable": N_("A part of the page can't be read right now. Try again in a moment."),
    "commerce-unavailable": N_("The shop does not answer. Nothing is lost: try again in a moment."),
    "temporary-reduced-capacity": N_("A part of the platform is too busy. Try again in a moment."),
    "time-limit-exceeded": N_("There was no response in time. Try again in a moment."),
    "other-site": N_("A page of another site sent this. Send it from this site."),
    "unknown-host": N_("This is not a name of this server."),
    "internal": N_("This is a bug. The server's log has the details."),
}
"""Kind of a problem → its text on a page, without the names and numbers of the original."""

TITLES = (N_("Not Found"), N_("Method Not Allowed"), N_("Something went wrong"))
"""Titles of problems that no class has."""


def page_detail(problem: ErrorDescription) -> str:
    """Return the detail of a problem in the language of the page.

    A detail with names or numbers is replaced by the text of its kind. Without one, it stays as it is.
    """
    detail = translated(problem.detail)
    if current_language() == SOURCE or detail != problem.detail:
        return detail
    return translated(DETAILS.get(problem.kind, detail))
