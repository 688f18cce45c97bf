"""What the pages of administration share: their router, navigation and messages."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from common.access_policy import allow
from common.ids import MAX_ID_LENGTH, PRINTABLE
from common.problems import Problem
from serving.web.forms import Form, form_page
from serving.web.policy import page_router
from serving.web.translation import N_
from serving.web.vouchers import MESSAGES as VOUCHER_MESSAGES

ADMINISTRATORS = allow("admin", "platform", traffic="operations")
"""Administrators, and processes of the platform.

The pages are operations: an overloaded gateway still serves them, because its settings are changed here. The
services check each request of these pages by their own policies.
"""

SECTIONS: Mapping[str, str] = {
    "": N_("Overview"),
    "find": N_("Look up"),
    # The platform
    "ops": N_("Operations"),
    "audits": N_("Audits"),
    "dead-letters": N_("Dead letters"),
    "limits": N_("Limits"),
    "settings": N_("Settings"),
    # The people
    "sellers": N_("Sellers"),
    "people": N_("People"),
    "commission": N_("Commission"),
    "reviews": N_("Reviews"),
    # What is for sale
    "listings": N_("Listings"),
    "categories": N_("Categories"),
    "vouchers": N_("Vouchers"),
    # What shoppers are recommended
    "recommendations": N_("Recommendations"),
    "recommendation-health": N_("Recommendation health"),
    "experiments": N_("Experiments"),
    "trainings": N_("Trainings"),
}
"""The end of the address of each section → its name, those that belong together side by side."""

MESSAGES: Mapping[str, str] = {
    "approved": N_("The application is approved. The applicant is the owner of the new seller."),
    "refused": N_("The application is refused. The applicant can read the reason."),
    "seller_suspended": N_("The seller is suspended. Its API keys and its staff have no access any more."),
    "seller_reinstated": N_(
        "The suspension has ended. The seller's staff and API keys have their access again."
    ),
    "role_set": N_("The role has changed. It applies from the person's next request on."),
    "person_suspended": N_(
        "The person is suspended. Their sessions and the API keys that they made have ended."
    ),
    "person_reinstated": N_("The suspension has ended. The person can sign in again."),
    "setting_changed": N_("The setting has changed. Every process knows it within about a second."),
    "setting_rolled_back": N_("The setting is rolled back. Every process knows it within about a second."),
    "entry_added": N_("The entry is added. It applies within about a second of its start."),
    "entry_ended": N_("The entry has ended. Recommendations follow within about a second."),
    "experiment_defined": N_("The experiment is defined. Every process knows it within about a second."),
    "experiment_started": N_("The experiment has started. Every process knows it within about a second."),
    "experiment_stopped": N_("The experiment is stopped. Every process knows it within about a second."),
    "arm_stopped": N_("The arm is stopped. Its visitors get the present strategy within about a second."),
    "rolled_back": N_("The model is rolled back. The next recommendation of every process comes from it."),
    "rule_added": N_("The rule is added. Order lines that exist keep their rate."),
    "review_published": N_("The review is published."),
    "review_rejected": N_("The review is rejected. Its author can read the reason."),
    "category_saved": N_("The category is saved. Pages show it within seconds."),
    "category_deleted": N_("The category is deleted."),
    "attribute_saved": N_("The attribute is saved. Pages show it within seconds."),
    "listing_blocked": N_("The listing is blocked. Its seller reads the reason."),
    "listing_unblocked": N_("The block has ended. The seller may put the product on offer again."),
    "replayed": N_("The dead letters were sent again. One that is rejected again appears as a new one."),
    "none_replayed": N_("Nothing was sent: truncated dead letters can't be replayed."),
    "discarded": N_("The dead letters are discarded."),
    **VOUCHER_MESSAGES,
}

Search = Annotated[str, Query(max_length=MAX_ID_LENGTH, pattern=PRINTABLE)]


def admin_router(prefix: str = "/admin") -> APIRouter:
    """Return a router of pages of administrators, such as a section of the administration."""
    return page_router(ADMINISTRATORS, prefix)


def admin_page(
    request: Request,
    template: str,
    section: str,
    problem: Problem | None = None,
    entered: Form | None = None,
    **shown: Any,
) -> Response:
    """Return a page of a section of the administration."""
    return form_page(
        request,
        f"admin/{template}",
        MESSAGES,
        problem,
        entered,
        sections=SECTIONS,
        section=section,
        **shown,
    )
