"""What other services ask users: who has an address, to send mails, and to know the staff of sellers."""

import pytest

from common.ids import new_id
from tests.integration.commerce.users import People
from tests.store_search import postgres_with


@pytest.fixture
def people(shop):
    return People(shop)


@pytest.fixture
def seller_id(shop):
    seller_id = f"s-{new_id()}"
    shop.tell("seller_registered", seller_id=seller_id)
    shop.knows_that(seller_id, approved=True)
    return seller_id


def email_of(person):
    return person.tokens["user"]["email"]


def look_up(shop, **body):
    answer = shop.http.post("/v1/people/lookups", json=body)
    return answer.json()["user_id"] if answer.is_success else answer.status_code


def give_role(shop, person, seller_id, role):
    address = f"/v1/people/{person.user_id}/sellers/{seller_id}"
    shop.http.put(address, json={"role": role}).raise_for_status()


def mail(shop, **changes):
    """Ask for a mail and return the outcome."""
    body = {"mail_id": new_id(), "kind": "seller_alert", "subject": "Few orders", "text": "Look.", **changes}
    return shop.http.post("/v1/mails", json=body).raise_for_status().json()["outcome"]


def test_people_are_found_by_their_verified_address(shop, people):
    person, waiting = people.person(), people.new_email()
    people.register(waiting)

    assert look_up(shop, email=email_of(person).upper()) == person.user_id
    assert look_up(shop, email=waiting) == 404


def test_only_staff_that_sees_the_figures_of_a_seller_is_found_for_it(shop, people, seller_id):
    person = people.person()
    found = []
    for role in (None, "analyst", "fulfilment", "owner"):
        give_role(shop, person, seller_id, role)
        found.append(look_up(shop, email=email_of(person), seller_id=seller_id))

    assert found == [404, person.user_id, 404, person.user_id]
    assert look_up(shop, email=email_of(person), seller_id="another") == 404


def test_after_a_change_of_staff_the_old_tokens_end_once_and_the_session_goes_on(shop, people, seller_id):
    person = people.person()

    give_role(shop, person, seller_id, "owner")

    assert people.is_revoked(person.tokens["access_token"])
    refreshed = people.refresh(person.tokens["refresh_token"]).json()
    assert refreshed["user"]["sellers"] == {seller_id: "owner"}
    give_role(shop, person, seller_id, "owner")  # as after a crash of the sender
    assert not people.is_revoked(refreshed["access_token"])


def test_a_role_at_a_seller_whose_approval_has_not_arrived_counts(shop, people):
    person, seller_id = people.person(), f"s-{new_id()}"

    give_role(shop, person, seller_id, "owner")

    assert people.refresh(person.tokens["refresh_token"]).json()["user"]["sellers"] == {seller_id: "owner"}


def test_who_joins_a_seller_while_they_are_erased_is_forgotten_again(shop, seller_id, eventually):
    user_id = new_id()  # of nobody any more
    shop.sql(
        "INSERT INTO sellers.staff (seller_id, user_id, role, added_at) VALUES ($1, $2, 'owner', now())",
        seller_id,
        user_id,
    )

    told = shop.http.put(f"/v1/people/{user_id}/sellers/{seller_id}", json={"role": "owner"})

    assert told.status_code == 204
    eventually(lambda: not postgres_with(shop.settings, user_id))


def test_a_mail_is_sent_once_to_a_person_as_long_as_they_see_the_figures(shop, people, seller_id):
    person, mail_id = people.person(), new_id()
    to = {"user_id": person.user_id, "seller_id": seller_id}
    before = mail(shop, **to)
    give_role(shop, person, seller_id, "analyst")

    outcomes = [mail(shop, mail_id=mail_id, **to) for _ in range(2)]
    give_role(shop, person, seller_id, "fulfilment")

    assert (before, outcomes, mail(shop, **to)) == ("left", ["sent", "sent"], "left")
    assert [each["mail_id"] for each in people.mails(email_of(person)) if each["text"] == "Look."] == [
        mail_id
    ]


def test_an_address_gets_five_mails_of_a_kind_an_hour_and_a_repeated_one_counts_once(shop, people):
    email, first = people.new_email(), new_id()

    outcomes = [mail(shop, to=email.upper(), mail_id=each) for each in (first, *(new_id() for _ in range(5)))]

    assert outcomes == ["sent"] * 5 + ["limited"]
    assert mail(shop, to=email, mail_id=first) == "sent"
    assert mail(shop, to=email, kind="seller_report") == "sent"
    assert len(people.mails(email)) == 6


@pytest.mark.parametrize("to", [{}, {"to": "a@shop.example", "user_id": new_id()}, {"user_id": new_id()}])
def test_a_mail_has_one_recipient(shop, to):
    body = {"mail_id": new_id(), "kind": "seller_alert", "subject": "s", "text": "t", **to}

    assert shop.http.post("/v1/mails", json=body).status_code == 422


def test_audits_read_the_shopper_ids_of_people_and_nothing_else_of_them(shop):
    readable = shop.sql(
        "SELECT relname AS tablename FROM pg_class WHERE relnamespace = 'users'::regnamespace "
        "AND relkind = 'r' AND has_table_privilege('souk_reader', oid, 'SELECT')"
    )

    assert {row["tablename"] for row in readable} == {
        *("outbox", "inbox", "schema_migrations"),
        *("pseudonyms", "demo", "seller_status"),
    }
