"""Texts that templates and the API have by name: problems, statuses, roles, and why something is recommended.

The API describes them in English.
"""

import re
from collections.abc import Mapping

from serving.web.language import SOURCE, current_language
from serving.web.translation import N_, gettext, translated

DETAILS: Mapping[str, str] = {
    "unknown-seller": N_("There is no seller with this id. Find sellers on the start page."),
    "unknown-product": N_("There is no product with this id. Find products in the shop."),
    "unknown-cart-line": N_("It is not in your cart any more. This is what is in it now."),
    "cart-full": N_("The cart is full. Order what is in it first, or take something out."),
    "too-many-units": N_("A cart takes up to 999 units of a product. Nothing was changed."),
    "unknown-cart": N_("This account was erased, and has no cart."),
    "unknown-order": N_("There is no order with this id. Check the link that you followed."),
    "unknown-metric": N_("There is no metric with this name. Choose one on the page of metrics."),
    "unknown-training": N_("There is no training with this id. Open the list of trainings."),
    "model-not-kept": N_(
        "Only the model in use and the one before it are kept, and this one is not among them, or not whole. "
        "Open the list of trainings again."
    ),
    "not-found": N_("There is nothing at this address. Check the address."),
    "method-not-allowed": N_("This address can't be opened like this. Go back, and use the page."),
    "sign-in-required": N_("Sign in to see this page."),
    "not-allowed": N_("Your account may not do this. Somebody who may can give you the right."),
    "bad-parameter": N_("Something in the address or the form can't be used. Check it, and try again."),
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
    "wrong-credentials": N_(
        "No account can be opened with this e-mail address and this password. Check both, or choose a new "
        "password. If you have just registered, follow the link in the mail first."
    ),
    "wrong-password": N_("This change needs your current password. Nothing was changed."),
    "wrong-registration-password": N_("This is not the password of this registration. Nothing was changed."),
    "no-password": N_("This needs your password, and you have none yet. Choose one first."),
    "too-many-attempts": N_(
        "Too many wrong passwords were tried. Try again later, or choose a new password."
    ),
    "account-suspended": N_("An administrator has suspended this account. Write to the shop."),
    "session-ended": N_("Your session has ended. Sign in again."),
    "link-ended": N_("The link was used before, or it has expired. Ask for another one."),
    "weak-password": N_("Choose a password of 10 to 200 characters that nobody guesses."),
    "not-an-email": N_("Enter an address such as ana@shop.example."),
    "too-many-addresses": N_("You have as many addresses as a person may have. Delete one first."),
    "too-many-mails": N_("This address got several mails within an hour. Try again in an hour."),
    "application-open": N_("Your last application is not decided yet. Apply again after the decision."),
    "last-owner": N_("A seller keeps at least one owner. Make another person an owner first."),
    "too-many-invitations": N_("There are too many open invitations. Withdraw one of them first."),
    "invitation-ended": N_("The invitation was used, refused or withdrawn, or it has expired."),
    "not-the-invited-person": N_(
        "Your account has another e-mail address than the one to which the invitation was sent."
    ),
    "too-many-api-keys": N_("There are too many API keys. Revoke one that is not used any more."),
    "not-a-reader": N_("Mails with figures go only to owners, managers and analysts of the seller's staff."),
    "bad-webhook": N_("Enter an https URL with a host that the public internet can reach."),
    "too-many": N_("There are as many as a seller may have. Delete one that is no longer needed."),
    "tested-just-now": N_("A test was sent less than a minute ago. Look for it, then try again."),
    "rule-paused": N_("This alert is paused and sends nothing. Resume it first."),
    "no-recipient": N_("The person who got the mails has left. Create this for another person."),
    "not-ready": N_("A service is still starting. Nothing was changed: try again in a moment."),
    "unusable-entry": N_(
        "The entry names nothing that is on offer, or it has ended already. Check its id and its dates."
    ),
    "unknown-line": N_("You have bought nothing like this that you may review. The list has what you may."),
    "not-delivered": N_("It has not arrived yet. Review it once it has."),
    "already-reviewed": N_("You have reviewed it already. Change that review instead."),
    "unknown-review": N_("There is no such review any more, or it is not published. Nothing was changed."),
    "own-review": N_("This review is your own. Only others can vote for it or report it."),
    "changed-review": N_(
        "Its author has written the review anew meanwhile. Read it again, then decide. Nothing was changed."
    ),
    "unknown-listing": N_("There is no such listing any more. Nothing was changed."),
    "already-listed": N_("You have a listing of this product already. Change that one. Nothing was saved."),
    "contents-of-owner": N_(
        "Another seller describes this product. Change what your offer says. Nothing was changed."
    ),
    "sku-taken": N_("Another listing of yours has this SKU. A SKU names one listing. Nothing was saved."),
    "unknown-category": N_("There is no such category. Choose one of the list. Nothing was saved."),
    "unknown-attribute": N_("Products of this category don't have this attribute. Nothing was saved."),
    "changed-since": N_(
        "The listing was changed meanwhile, by a file or by somebody else. Compare your entries with it, and "
        "save them again if they are right."
    ),
    "too-many-variants": N_("The product has as many variants as it may have. List another product."),
    "bad-variants": N_(
        "The variants can't be told apart. Give each of them its own values, such as a colour. Nothing was "
        "saved."
    ),
    "blocked-listing": N_(
        "An administrator has taken it off. Write to the marketplace. Nothing was changed."
    ),
    "seller-not-approved": N_("The seller may not sell now. Nothing was saved."),
    "category-cycle": N_("A category can't be below itself. Choose another parent. Nothing was saved."),
    "category-in-use": N_("There are products or categories in it. Move them first. Nothing was changed."),
    "not-listed": N_(
        "The product is not on offer, so its stock can't grow. List it first; if it is new, wait a moment "
        "and try again. Nothing was changed."
    ),
    "held-for-orders": N_(
        "Orders that are being paid hold more units than that. Enter at least as many, or wait. Nothing was "
        "changed."
    ),
    "internal": N_("This is a bug. The server's log has the details."),
}
"""Kind of a problem → its text on a page, without the names and numbers of the original."""

OF_THE_API = frozenset(
    {
        "not-found",
        "method-not-allowed",
        "unknown-line",
        "not-delivered",
        "already-reviewed",
        "unknown-review",
        "changed-review",
        "unknown-listing",
        "contents-of-owner",
        "unknown-category",
        "not-listed",
        "unknown-cart-line",
        "cart-full",
        "too-many-units",
        "unknown-cart",
    }
)
"""Kinds whose details are for programs: on a page, people read the text above in every language."""

PROBLEM_TITLES = (N_("Not Found"), N_("Method Not Allowed"), N_("Something went wrong"))
"""Titles of problems that no class has."""


def problem_text(kind: str, detail: str) -> str:
    """Return the detail of a problem in the language of the page.

    A detail with names or numbers is replaced by the text of its kind. Without one, it stays as it is.
    """
    text = translated(detail)
    if kind not in OF_THE_API and (current_language() == SOURCE or text != detail):
        return text
    return translated(DETAILS.get(kind, detail))


GRAINS = (
    *(N_("Hour"), N_("Day"), N_("Week"), N_("Month")),
    *(N_("hour"), N_("day"), N_("week"), N_("month")),
)

ORDER_STATUSES = (
    *(N_("Placed"), N_("Confirmed"), N_("Shipped"), N_("Delivered"), N_("Cancelled")),
    N_("Unavailable"),
)

SELLER_STATUSES = (*(N_("Applied"), N_("Approved"), N_("Refused"), N_("Suspended")),)

RULE_STATES = (N_("In force"), N_("Announced"), N_("Superseded"))

MESSAGE_STATUSES = (N_("Waiting"), N_("Sent"), N_("Failed"), N_("Skipped"))

ROLES = (
    *(N_("Owner"), N_("Manager"), N_("Analyst"), N_("Fulfilment"), N_("Shopper")),
    *(N_("Seller"), N_("Admin"), N_("Platform"), N_("Guest")),
)


REASONS = (
    N_("Popular right now"),
    N_("Popular in %(name)s"),
    N_("Often viewed together with %(name)s"),
    N_("Goes with %(name)s in your cart"),
    N_("Because you looked at %(name)s"),
    N_("Because you bought %(name)s"),
    N_("Similar to %(name)s"),
    N_("Sponsored"),
    N_("Chosen by the shop"),
    N_("Waiting to be discovered"),
    N_("You bought it before"),
    N_("New in the shop"),
    N_("Price lowered"),
    N_("Back in stock"),
)

TITLES = (
    N_("Buy again"),
    N_("Completes your cart"),
    N_("Since your last visit"),
    N_("New from sellers you follow"),
    N_("Chosen for you"),
)
"""The titles of rows that are not reasons, too."""

_PATTERNS = {
    text: re.compile(re.escape(text).replace(re.escape("%(name)s"), "(?P<name>.+)"))
    for text in (*REASONS, *TITLES)
}


def reason_text(reason: str) -> str:
    """Return a reason or title in the language of the request; an unknown one stays English."""
    for text, pattern in _PATTERNS.items():
        if found := pattern.fullmatch(reason):
            return gettext(text, **found.groupdict())
    return reason
