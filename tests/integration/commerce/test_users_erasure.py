"""After an erasure, no store names the person's id or e-mail address."""

import pytest

from common.ids import new_id
from common.principal import Principal, guest
from tests.integration.commerce.users import PASSWORD, People
from tests.integration.servers import await_true
from tests.store_search import files_with, postgres_with, topics_with

OTHER_PASSWORD = "eight chairs and a table"


@pytest.fixture
def people(shop):
    return People(shop)


def problem(response):
    return response.status_code, response.json()["type"].removeprefix("urn:souk:problem:")


def places_with(shop, *texts):
    """Return the tables, topics and files that contain a text, logs and Kafka's segments among the files.

    PostgreSQL is searched by its rows: its files keep deleted rows until it vacuums them.
    """
    return [
        *postgres_with(shop.settings, *texts),
        *topics_with(shop.settings, *texts),
        *files_with(shop.settings.home, *texts, without=("postgres",)),
    ]


def invite(shop, email):
    """Invite an address to the staff of a new seller of another system."""
    seller_id = f"s-{new_id()}"
    shop.tell("seller_registered", seller_id=seller_id)
    await_true(lambda: shop.sql("SELECT FROM sellers.sellers WHERE seller_id = $1", seller_id))
    shop.http.post(
        f"/v1/sellers/{seller_id}/staff_invitations", json={"email": email, "role": "analyst"}
    ).raise_for_status()


def report_to(shop, seller_id, user_id):
    """Let a person get the mails of a report about a seller that they made."""
    shop.sql(
        "INSERT INTO alerts.reports (report_id, seller_id, name, period, metrics, timezone, hour, person_id, "
        "address_hint, created_at, send_at, covered_until, maker, made_at) "
        "VALUES ($1, $2, 'Mornings', 'day', '{orders}', 'UTC', 7, $3, 'a…@shop.example', now(), "
        "now() + interval '1 day', now(), $4, now())",
        new_id(),
        seller_id,
        user_id,
        user_id,
    )


def administrator(people, shop):
    """Return a person who has just become an administrator, signed in as one."""
    person = people.person()
    with shop.as_principal(Principal(new_id(), frozenset({"admin"}), session_id=new_id())) as admin:
        admin.put(f"/v1/people/{person.user_id}/role", json={"role": "admin"}).raise_for_status()
    return people.signed_in(people.sign_in(person.tokens["user"]["email"]))


def send(person, method, path, body):
    """Send a request of a person with an idempotency key, and return the body of the response."""
    answer = person.http.request(method, path, json=body, headers={"Idempotency-Key": new_id()})
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def test_an_erased_person_is_found_nowhere(people, shop, eventually):
    guest_id, lamp = new_id(), shop.product()
    person = people.person()
    first_email, email = person.tokens["user"]["email"], people.new_email()
    person.http.post("/v1/me/email_changes", json={"email": email, "password": PASSWORD})
    token = people.token(email, "confirm_email")
    people.post("/v1/auth/email_changes/confirmations", token=token, password=PASSWORD)
    with shop.as_principal(guest(guest_id)) as browser:
        login = {"email": email, "password": PASSWORD}
        person = people.signed_in(browser.post("/v1/auth/sessions", json=login))
    people.sign_in(email, OTHER_PASSWORD)
    people.post("/v1/auth/password_resets", email=email)
    person.http.patch("/v1/me", json={"name": "Ana"})
    home = {"recipient": "Ana", "street": email, "city": "São Paulo", "country": "BR"}
    person.http.put("/v1/me/addresses/home", json=home)
    order_id = shop.buy(lamp, shopper_id=person.shopper_id)
    shop.settled(order_id)
    shop.await_row("SELECT FROM carts.offers WHERE product_id = $1", lamp)
    for session_id in (guest_id, email, person.user_id):  # only the first one may be in the event
        send(person, "POST", "/v1/orders", shop.body(lamp, shopper_id=None, session_id=session_id))
        send(person, "POST", "/v1/cart/lines", {"product_id": lamp, "session_id": session_id})
    invite(shop, email)
    person.http.post("/v1/me/password", json={"password": PASSWORD, "new_password": OTHER_PASSWORD})
    assert postgres_with(shop.settings, email)
    assert postgres_with(shop.settings, person.user_id)

    erased = person.http.post("/v1/me/erasure", json={"password": OTHER_PASSWORD})

    assert erased.status_code == 204, erased.text
    (event,) = eventually(lambda: shop.events("shopper_erased", person.shopper_id))
    assert event["shopper_id"] == person.shopper_id
    eventually(shop.caught_up)
    assert places_with(shop, email, first_email, person.user_id, person.user_id.replace("-", "")) == []
    assert shop.order(order_id)["shopper_id"] == person.shopper_id
    assert shop.sql("SELECT FROM carts.carts WHERE shopper_id = $1", person.shopper_id) == []
    assert people.is_revoked(person.tokens["access_token"])
    assert people.refresh(person.tokens["refresh_token"]).status_code == 401
    assert problem(people.sign_in(email, OTHER_PASSWORD)) == (401, "wrong-credentials")
    assert person.http.get("/v1/me").status_code == 404
    assert shop.sql("SELECT FROM users.person_keys WHERE user_id = $1", person.user_id) == []


def test_an_erased_administrator_who_also_sold_is_found_nowhere(people, shop, eventually):
    administrator(people, shop)  # one must stay
    person, other = administrator(people, shop), people.person()
    email = person.tokens["user"]["email"]
    application = {"name": "A shop", "legal_name": "A shop Ltd", "tax_id": "1", "country": "BR"}
    application["contact_email"] = email
    applied = send(person, "POST", "/v1/seller_applications", application)["application_id"]
    send(person, "POST", f"/v1/seller_applications/{applied}/approval", {"commission_bp": 700})
    person = people.signed_in(people.sign_in(email))
    (seller_id,) = person.tokens["user"]["sellers"]
    seller = f"/v1/sellers/{seller_id}"
    invited = other.tokens["user"]["email"]
    for address in (invited, people.new_email()):
        send(person, "POST", f"{seller}/staff_invitations", {"email": address, "role": "manager"})
    accepted = {"token": people.token(invited, "staff_invitation")}
    send(other, "POST", "/v1/staff_invitations/acceptances", accepted)
    send(person, "POST", f"{seller}/api_keys", {"name": "A key", "scopes": ["orders:read"]})
    report_to(shop, seller_id, person.user_id)
    send(person, "PATCH", f"{seller}/profile", {"description": "Lamps and vases."})
    send(person, "POST", f"{seller}/suspension", {"reason": "A complaint."})
    send(person, "PUT", "/v1/settings/breaker_trials", {"value": 9, "reason": "Fewer trials."})
    send(person, "POST", "/v1/settings/breaker_trials/rollback", {"version": 0, "reason": "As before."})
    rule = {"category": new_id(), "rate_bp": 800, "reason": "A new category."}
    send(person, "POST", "/v1/commission_rules", rule)
    send(person, "POST", f"/v1/people/{other.user_id}/suspension", {"reason": "Stolen cards."})
    eventually(shop.caught_up)

    send(person, "POST", "/v1/me/erasure", {"password": PASSWORD})

    eventually(shop.caught_up)
    assert places_with(shop, email, person.user_id, person.user_id.replace("-", "")) == []


def test_the_address_of_an_erased_person_can_register_again_as_another_shopper(people):
    person = people.person()
    email = person.tokens["user"]["email"]
    person.http.post("/v1/me/erasure", json={"password": PASSWORD}).raise_for_status()

    people.register(email)
    people.verify(email)
    again = people.signed_in(people.sign_in(email))

    assert again.user_id != person.user_id
    assert again.shopper_id != person.shopper_id
    assert again.http.get("/v1/me/export").json()["orders"] == []


@pytest.fixture
def sellers_away(shop):
    """Sellers answers no erasure while the test runs, or until it calls the function."""
    back = [False]
    shop.sql("ALTER FUNCTION sellers.forget_user(uuid, text) RENAME TO forget_user_later")

    def return_() -> None:
        if not back[0]:
            back[0] = True
            shop.sql("ALTER FUNCTION sellers.forget_user_later(uuid, text) RENAME TO forget_user")

    yield return_
    return_()


def test_an_erasure_is_done_when_the_last_service_has_answered(people, shop, sellers_away, eventually):
    person = people.person()
    email, user_id = person.tokens["user"]["email"], person.user_id
    invite(shop, email)
    report_to(shop, "ana", user_id)

    person.http.post("/v1/me/erasure", json={"password": PASSWORD}).raise_for_status()
    eventually(lambda: "alerts.reports" not in postgres_with(shop.settings, user_id))
    meanwhile = postgres_with(shop.settings, email, user_id)
    sellers_away()
    eventually(shop.caught_up)

    assert set(meanwhile) == {"users.requests", "sellers.staff_invitations"}
    assert places_with(shop, email, user_id) == []


def test_a_role_that_users_was_not_told_yet_is_forgotten_too(people, shop):
    person = people.person()
    shop.sql(
        "INSERT INTO sellers.requests (service, method, path, body, refused) "
        "VALUES ('users', 'PUT', $1, '{}', 422)",
        f"/v1/people/{person.user_id}/sellers/ana",
    )

    person.http.post("/v1/me/erasure", json={"password": PASSWORD}).raise_for_status()

    await_true(shop.caught_up)
    assert postgres_with(shop.settings, person.user_id) == []


def test_an_erasure_needs_the_password(people):
    person = people.person()

    refused = person.http.post("/v1/me/erasure", json={"password": OTHER_PASSWORD})

    assert problem(refused) == (403, "wrong-password")
    assert person.http.get("/v1/me").status_code == 200


def test_the_id_of_a_person_is_in_no_topic_and_no_log_while_they_exist(people, shop, eventually):
    person = people.person()
    shop.settled(shop.buy(shop.product(), shopper_id=person.shopper_id))
    eventually(shop.caught_up)

    private = person.user_id, person.tokens["user"]["email"]
    assert topics_with(shop.settings, *private) == []
    assert files_with(shop.settings.home, *private, without=("postgres",)) == []
    assert "shopper_registered" in topics_with(shop.settings, person.shopper_id)
