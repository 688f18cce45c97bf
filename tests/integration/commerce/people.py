"""Principals of people, as the gateway establishes them, for tests of what each may do."""

from common.ids import new_id
from common.principal import Principal, StaffRole


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
