"""Demo sessions exist only where the demo was enabled and no real person is registered."""

import pytest

from common.ids import new_id
from tests.integration.commerce.users import People


@pytest.fixture(autouse=True)
def nobody_registered(shop):
    """A shop in which nobody is registered, and the demo was never enabled."""
    shop.sql("DELETE FROM users.people")
    shop.sql("UPDATE users.demo SET enabled = false")


@pytest.fixture
def people(shop):
    return People(shop)


def problem(response):
    return response.status_code, response.json()["type"].removeprefix("urn:souk:problem:")


def enable(shop):
    return shop.http.put("/v1/auth/demo", json={}).raise_for_status().json()["available"]


def available(shop):
    return shop.http.get("/v1/auth/demo").raise_for_status().json()["available"]


def open_session(shop, **fields):
    return shop.http.post("/v1/auth/demo_sessions", json=fields)


def test_without_the_demo_there_are_no_demo_sessions(shop):
    assert not available(shop)
    assert problem(open_session(shop, role="shopper")) == (409, "demo-unavailable")


def test_a_demo_session_is_a_real_session_in_its_role(people, shop):
    assert enable(shop)
    shopper_id, seller_id = f"shopper-{new_id()}", f"seller-{new_id()}"

    shopper = people.signed_in(open_session(shop, role="shopper", shopper_id=shopper_id))
    seller = people.signed_in(open_session(shop, role="seller", seller_id=seller_id))
    admin = people.signed_in(open_session(shop, role="admin"))

    assert shopper.shopper_id == shopper_id
    assert people.principal(shopper.tokens["access_token"]).roles == {"shopper"}
    assert seller.tokens["user"]["sellers"] == {seller_id: "owner"}
    assert people.principal(seller.tokens["access_token"]).roles == {"shopper", "seller"}
    assert admin.http.get("/v1/people").status_code == 200
    assert people.refresh(shopper.tokens["refresh_token"]).status_code == 200


def test_the_same_demo_person_is_used_again(people, shop):
    enable(shop)

    first, second = (people.signed_in(open_session(shop, role="analyst")) for _ in range(2))

    assert first.user_id == second.user_id
    assert first.tokens["session_id"] != second.tokens["session_id"]


def test_a_demo_seller_needs_a_seller(shop):
    enable(shop)

    assert problem(open_session(shop, role="seller")) == (422, "bad-parameter")


def test_the_first_real_person_ends_the_demo(people, shop):
    enable(shop)
    demo = people.signed_in(open_session(shop, role="admin"))

    people.person()

    assert not available(shop)
    assert problem(people.refresh(demo.tokens["refresh_token"])) == (401, "session-ended")
    assert people.is_revoked(demo.tokens["access_token"])
    assert problem(open_session(shop, role="admin")) == (409, "demo-unavailable")
    assert not enable(shop)


def test_what_visitors_of_the_demo_made_ends_with_it(people, shop, eventually):
    enable(shop)
    seller_id = f"s-{new_id()}"
    shop.tell("seller_registered", seller_id=seller_id)
    eventually(lambda: shop.sql("SELECT FROM sellers.sellers WHERE seller_id = $1", seller_id))
    of_seller, stranger = f"/v1/sellers/{seller_id}", people.new_email()
    keys = []
    for role in ("seller", "admin"):
        visitor = people.signed_in(open_session(shop, role=role, seller_id=seller_id))
        key = {"name": "mine", "scopes": ["orders:read"]}
        keys.append(visitor.http.post(f"{of_seller}/api_keys", json=key).raise_for_status().json()["key"])
    invitation = {"email": stranger, "role": "owner"}
    visitor.http.post(f"{of_seller}/staff_invitations", json=invitation).raise_for_status()
    token = people.token(stranger, "staff_invitation")

    def verified():
        return [
            shop.http.post("/v1/auth/api_keys/verification", json={"key": key}).status_code for key in keys
        ]

    during = verified()
    people.register(stranger)
    people.verify(stranger)
    person = people.signed_in(people.sign_in(stranger))
    accepted = person.http.post("/v1/staff_invitations/acceptances", json={"token": token})

    assert (during, verified()) == ([200, 200], [404, 404])
    assert problem(accepted) == (410, "invitation-ended")
    assert not shop.sql("SELECT FROM sellers.staff WHERE seller_id = $1", seller_id)


def test_a_registration_that_is_not_verified_does_not_end_the_demo(people, shop):
    enable(shop)

    people.register(people.new_email())

    assert available(shop)


def test_a_demo_person_has_no_password_and_is_not_registered_by_mail(people, shop):
    enable(shop)
    demo = people.signed_in(open_session(shop, role="shopper"))
    email = demo.tokens["user"]["email"]

    people.post("/v1/auth/password_resets", email=email)

    assert people.mails(email)[0]["subject"] == "There is no account with this address"
    assert problem(people.sign_in(email)) == (401, "wrong-credentials")
    erased = demo.http.post("/v1/me/erasure", json={"password": "a guess of it"})
    assert problem(erased) == (409, "demo-person")


def test_only_the_platform_opens_demo_sessions(people, shop):
    enable(shop)
    demo = people.signed_in(open_session(shop, role="admin"))

    assert demo.http.post("/v1/auth/demo_sessions", json={"role": "admin"}).status_code == 403
    assert people.post("/v1/auth/demo_sessions", role="admin").status_code == 401
    assert demo.http.put("/v1/auth/demo", json={}).status_code == 403
