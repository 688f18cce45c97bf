"""Sessions are opened, refreshed, listed and ended; guesses are slowed; suspended people stay outside."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from joserfc import jws

from common.ids import new_id
from common.principal import Principal, guest
from common.problems import Problem
from producers.services.users import sessions
from producers.services.users.context import Client
from producers.services.users.model import ACCESS_TOKEN_LIFETIME, BROWSER_GRACE, PUBLISHED_BEFORE
from producers.services.users.problems import (
    HASHING_BUSY,
    INVALID_REFRESH_TOKEN,
    TOO_MANY_ATTEMPTS,
    WrongCredentials,
)
from producers.services.users.schemas import RefreshRequest, SignInRequest
from producers.services.users.sign_in import sign_in
from producers.services.users.signing_keys import rotate_keys_once
from tests.integration.commerce.users import PASSWORD, FakeClock, People

OTHER_PASSWORD = "eight chairs and a table"


@pytest.fixture
def people(shop):
    return People(shop)


@pytest.fixture
def admin(shop):
    """A client of an administrator."""
    return shop.as_principal(Principal(new_id(), frozenset({"shopper", "admin"}), session_id=new_id()))


def problem(response):
    return response.status_code, response.json()["type"].removeprefix("urn:souk:problem:")


def test_an_access_token_says_who_a_person_is_for_fifteen_minutes(people):
    person = people.person()

    claims = people.claims(person.tokens["access_token"])

    assert (claims["sub"], claims["sid"]) == (person.user_id, person.tokens["session_id"])
    assert (claims["iss"], claims["aud"]) == ("souk", "souk")
    assert claims["shoppers"] == [person.shopper_id]
    assert abs(claims["exp"] - claims["iat"] - ACCESS_TOKEN_LIFETIME.total_seconds()) < 1
    assert person.tokens["expires_in"] == 900


def test_a_refresh_gives_new_tokens_of_the_same_session(people):
    person = people.person()

    refreshed = people.refresh(person.tokens["refresh_token"]).json()

    assert refreshed["session_id"] == person.tokens["session_id"]
    assert refreshed["refresh_token"] != person.tokens["refresh_token"]
    assert (
        people.claims(refreshed["access_token"])["jti"] != people.claims(person.tokens["access_token"])["jti"]
    )
    assert people.refresh(refreshed["refresh_token"]).status_code == 200


def test_a_replayed_refresh_token_ends_the_session_and_all_its_tokens(people):
    person = people.person()
    other = people.signed_in(people.sign_in(person.tokens["user"]["email"]))
    first = person.tokens["refresh_token"]
    second = people.refresh(first).json()

    replayed = people.refresh(first)

    assert problem(replayed) == (401, "session-ended")
    assert problem(people.refresh(second["refresh_token"])) == (401, "session-ended")
    for access_token in (person.tokens["access_token"], second["access_token"]):
        assert people.is_revoked(access_token)
    assert not people.is_revoked(other.tokens["access_token"])
    assert people.refresh(other.tokens["refresh_token"]).status_code == 200


def test_two_tabs_that_refresh_at_once_stay_signed_in(people):
    person = people.person()
    shared = person.tokens["refresh_token"]

    first = people.refresh(shared, browser=True).json()
    second = people.refresh(shared, browser=True)

    assert second.status_code == 200
    assert "refresh_token" not in second.json()
    assert not people.is_revoked(second.json()["access_token"])
    assert people.refresh(first["refresh_token"], browser=True).status_code == 200


def test_a_browser_s_replaced_token_ends_the_session_after_a_moment(people):
    person = people.person()
    people.refresh(person.tokens["refresh_token"], browser=True).raise_for_status()
    clock = FakeClock()
    clock.advance(BROWSER_GRACE.total_seconds() + 1)
    request = RefreshRequest(refresh_token=person.tokens["refresh_token"], browser=True)

    async def late(transactions, context):
        with pytest.raises(Problem) as refused:
            await sessions.refresh(transactions, context, request, Client("", ""))
        assert INVALID_REFRESH_TOKEN.matches(refused.value)

    people.in_process(late, clock)

    assert people.is_revoked(person.tokens["access_token"])


def test_simultaneous_refreshes_of_programs_give_one_new_token_at_most(people):
    person = people.person()
    request = RefreshRequest(refresh_token=person.tokens["refresh_token"])

    async def race(transactions, context):
        refreshes = [sessions.refresh(transactions, context, request, Client("", "")) for _ in range(8)]
        return await asyncio.gather(*refreshes, return_exceptions=True)

    results = people.in_process(race, FakeClock())

    assert len([each for each in results if isinstance(each, dict)]) == 1
    assert people.is_revoked(person.tokens["access_token"])


def test_a_session_that_is_not_used_ends_after_its_time(people, shop):
    person = people.person()
    shop.sql("UPDATE users.sessions SET expires_at = now() WHERE user_id = $1", person.user_id)

    assert problem(people.refresh(person.tokens["refresh_token"])) == (401, "session-ended")
    assert person.http.get("/v1/me/sessions").json() == []


@pytest.mark.parametrize("token", ["x", "a" * 43, "é"])
def test_an_unknown_refresh_token_is_refused(people, token):
    assert problem(people.refresh(token)) == (401, "session-ended")


def test_signing_out_ends_the_session(people):
    person = people.person()

    assert person.http.delete("/v1/auth/sessions/current").status_code == 204

    assert problem(people.refresh(person.tokens["refresh_token"])) == (401, "session-ended")
    assert people.is_revoked(person.tokens["access_token"])


def test_a_person_sees_their_sessions_and_ends_one(people):
    person = people.person(device="Ana's phone")
    laptop = people.signed_in(people.sign_in(person.tokens["user"]["email"]))

    listed = {each["device"]: each for each in person.http.get("/v1/me/sessions").json()}
    ended = person.http.delete(f"/v1/me/sessions/{laptop.tokens['session_id']}")

    assert {name: each["current"] for name, each in listed.items()} == {"Ana's phone": True, "a test": False}
    assert {each["address"] for each in listed.values()} == {people.address}
    assert ended.status_code == 204
    assert [each["device"] for each in person.http.get("/v1/me/sessions").json()] == ["Ana's phone"]
    assert problem(people.refresh(laptop.tokens["refresh_token"])) == (401, "session-ended")


def test_nobody_ends_another_s_session(people):
    person, stranger = people.person(), people.person()

    refused = stranger.http.delete(f"/v1/me/sessions/{person.tokens['session_id']}")

    assert problem(refused) == (404, "unknown-session")
    assert people.refresh(person.tokens["refresh_token"]).status_code == 200


def test_a_suspended_person_is_outside_at_once(people, admin):
    person = people.person()
    before = people.state()["position"]

    suspended = admin.post(f"/v1/people/{person.user_id}/suspension", json={"reason": "fraud"})

    assert suspended.json()["suspension_reason"] == "fraud"
    assert problem(people.refresh(person.tokens["refresh_token"])) == (401, "session-ended")
    assert people.is_revoked(person.tokens["access_token"])
    assert [each["user_id"] for each in people.state(before)["revocations"]] == [person.user_id]
    email = person.tokens["user"]["email"]
    assert problem(people.sign_in(email)) == (403, "account-suspended")
    assert problem(people.sign_in(email, OTHER_PASSWORD)) == (401, "wrong-credentials")
    assert admin.delete(f"/v1/people/{person.user_id}/suspension").status_code == 200
    assert people.sign_in(email).status_code == 201


def test_a_new_role_applies_with_the_next_refresh(people, admin):
    person = people.person()

    changed = admin.put(f"/v1/people/{person.user_id}/role", json={"role": "analyst"})
    refreshed = people.refresh(person.tokens["refresh_token"]).json()

    assert changed.json()["role"] == "analyst"
    assert people.is_revoked(person.tokens["access_token"])
    assert not people.is_revoked(refreshed["access_token"])
    assert people.principal(refreshed["access_token"]).roles == {"shopper", "analyst"}


def test_only_administrators_see_people(people, shop):
    person = people.person()

    for path in ("/v1/people", f"/v1/people/{person.user_id}"):
        assert problem(person.http.get(path)) == (403, "not-allowed")
        assert shop.as_principal(guest("g")).get(path).status_code == 401


def test_administrators_find_people_page_by_page(people, admin):
    for _ in range(3):
        people.person()
    found, cursor = [], None
    while True:
        parameters = {"q": "SHOP.example"} | ({"cursor": cursor} if cursor else {})
        page = admin.get("/v1/people", params=parameters).raise_for_status().json()
        found += [person["user_id"] for person in page["people"]]
        if (cursor := page["next_cursor"]) is None:
            break

    assert len(found) == len(set(found)) >= 3
    assert admin.get("/v1/people", params={"q": "no such person"}).json()["people"] == []
    assert problem(admin.get("/v1/people", params={"cursor": "x"})) == (422, "bad-parameter")
    assert problem(admin.get(f"/v1/people/{new_id()}")) == (404, "unknown-person")


def test_the_last_administrator_stays(people, shop, admin):
    shop.sql("UPDATE users.people SET role = NULL")
    email = people.new_email()
    made = shop.http.post("/v1/people", json={"email": email, "role": "admin"}).json()

    suspended = admin.post(f"/v1/people/{made['user_id']}/suspension", json={"reason": "by mistake"})
    demoted = admin.put(f"/v1/people/{made['user_id']}/role", json={"role": "shopper"})

    assert problem(suspended) == problem(demoted) == (409, "last-administrator")


def test_the_operator_makes_an_administrator_who_chooses_a_password(people, shop):
    email = people.new_email()

    made = shop.http.post("/v1/people", json={"email": email, "role": "admin"}).json()
    token = made["reset_link"].partition("?token=")[2]
    chosen = people.post("/v1/auth/password_resets/confirmations", token=token, password=PASSWORD)

    assert made["reset_link"].startswith(f"{shop.settings.serving}/reset?token=")
    assert chosen.status_code == 200
    assert people.principal(people.sign_in(email).json()["access_token"]).roles == {"shopper", "admin"}
    assert problem(people.person().http.post("/v1/people", json={"email": email})) == (403, "not-allowed")


def test_an_administrator_whose_link_has_ended_gets_another_one(people, shop):
    wanted = {"email": people.new_email(), "role": "admin"}
    first = shop.http.post("/v1/people", json=wanted).json()
    shop.sql("UPDATE users.mailed_tokens SET expires_at = now() WHERE user_id = $1", first["user_id"])

    second = shop.http.post("/v1/people", json=wanted).json()
    former, chosen = (
        people.post(
            "/v1/auth/password_resets/confirmations",
            token=made["reset_link"].partition("?token=")[2],
            password=PASSWORD,
        )
        for made in (first, second)
    )

    assert problem(former) == (410, "link-ended")
    assert (second["user_id"], chosen.status_code) == (first["user_id"], 200)
    signed_in = people.sign_in(wanted["email"]).json()
    assert people.principal(signed_in["access_token"]).roles == {"shopper", "admin"}
    assert shop.http.post("/v1/people", json=wanted).json()["reset_link"] is None


def test_a_registered_person_becomes_an_administrator_without_a_new_link(people, shop):
    person = people.person()

    made = shop.http.post("/v1/people", json={"email": person.tokens["user"]["email"], "role": "admin"})

    assert (made.json()["user_id"], made.json()["reset_link"]) == (person.user_id, None)


def guess(email, password, **fields):
    return SignInRequest(email=email, password=password, **fields)


async def attack(transactions, context, clock, email, guesses):
    """Guess once a second, each time from another address. Return how many guesses were looked at."""
    tried = 0
    for number in range(guesses):
        clock.advance(1)
        try:
            client = Client(f"198.51.100.{number % 250}-{email}", "a botnet")
            await sign_in(transactions, context, guess(email, f"guess number {number}"), client)
        except WrongCredentials:
            tried += 1
        except Problem as slowed:
            if not TOO_MANY_ATTEMPTS.matches(slowed):
                raise
    return tried


@pytest.mark.parametrize("is_registered", [True, False])
def test_a_thousand_guesses_are_slowed_for_every_address_alike(people, is_registered):
    email = people.person().tokens["user"]["email"] if is_registered else people.new_email()
    clock = FakeClock()

    tried = people.in_process(lambda *parts: attack(*parts, clock, email, 1_000), clock)

    assert 20 <= tried <= 30


def test_during_hundreds_of_guesses_the_owner_still_gets_in(people):
    person = people.person()
    email, device_token = person.tokens["user"]["email"], person.tokens["device_token"]
    clock, home = FakeClock(), Client("203.0.113.7", "Ana's phone")

    async def besieged(transactions, context):
        await attack(transactions, context, clock, email, 300)
        on_her_phone = await sign_in(
            transactions, context, guess(email, PASSWORD, device_token=device_token), home
        )
        waited = 0
        while True:
            try:
                elsewhere = await sign_in(transactions, context, guess(email, PASSWORD), home)
            except Problem as slowed:
                if waited or not TOO_MANY_ATTEMPTS.matches(slowed):
                    raise
                waited = slowed.retry_after_s
                clock.advance(waited)
            else:
                return on_her_phone, elsewhere, waited

    on_her_phone, elsewhere, waited = people.in_process(besieged, clock)

    assert on_her_phone["device_token"] == device_token
    assert elsewhere["user"]["user_id"] == person.user_id
    assert 0 < waited <= 60


def test_after_a_password_reset_the_owner_gets_in_at_once(people):
    email, clock = people.person().tokens["user"]["email"], FakeClock()
    people.in_process(lambda *parts: attack(*parts, clock, email, 100), clock)
    people.post("/v1/auth/password_resets", email=email)
    token = people.token(email, "reset")

    chosen = people.post("/v1/auth/password_resets/confirmations", token=token, password=OTHER_PASSWORD)

    device_token = chosen.json()["device_token"]
    assert people.sign_in(email, OTHER_PASSWORD, device_token=device_token).status_code == 201


def test_guesses_from_one_address_for_many_accounts_are_slowed(people):
    responses = [people.sign_in(people.new_email()).status_code for _ in range(25)]

    assert responses[:20] == [401] * 20
    assert 429 in responses[20:]


def test_a_slowed_client_learns_when_to_try_again(people):
    email = people.new_email()
    responses = [people.sign_in(email) for _ in range(6)]

    assert problem(responses[-1]) == (429, "too-many-attempts")
    assert int(responses[-1].headers["Retry-After"]) >= 1


def test_a_stolen_device_token_is_slowed_too(people):
    person = people.person()
    email, device_token = person.tokens["user"]["email"], person.tokens["device_token"]

    responses = [people.sign_in(email, "a guess of it", device_token=device_token) for _ in range(6)]

    assert [each.status_code for each in responses] == [401] * 5 + [429]
    assert people.sign_in(email).status_code == 201


def test_wrong_passwords_of_somebody_who_is_signed_in_are_slowed(people):
    person = people.person()

    responses = [person.http.post("/v1/me/erasure", json={"password": "a guess of it"}) for _ in range(6)]

    assert [each.status_code for each in responses] == [403] * 5 + [429]


def test_simultaneous_guesses_are_counted_one_by_one(people):
    email, clock = people.person().tokens["user"]["email"], FakeClock()

    async def at_once(transactions, context):
        client = Client("203.0.113.99", "")
        attempts = [
            sign_in(transactions, context, guess(email, f"guess number {number}"), client)
            for number in range(30)
        ]
        return await asyncio.gather(*attempts, return_exceptions=True)

    results = people.in_process(at_once, clock)

    assert len([each for each in results if isinstance(each, WrongCredentials)]) == 5
    assert len([each for each in results if TOO_MANY_ATTEMPTS.matches(each)]) == 25


def test_nobody_learns_from_responses_who_is_registered(people):
    registered, unverified, unknown = people.person().tokens["user"]["email"], *(people.new_email(),) * 2
    people.register(unverified)
    unknown = people.new_email()

    for path, fields in (
        ("/v1/auth/registrations", {"password": OTHER_PASSWORD}),
        ("/v1/auth/password_resets", {}),
        ("/v1/auth/sessions", {"password": OTHER_PASSWORD}),
    ):
        answers = [people.post(path, email=email, **fields) for email in (registered, unverified, unknown)]
        assert {(each.status_code, each.content) for each in answers} == {
            (answers[0].status_code, answers[0].content)
        }
        assert {frozenset(each.headers) for each in answers} == {frozenset(answers[0].headers)}


def test_nobody_learns_from_the_time_of_a_sign_in_whether_an_address_had_an_account(people, shop, eventually):
    registered, unverified = people.person().tokens["user"]["email"], people.new_email()
    for email in (registered, unverified):
        people.register(email, OTHER_PASSWORD)

    async def while_no_mail_can_be_sent():
        connection = await asyncpg.connect(shop.settings.postgres)
        async with connection.transaction():
            await connection.execute("LOCK TABLE users.mails IN EXCLUSIVE MODE")
            responses = [
                await asyncio.to_thread(people.sign_in, email, OTHER_PASSWORD)
                for email in (registered, unverified)
            ]
        await connection.close()
        return responses

    first, second = asyncio.run(while_no_mail_can_be_sent())

    assert first.status_code == second.status_code == 401
    assert first.content == second.content
    assert set(first.headers) == set(second.headers)
    eventually(lambda: len(people.mails(unverified)) == 2)


def test_a_sign_in_verifies_one_hash_whoever_is_registered(people):
    registered, unverified = people.person().tokens["user"]["email"], people.new_email()
    people.register(unverified)

    async def count(transactions, context):
        verified = []
        for email in (registered, unverified, people.new_email()):
            before = context.passwords.verified
            with pytest.raises(WrongCredentials):
                await sign_in(transactions, context, guess(email, OTHER_PASSWORD), Client(email, ""))
            verified.append(context.passwords.verified - before)
        return verified

    assert people.in_process(count, FakeClock()) == [1, 1, 1]


def test_too_many_sign_ins_at_once_are_told_to_come_back(people):
    async def crowd(_transactions, context):
        hashes = [context.passwords.verify(PASSWORD, None) for _ in range(60)]
        return await asyncio.gather(*hashes, return_exceptions=True)

    results = people.in_process(crowd, FakeClock())

    refused = [each for each in results if HASHING_BUSY.matches(each)]
    assert len(refused) == 26
    assert refused[0].retry_after_s


def test_revocations_come_in_the_order_of_their_commits(people):
    first, second = people.person(), people.person()
    before = people.state()["position"]

    first.http.delete("/v1/auth/sessions/current")
    middle = people.state(before)
    second.http.delete("/v1/auth/sessions/current")
    rest = people.state(middle["position"])

    assert [each["session_id"] for each in middle["revocations"]] == [first.tokens["session_id"]]
    assert [each["session_id"] for each in rest["revocations"]] == [second.tokens["session_id"]]
    assert people.state(rest["position"]) == {**rest, "revocations": []}


def test_a_gateway_that_is_ahead_of_a_new_database_gets_all_revocations(people):
    person = people.person()
    person.http.delete("/v1/auth/sessions/current")

    ahead = people.state(2**40)

    assert person.tokens["session_id"] in [each.get("session_id") for each in ahead["revocations"]]
    assert ahead["position"] < 2**40


@pytest.fixture
def restored_keys(people, shop):
    """Replaces the signing keys after a test that has made keys of the future."""
    yield
    shop.sql("DELETE FROM users.signing_keys")
    lifetime = timedelta(days=30)
    people.in_process(lambda *parts: rotate_keys_once(parts[0], parts[1].keys, lifetime), FakeClock())


@pytest.mark.usefixtures("restored_keys")
def test_keys_rotate_and_old_tokens_stay_valid(people, shop):
    person, lifetime, clock = people.person(), timedelta(days=30), FakeClock()
    before = {key["kid"] for key in people.state()["keys"]}
    shop.sql("UPDATE users.sessions SET expires_at = expires_at + interval '99 days'")

    async def rotate(transactions, context):
        clock.advance(lifetime.total_seconds())
        await rotate_keys_once(transactions, context.keys, lifetime)
        published = people.state()["keys"]
        clock.advance(PUBLISHED_BEFORE.total_seconds())
        await rotate_keys_once(transactions, context.keys, lifetime)
        request = RefreshRequest(refresh_token=person.tokens["refresh_token"])
        return published, await sessions.refresh(transactions, context, request, Client("", ""))

    published, refreshed = people.in_process(rotate, clock)
    (new_key,) = {key["kid"] for key in published} - before

    assert all("d" not in key for key in published)
    assert jws.extract_compact(refreshed["access_token"].encode()).headers()["kid"] == new_key
    assert people.claims(refreshed["access_token"])["sub"] == person.user_id
    assert people.claims(person.tokens["access_token"])["sub"] == person.user_id


def test_only_the_platform_reads_keys_and_mails(people):
    person = people.person()

    for path in ("/v1/auth/state", "/v1/mails", "/v1/auth/demo"):
        assert problem(person.http.get(path)) == (403, "not-allowed")
        assert people.anybody.get(path).status_code == 401
