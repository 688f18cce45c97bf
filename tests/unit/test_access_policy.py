"""Who may use a route: roles, staff roles, scopes, and the ids in its path."""

import pytest
from fastapi import APIRouter, FastAPI
from hypothesis import given
from hypothesis import strategies as st

from common.access_policy import NotAllowed, NotYours, SignInRequired, allow, anyone
from common.guarded_route import MissingPolicy, all_routes, check_policies, guarded
from common.principal import Principal, guest, platform

OF_SELLER = allow(
    "seller", "admin", traffic="read", staff=("owner",), seller_parameter="seller_id", scope="orders:read"
)
OF_SHOPPER = allow("guest", "shopper", "platform", traffic="read", shopper_parameter="visitor_id")
OWNER = Principal("u1", frozenset({"shopper", "seller"}), ("s1",), {"ana": "owner"}, None, "sid")
PACKER = Principal("u2", frozenset({"shopper", "seller"}), ("s2",), {"ana": "fulfilment"}, None, "sid")
SHOPPER = Principal("u", frozenset({"shopper"}), ("s",), {}, None, "sid")
ADMIN = Principal("u3", frozenset({"shopper", "admin"}), ("s3",), {}, None, "sid")


def test_staff_reaches_its_own_seller_only() -> None:
    OF_SELLER.authorize(OWNER, {"seller_id": "ana"})
    with pytest.raises(NotYours):
        OF_SELLER.authorize(OWNER, {"seller_id": "bia"})


def test_staff_in_another_role_is_told_so() -> None:
    with pytest.raises(NotAllowed, match="owner"):
        OF_SELLER.authorize(PACKER, {"seller_id": "ana"})


def test_staff_in_another_role_does_not_learn_which_sellers_exist() -> None:
    with pytest.raises(NotYours):
        OF_SELLER.authorize(PACKER, {"seller_id": "bia"})


def test_an_administrator_reaches_every_seller() -> None:
    OF_SELLER.authorize(ADMIN, {"seller_id": "bia"})


def test_a_shopper_without_the_role_is_refused() -> None:
    with pytest.raises(NotAllowed):
        OF_SELLER.authorize(
            Principal("u", frozenset({"shopper"}), ("s",), {}, None, "sid"), {"seller_id": "ana"}
        )


@pytest.mark.parametrize("principal", [None, guest("g1")])
def test_who_is_not_signed_in_is_asked_to(principal: Principal | None) -> None:
    with pytest.raises(SignInRequired):
        OF_SELLER.authorize(principal, {"seller_id": "ana"})


def test_a_visitor_sees_what_is_their_own() -> None:
    OF_SHOPPER.authorize(guest("g1"), {"visitor_id": "g1"})
    OF_SHOPPER.authorize(platform("demo"), {"visitor_id": "g2"})
    with pytest.raises(NotYours):
        OF_SHOPPER.authorize(guest("g1"), {"visitor_id": "g2"})


def test_an_api_key_needs_the_scope() -> None:
    key = Principal("key:1", frozenset({"seller"}), (), {"ana": "owner"}, frozenset({"stock:write"}))
    with pytest.raises(NotAllowed, match="orders:read"):
        OF_SELLER.authorize(key, {"seller_id": "ana"})
    with pytest.raises(NotAllowed, match="person"):
        allow("seller", traffic="write").authorize(key, {})


def test_everybody_may_use_a_public_route() -> None:
    anyone("read").authorize(None, {})


principals = st.builds(
    Principal,
    st.just("x"),
    st.frozensets(st.sampled_from(["guest", "shopper", "seller"]), min_size=1),
    st.tuples(st.sampled_from(["s1", "s2"])),
    st.dictionaries(st.sampled_from(["ana", "bia"]), st.sampled_from(["owner", "manager", "analyst"])),
    st.none(),
    st.just("sid"),
)


@given(principals, st.sampled_from(["ana", "bia", "eva"]))
def test_nobody_passes_for_a_seller_without_working_for_it(principal: Principal, seller: str) -> None:
    try:
        OF_SELLER.authorize(principal, {"seller_id": seller})
    except (SignInRequired, NotAllowed, NotYours):
        return
    assert principal.sellers[seller] == "owner"


@given(principals)
def test_a_principal_is_the_same_after_its_claims(principal: Principal) -> None:
    assert Principal.from_claims(principal.claims()) == principal


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"sub": "u"},
        {"sub": "", "roles": []},
        {"sub": "u", "roles": "admin"},
        {"sub": "u", "roles": ["root"]},
        {"sub": "u", "roles": [], "sellers": {"ana": "king"}},
        {"sub": "u", "roles": [], "sellers": ["ana"]},
        {"sub": "u", "roles": [], "scopes": "all"},
        {"sub": "u", "roles": [], "sid": 1},
    ],
)
def test_claims_of_another_shape_are_no_principal(claims: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="principal"):
        Principal.from_claims(claims)


def test_a_route_without_a_policy_is_refused_at_its_definition() -> None:
    router = APIRouter(route_class=guarded({"known": anyone("read")}))
    with pytest.raises(MissingPolicy, match="forgotten"):

        @router.get("/forgotten")
        async def forgotten() -> None:
            pass


def test_a_router_without_policies_is_refused_at_the_start() -> None:
    app, router = FastAPI(openapi_url=None), APIRouter()
    router.add_api_route("/open", lambda: None)
    app.include_router(router)
    assert [getattr(route, "path", "") for route in all_routes(app)] == ["/open"]
    with pytest.raises(MissingPolicy, match="/open"):
        check_policies(app, frozenset())
