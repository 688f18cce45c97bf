"""Who sends a request: a guest, a registered person, an API key of a seller, or a process of the platform."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Self, get_args

Role = Literal["guest", "shopper", "seller", "analyst", "admin", "platform"]
"""What a principal may be. `seller`: works for at least one seller. `platform`: a process of ours."""

StaffRole = Literal["owner", "manager", "analyst", "fulfilment"]
"""What a person may do for a seller."""

FIGURES_STAFF: frozenset[StaffRole] = frozenset({"owner", "manager", "analyst"})
"""Who may see the figures of a seller, and may get mails with them."""

_ROLES, _STAFF_ROLES = frozenset(get_args(Role)), frozenset(get_args(StaffRole))


@dataclass(frozen=True, slots=True)
class Principal:
    """The sender of a request, as the gateway has established it.

    `subject` identifies it: a user's id, `guest:<session>`, `key:<id of an API key>` or `platform:<process>`.
    `shopper_ids` are the ids under which it has carts and orders: its own first, then those of its time as a
    guest. `sellers` maps each seller for which it works to its staff role there. `scopes` limits an API key;
    None means no limit. `session_id` is the session that its token belongs to.
    """

    subject: str
    roles: frozenset[Role]
    shopper_ids: tuple[str, ...] = ()
    sellers: Mapping[str, StaffRole] = field(default_factory=dict)
    scopes: frozenset[str] | None = None
    session_id: str | None = None

    @property
    def shopper_id(self) -> str | None:
        """The id under which it buys; None if it can't buy."""
        return self.shopper_ids[0] if self.shopper_ids else None

    @property
    def is_signed_in(self) -> bool:
        """Whether it is a registered person."""
        return bool(self.roles & {"shopper", "seller", "analyst", "admin"}) and self.session_id is not None

    def claims(self) -> dict[str, Any]:
        """Return it as claims of a token. Empty fields are left out."""
        optional = {
            "shoppers": list(self.shopper_ids) or None,
            "sellers": dict(self.sellers),
            "scopes": None if self.scopes is None else sorted(self.scopes),
            "sid": self.session_id,
        }
        present = {name: value for name, value in optional.items() if value or value == []}
        return {"sub": self.subject, "roles": sorted(self.roles), **present}

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any]) -> Self:
        """Return the principal of a token's claims.

        Raises:
            ValueError: a claim is missing or has the wrong type.
        """
        subject, roles = claims.get("sub"), claims.get("roles")
        shoppers, sellers = claims.get("shoppers", []), claims.get("sellers", {})
        scopes, session = claims.get("scopes"), claims.get("sid")
        well_formed = (
            isinstance(subject, str)
            and subject
            and _is_texts(roles)
            and _ROLES.issuperset(roles or ())
            and _is_texts(shoppers)
            and isinstance(sellers, dict)
            and _is_texts(list(sellers))
            and all(isinstance(role, str) and role in _STAFF_ROLES for role in sellers.values())
            and (scopes is None or _is_texts(scopes))
            and (session is None or isinstance(session, str))
        )
        if not well_formed:
            raise ValueError("the claims do not describe a principal")
        return cls(
            str(subject),
            frozenset(roles or ()),
            tuple(shoppers),
            MappingProxyType(dict(sellers)),
            None if scopes is None else frozenset(scopes),
            session,
        )


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def guest(session_id: str) -> Principal:
    """Return the principal of a browser that is not signed in. It buys under the id of its session."""
    return Principal(f"guest:{session_id}", frozenset({"guest"}), (session_id,))


def platform(process: str) -> Principal:
    """Return the principal of a process of the platform, such as `simulator`."""
    return Principal(f"platform:{process}", frozenset({"platform"}))
