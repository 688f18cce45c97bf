"""Who may use a route. A domain of `serving` says it in its `policy.py`, a commerce service at each route."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from common.principal import Principal, Role, StaffRole
from common.problems import Problem

TrafficClass = Literal["checkout", "write", "read", "page", "recommendation", "sign_in", "operations"]
"""What a request is for. Rate limits apply by class, and an overloaded gateway refuses recommendations first,
then pages, then reads; checkout and operations last."""

ALL_STAFF: frozenset[StaffRole] = frozenset(get_args(StaffRole))
"""All staff may see a seller's orders. Only `common.principal.FIGURES_STAFF` may see what it earned."""


class SignInRequired(Problem):
    """The route needs a principal, and the request has none."""

    status, kind, title = 401, "sign-in-required", "Sign in first"

    def __init__(self, detail: str = "") -> None:
        super().__init__(
            detail or "Sign in at /sign-in, or send an access token or an API key as `Authorization: Bearer`."
        )


class NotAllowed(Problem):
    """The principal may not use the route."""

    status, kind, title = 403, "not-allowed", "This is not allowed"


class NotYours(Problem):
    """The thing belongs to somebody else. The response is the same as for a thing that does not exist."""

    status, kind, title = 404, "not-found", "Not found"

    def __init__(self) -> None:
        super().__init__("There is nothing at this address. Check the ids in it.")


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """Who may use a route.

    A principal needs one of `roles`. If `seller` is the only one that it has, it also needs one of the roles
    in `staff` at the seller that the path names in `seller_parameter`; without that parameter, at any seller.
    `shopper_parameter` names the path parameter that must be a shopper id of the principal, unless another of
    its roles allows the request. An API key needs all of `scopes`; a route without any accepts no API key.
    """

    roles: frozenset[Role]
    traffic: TrafficClass
    staff: frozenset[StaffRole] = ALL_STAFF
    seller_parameter: str | None = None
    shopper_parameter: str | None = None
    scopes: frozenset[str] = frozenset()
    public: bool = field(default=False)
    """Whether the route answers a request without a principal, too. Then the other fields do not apply."""
    secret_response: bool = False
    """Whether a response may contain a secret, such as a new API key. Such a response is never stored."""
    handles_idempotency_key: bool = False
    """Whether the endpoint itself acts on the header `Idempotency-Key`."""
    refused_like: TrafficClass | None = None
    """The class by which an overloaded gateway refuses it, if that is not `traffic`."""

    @property
    def shed_as(self) -> TrafficClass:
        """The class by which an overloaded gateway refuses it."""
        return self.refused_like or self.traffic

    @property
    def stores_responses(self) -> bool:
        """Whether responses are stored by `Idempotency-Key`. Those of sign-in contain tokens."""
        return not (self.secret_response or self.handles_idempotency_key or self.traffic == "sign_in")

    def authorize(self, principal: Principal | None, path_parameters: Mapping[str, object]) -> None:
        """Return if the principal may use the route with these path parameters.

        Raises:
            SignInRequired: the request has no principal, and the route needs one.
            NotAllowed: the principal has none of the roles, or lacks the scope.
            NotYours: the path names another's seller or shopper id.
        """
        if self.public:
            return
        if principal is None:
            raise SignInRequired
        if principal.scopes is not None and not (self.scopes and self.scopes <= principal.scopes):
            raise NotAllowed(f"This API key may not do this. It needs {self._needed_of_key}.")
        matching = principal.roles & self.roles
        if not matching:
            if "guest" in principal.roles:
                raise SignInRequired
            raise NotAllowed(f"This needs the role {_either(self.roles)}.")
        # Holders of these roles may only reach what is their own.
        limited = {"seller"} if self.shopper_parameter is None else {"seller", "shopper", "guest"}
        if not matching - limited:
            self._check_ownership(principal, matching, path_parameters)

    @property
    def _needed_of_key(self) -> str:
        if not self.scopes:
            return "a signed-in person"
        return f"the scope{'s' if len(self.scopes) > 1 else ''} {' and '.join(sorted(self.scopes))}"

    def _check_ownership(
        self, principal: Principal, matching: frozenset[Role], path_parameters: Mapping[str, object]
    ) -> None:
        if "seller" in matching and self._is_own_seller(principal, path_parameters):
            return
        if matching & {"shopper", "guest"}:
            if self.shopper_parameter is None:
                return
            if path_parameters.get(self.shopper_parameter) in principal.shopper_ids:
                return
        raise NotYours

    def _is_own_seller(self, principal: Principal, path_parameters: Mapping[str, object]) -> bool:
        """Return whether the principal works for the seller of the path, in one of the roles in `staff`.

        Raises:
            NotAllowed: it works for this seller in another role.
        """
        if self.seller_parameter is None:
            roles = set(principal.sellers.values())
        else:
            role = principal.sellers.get(str(path_parameters.get(self.seller_parameter)))
            if role is None:
                return False
            roles = {role}
        if not roles & self.staff:
            raise NotAllowed(f"At this seller, this needs the role {_either(self.staff)}.")
        return True


def anyone(traffic: TrafficClass, refused_like: TrafficClass | None = None) -> AccessPolicy:
    """Return the policy of a route that answers everybody."""
    return AccessPolicy(frozenset(), traffic, public=True, refused_like=refused_like)


def allow(
    *roles: Role,
    traffic: TrafficClass,
    staff: Collection[StaffRole] = ALL_STAFF,
    seller_parameter: str | None = None,
    shopper_parameter: str | None = None,
    scope: str | Collection[str] = (),
    secret_response: bool = False,
    handles_idempotency_key: bool = False,
) -> AccessPolicy:
    """Return the policy of a route that answers principals of these roles; see `AccessPolicy`.

    `scope` is what an API key needs: one scope or several.
    """
    return AccessPolicy(
        frozenset(roles),
        traffic,
        frozenset(staff),
        seller_parameter,
        shopper_parameter,
        frozenset([scope] if isinstance(scope, str) else scope),
        secret_response=secret_response,
        handles_idempotency_key=handles_idempotency_key,
    )


def _either(names: Collection[str]) -> str:
    return " or ".join(sorted(names))
