"""People register, verify their address, and change and erase what is kept of them."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from common.ids import new_id
from common.principal import Principal, guest
from tests.integration.commerce.users import PASSWORD, People

OTHER_PASSWORD = "eight chairs and a table"


@pytest.fixture
def people(shop):
    return People(shop)


def problem(response):
    return response.status_code, response.json()["type"].removeprefix("urn:souk:problem:")


def test_a_person_registers_verifies_their_address_and_signs_in(people, shop, eventually):
    email = people.new_email()

    registered = people.register(email)
    too_early = people.sign_in(email)
    # Whoever signs in too early gets another mail, whose link replaces the first one.
    verified = eventually(lambda: sent if (sent := people.verify(email)).is_success else None)
    signed_in = people.signed_in(people.sign_in(email.upper()))

    assert registered.status_code == 202
    assert problem(too_early) == (401, "wrong-credentials")
    assert verified.json() == {"email": email}
    user = signed_in.tokens["user"]
    assert (user["email"], user["roles"], user["sellers"]) == (email, ["shopper"], {})
    assert signed_in.http.get("/v1/me").json() == user
    (event,) = eventually(lambda: shop.events("shopper_registered", user["shopper_id"]))
    assert {name: event[name] for name in ("city", "state", "country", "zip_prefix")} == {
        "city": None, "state": None, "country": None, "zip_prefix": None,
    }  # fmt: skip


def test_the_link_of_a_registration_works_once(people):
    email = people.new_email()
    people.register(email)
    token = people.token(email, "verify")

    first, second = (people.post("/v1/auth/verifications", token=token, password=PASSWORD) for _ in range(2))

    assert first.status_code == 200
    assert problem(second) == (410, "link-ended")


def test_the_owner_of_an_address_gives_it_to_nobody_who_has_registered_it(people):
    email = people.new_email()
    people.register(email, OTHER_PASSWORD)
    strangers = people.token(email, "verify")

    refused = people.verify(email, PASSWORD)

    assert problem(refused) == (403, "wrong-registration-password")
    people.register(email)
    with_own_password = people.post("/v1/auth/verifications", token=strangers, password=PASSWORD)
    assert problem(with_own_password) == (403, "wrong-registration-password")
    assert people.verify(email).status_code == 200
    assert people.sign_in(email).status_code == 201
    assert problem(people.sign_in(email, OTHER_PASSWORD)) == (401, "wrong-credentials")


def test_a_wrong_password_leaves_a_registration_as_it_is(people):
    email = people.new_email()
    people.register(email)

    assert problem(people.verify(email, OTHER_PASSWORD)) == (403, "wrong-registration-password")

    assert people.verify(email).status_code == 200


def test_guesses_of_the_password_of_a_registration_are_slowed(people):
    email, other = people.new_email(), people.new_email()
    people.register(email)
    people.register(other)

    responses = [people.verify(email, "a guess of it") for _ in range(10)]

    assert [each.status_code for each in responses[:5]] == [403] * 5
    slowed = [each for each in responses[5:] if each.status_code == 429]
    assert slowed
    assert int(slowed[0].headers["Retry-After"]) >= 1
    assert people.verify(other).status_code == 200


def test_of_two_simultaneous_verifications_of_an_address_one_makes_the_person(people):
    email = people.new_email()
    people.register(email)
    first = people.token(email, "verify")
    people.register(email)
    requests = [{"token": token, "password": PASSWORD} for token in (first, people.token(email, "verify"))]

    with ThreadPoolExecutor(2) as threads:
        responses = threads.map(lambda body: people.post("/v1/auth/verifications", **body), requests)

    assert sorted(each.status_code for each in responses) == [200, 410]
    assert people.sign_in(email).status_code == 201


def test_the_link_of_a_registration_ends_after_its_time(people, shop):
    email = people.new_email()
    people.register(email)
    shop.sql("UPDATE users.registrations SET expires_at = now() WHERE email = $1", email)

    assert problem(people.verify(email)) == (410, "link-ended")


def test_a_sign_in_before_the_verification_sends_the_mail_again(people, eventually):
    email = people.new_email()
    people.register(email)
    first = people.token(email, "verify")

    people.sign_in(email, "another password")
    assert len(people.mails(email)) == 1
    refused = people.sign_in(email)

    assert refused.json() == people.sign_in(people.new_email()).json()
    eventually(lambda: len(people.mails(email)) == 2)
    former = people.post("/v1/auth/verifications", token=first, password=PASSWORD)
    assert problem(former) == (410, "link-ended")
    assert people.verify(email).status_code == 200


def test_an_address_that_is_registered_gets_a_mail_that_says_so(people):
    person = people.person()
    email = person.tokens["user"]["email"]

    assert people.register(email, OTHER_PASSWORD).status_code == 202

    assert people.mails(email)[0]["subject"] == "You are registered already"
    assert people.sign_in(email).status_code == 201
    assert problem(people.sign_in(email, OTHER_PASSWORD)) == (401, "wrong-credentials")


def test_of_two_registrations_of_an_address_the_one_that_is_verified_counts(people):
    email = people.new_email()
    people.register(email, OTHER_PASSWORD)
    strangers = people.token(email, "verify")
    people.register(email)

    people.verify(email)

    assert people.sign_in(email).status_code == 201
    late = people.post("/v1/auth/verifications", token=strangers, password=OTHER_PASSWORD)
    assert problem(late) == (410, "link-ended")


def test_an_address_gets_only_a_few_mails_an_hour(people):
    email = people.new_email()

    responses = {people.register(email).status_code for _ in range(8)}

    assert responses == {202}
    assert len(people.mails(email)) == 5


@pytest.mark.parametrize("password", ["short", "password123", "x" * 201])
def test_a_weak_password_is_refused(people, password):
    assert problem(people.register(people.new_email(), password)) == (422, "weak-password")


def test_the_address_itself_is_refused_as_a_password(people):
    email = people.new_email()

    assert problem(people.register(email, email)) == (422, "weak-password")


def test_a_password_reset_ends_all_sessions_and_works_once(people):
    person = people.person()
    email = person.tokens["user"]["email"]
    assert people.post("/v1/auth/password_resets", email=email).status_code == 202
    token = people.token(email, "reset")

    weak = people.post("/v1/auth/password_resets/confirmations", token=token, password="short")
    done = people.post("/v1/auth/password_resets/confirmations", token=token, password=OTHER_PASSWORD)
    again = people.post("/v1/auth/password_resets/confirmations", token=token, password=PASSWORD)

    assert problem(weak) == (422, "weak-password")
    assert done.status_code == 200
    assert problem(again) == (410, "link-ended")
    assert problem(people.refresh(person.tokens["refresh_token"])) == (401, "session-ended")
    assert people.is_revoked(person.tokens["access_token"])
    assert problem(people.sign_in(email)) == (401, "wrong-credentials")
    assert people.sign_in(email, OTHER_PASSWORD).status_code == 201


def test_the_link_of_a_password_reset_ends_after_its_time(people, shop):
    person = people.person()
    people.post("/v1/auth/password_resets", email=person.tokens["user"]["email"])
    token = people.token(person.tokens["user"]["email"], "reset")
    shop.sql("UPDATE users.mailed_tokens SET expires_at = now() WHERE user_id = $1", person.user_id)

    refused = people.post("/v1/auth/password_resets/confirmations", token=token, password=OTHER_PASSWORD)

    assert problem(refused) == (410, "link-ended")


def test_a_new_address_counts_when_it_is_confirmed_and_the_old_one_gets_a_notice(people):
    person = people.person()
    old, new = person.tokens["user"]["email"], people.new_email()

    wrong = person.http.post("/v1/me/email_changes", json={"email": new, "password": OTHER_PASSWORD})
    asked = person.http.post("/v1/me/email_changes", json={"email": new, "password": PASSWORD})
    assert people.sign_in(old).status_code == 201
    token = people.token(new, "confirm_email")
    confirm = {"path": "/v1/auth/email_changes/confirmations", "token": token, "password": PASSWORD}
    confirmed = people.post(**confirm)

    assert problem(wrong) == (403, "wrong-password")
    assert (asked.status_code, confirmed.json()) == (202, {"email": new})
    assert problem(people.sign_in(old)) == (401, "wrong-credentials")
    assert people.sign_in(new).status_code == 201
    assert people.mails(old)[0]["subject"] == "Your e-mail address was changed"
    assert problem(people.post(**confirm)) == (410, "link-ended")


def test_the_owner_of_an_address_gives_it_to_nobody_who_asks_for_it(people):
    person, strangers_address = people.person(), people.new_email()
    person.http.post("/v1/me/email_changes", json={"email": strangers_address, "password": PASSWORD})
    confirm = {
        "path": "/v1/auth/email_changes/confirmations",
        "token": people.token(strangers_address, "confirm_email"),
    }

    responses = [people.post(**confirm, password=OTHER_PASSWORD) for _ in range(10)]

    assert {problem(each) for each in responses[:5]} == {(403, "wrong-password")}
    assert 429 in [each.status_code for each in responses[5:]]
    assert person.http.get("/v1/me").json()["email"] == person.tokens["user"]["email"]


def test_somebody_who_has_not_verified_their_address_is_told_what_to_do_instead_of_a_reset(people):
    email = people.new_email()
    people.register(email)

    assert people.post("/v1/auth/password_resets", email=email).status_code == 202

    mail = people.mails(email)[0]
    assert mail["subject"] == "There is no account with this address"
    assert "you have not confirmed this one yet" in mail["text"]
    assert "token=" not in mail["text"]


def test_nobody_learns_by_a_change_of_address_who_is_registered(people):
    person, other = people.person(), people.person()
    taken = other.tokens["user"]["email"]

    answers = [
        person.http.post("/v1/me/email_changes", json={"email": email, "password": PASSWORD})
        for email in (taken, people.new_email())
    ]

    assert answers[0].status_code == answers[1].status_code == 202
    assert answers[0].content == answers[1].content
    assert people.mails(taken)[0]["subject"] == "You are registered already"


def test_a_new_password_ends_the_other_sessions(people):
    person = people.person()
    email = person.tokens["user"]["email"]
    other = people.signed_in(people.sign_in(email))
    change = {"password": PASSWORD, "new_password": OTHER_PASSWORD}

    assert person.http.post("/v1/me/password", json=change).status_code == 204

    assert people.refresh(person.tokens["refresh_token"]).status_code == 200
    assert problem(people.refresh(other.tokens["refresh_token"])) == (401, "session-ended")
    assert people.is_revoked(other.tokens["access_token"])
    assert not people.is_revoked(person.tokens["access_token"])
    assert people.sign_in(email, OTHER_PASSWORD).status_code == 201


def test_a_person_has_a_name_and_addresses(people):
    person = people.person()
    home = {"recipient": "Ana", "street": "Rua 1", "city": "São Paulo", "state": "SP", "country": "BR"}

    assert person.http.patch("/v1/me", json={"name": "Ana"}).json()["name"] == "Ana"
    assert person.http.put("/v1/me/addresses/home", json=home).status_code == 200
    person.http.put("/v1/me/addresses/home", json={**home, "street": "Rua 2"})

    (saved,) = person.http.get("/v1/me/addresses").json()
    assert (saved["address_id"], saved["street"]) == ("home", "Rua 2")
    assert people.person().http.get("/v1/me/addresses").json() == []
    assert person.http.delete("/v1/me/addresses/home").status_code == 204
    assert problem(person.http.delete("/v1/me/addresses/home")) == (404, "unknown-address")


@pytest.mark.parametrize("path", ["/v1/me", "/v1/me/sessions", "/v1/me/export", "/v1/me/addresses"])
def test_a_guest_has_no_account(people, shop, path):
    assert shop.as_principal(guest("g1")).get(path).status_code == 401
    assert people.anybody.get(path).status_code == 401
    assert shop.http.get(path).status_code == 403


def test_the_export_contains_the_orders_of_a_person_and_of_their_time_as_a_guest(people, shop):
    guest_id = new_id()
    lamp = shop.product()
    as_guest = shop.buy(lamp, shopper_id=guest_id)
    person = people.person()
    with shop.as_principal(guest(guest_id)) as browser:
        login = {"email": person.tokens["user"]["email"], "password": PASSWORD}
        person = people.signed_in(browser.post("/v1/auth/sessions", json=login))
    own = shop.buy(lamp, shopper_id=person.shopper_id)
    shop.await_row("SELECT FROM carts.offers WHERE product_id = $1", lamp)
    person.http.post("/v1/cart/lines", json={"product_id": lamp, "quantity": 2}).raise_for_status()

    exported = person.http.get("/v1/me/export").raise_for_status().json()

    assert {order["order_id"] for order in exported["orders"]} == {as_guest, own}
    assert exported["orders"][0]["lines"][0]["product_id"] == lamp
    assert [(line["product_id"], line["quantity"]) for line in exported["cart"]] == [(lamp, 2)]
    assert exported["profile"]["email"] == person.tokens["user"]["email"]
    assert exported["profile"]["guest_ids"] == [guest_id]
    assert [attempt["succeeded"] for attempt in exported["sign_ins"]] == [True, True]
    assert len(exported["sessions"]) == 2
    assert exported["mails"]


def test_a_guest_s_id_becomes_that_of_one_person_only(people, shop):
    guest_id = new_id()
    first, second = people.person(), people.person()

    def sign_in(person):
        with shop.as_principal(guest(guest_id)) as browser:
            login = {"email": person.tokens["user"]["email"], "password": PASSWORD}
            return people.principal(browser.post("/v1/auth/sessions", json=login).json()["access_token"])

    assert sign_in(first).shopper_ids == (first.shopper_id, guest_id)
    assert sign_in(second).shopper_ids == (second.shopper_id,)


def test_nobody_takes_a_guest_s_orders_by_naming_the_guest(people, shop):
    person, stranger = people.person(), new_id()
    email = person.tokens["user"]["email"]

    without_principal = people.sign_in(email, guest_session=stranger)
    with shop.as_principal(guest(new_id())) as browser:
        login = {"email": email, "password": PASSWORD, "guest_session": stranger}
        as_another_guest = browser.post("/v1/auth/sessions", json=login)

    assert problem(without_principal) == problem(as_another_guest) == (403, "not-allowed")
    assert people.principal(people.sign_in(email).json()["access_token"]).shopper_ids == (person.shopper_id,)


def test_a_token_contains_the_newest_twenty_ids_of_a_guest(people, shop):
    person = people.person()
    guests = [new_id() for _ in range(22)]
    for guest_id in guests:
        with shop.as_principal(guest(guest_id)) as browser:
            login = {
                "email": person.tokens["user"]["email"],
                "password": PASSWORD,
                "device_token": person.tokens["device_token"],
            }
            tokens = browser.post("/v1/auth/sessions", json=login).json()

    assert people.principal(tokens["access_token"]).shopper_ids == (person.shopper_id, *guests[:1:-1])


def test_the_principal_of_a_person_who_does_not_exist_finds_nothing(shop):
    nobody = Principal(new_id(), frozenset({"shopper"}), (new_id(),), session_id=new_id())
    odd = Principal("ana", frozenset({"shopper"}), ("ana",))

    assert shop.as_principal(nobody).get("/v1/me").status_code == 404
    assert shop.as_principal(odd).get("/v1/me").status_code == 404
