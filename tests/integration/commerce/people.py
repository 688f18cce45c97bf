"""Principals of people, as the gateway establishes them, for tests of what each may do."""

from common.ids import new_id
from common.principal import Principal, StaffRole
from tests.integration.commerce_servers import Shop


def person(user_id: str | None = None) -> Principal:
    """Return a signed-in shopper."""
    return Principal(
        user_id or new_id(), frozenset({"shopper"}), (f"shopper-{new_id()}",), session_id=new_id()
    )


def admin() -> Principal:
    """Return an administrator."""
    return Principal(new_id(), frozenset({"shopper", "admin"}), (f"shopper-{new_id()}",), session_id=new_id())


def staff(seller_id: str, role: StaffRole, user_id: str | None = None) -> Principal:
    """Return a person who works for a seller."""
    return Principal(
        user_id or new_id(),
        frozenset({"shopper", "seller"}),
        (f"shopper-{new_id()}",),
        {seller_id: role},
        session_id=new_id(),
    )


def with_account(shop: Shop, principal: Principal) -> Principal:
    """Make the account of a person and their roles, unless they exist, and return the person."""
    role = next(iter(principal.roles & {"analyst", "admin"}), None)
    shop.sql(
        "WITH person AS ("
        "INSERT INTO users.people (user_id, email, role, sealed_shopper_id, verified_at) "
        "VALUES ($1, $2, $3, '', now()) ON CONFLICT DO NOTHING RETURNING user_id"
        ") INSERT INTO users.person_keys (user_id, sealed_key) SELECT user_id, '' FROM person",
        principal.subject,
        f"{principal.subject}@shop.example",
        role,
    )
    for seller_id, staff_role in principal.sellers.items():
        shop.employ(seller_id, principal.subject, staff_role)
    return principal
