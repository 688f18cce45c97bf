"""Visits of people to the pages with Chromium, without JavaScript: every form must work without scripts."""

from typing import TYPE_CHECKING

from playwright.sync_api import Browser, Page

from common.ids import new_id
from common.principal import Principal, StaffRole
from tests.principals import bearer

if TYPE_CHECKING:
    from tests.integration.serving.conftest import Office

ADMIN = Principal(
    "019ac0de-a12e-72ea-a85a-748a90456231", frozenset({"shopper", "admin"}), session_id="s-admin"
)


def shopper(user_id: str) -> Principal:
    """Return a person without a further role."""
    return Principal(user_id, frozenset({"shopper"}), (f"shopper-{user_id}",), session_id=f"s-{user_id}")


def staff(seller_id: str, role: StaffRole, user_id: str | None = None) -> Principal:
    """Return a person who works for a seller."""
    subject = user_id or new_id()
    return Principal(
        subject, frozenset({"shopper", "seller"}), (f"shopper-{subject}",), {seller_id: role}, None, "s-staff"
    )


def register_staff(office: "Office", seller_id: str, role: StaffRole) -> tuple[str, str]:
    """Register a person of a seller's staff; return their id and e-mail address."""
    email = f"{new_id()}@shop.example"
    user_id = office.register(email)
    office.shop.employ(seller_id, user_id, role)
    return user_id, email


def visit(browser: Browser, office: "Office", principal: Principal, path: str) -> Page:
    """Open a page as a person. The browser runs no scripts."""
    context = browser.new_context(
        base_url=office.settings.serving,
        java_script_enabled=False,
        extra_http_headers=bearer(office.settings, principal),
    )
    page = context.new_page()
    page.goto(path)
    return page


def application(**changes: str) -> dict[str, str]:
    """Return the body of an application to sell."""
    return {
        "name": f"Casa {new_id()[-8:]}",
        "legal_name": "Casa das Lâmpadas Ltda",
        "tax_id": "12.345.678/0001-90",
        "contact_email": "casa@lamps.example",
        "country": "BR",
        **changes,
    }


def approved_seller(office: "Office") -> tuple[str, str]:
    """Return the id of a new approved seller, and that of its owner."""
    user_id = office.register(f"owner-{new_id()}@lamps.example")
    sent = office.http(shopper(user_id)).post("/v1/seller_applications", json=application())
    application_id, seller_id = sent.raise_for_status().json()["application_id"], sent.json()["seller_id"]
    path = f"/v1/seller_applications/{application_id}/approval"
    office.http(ADMIN).post(path, json={}).raise_for_status()
    office.shop.knows_that(seller_id, approved=True)
    return seller_id, user_id
