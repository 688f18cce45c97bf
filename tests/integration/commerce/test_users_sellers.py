"""The functions that the service sellers calls, and the staff roles that its tables give."""

import pytest

from tests.integration.commerce.users import People


@pytest.fixture
def people(shop):
    return People(shop)


@pytest.fixture
def call(shop):
    """A function that calls a function of users and returns its result."""

    def called(statement, *values):
        return next(iter(shop.sql(f"SELECT users.{statement} AS result", *values)[0].values()))

    return called


def test_sellers_finds_people_by_their_verified_address(people, call):
    person, waiting = people.person(), people.new_email()
    people.register(waiting)

    assert str(call("find_user($1)", person.tokens["user"]["email"].upper())) == person.user_id
    assert call("find_user($1)", waiting) is None


def test_after_a_change_of_staff_the_old_tokens_end_and_the_session_goes_on(people, call):
    person = people.person()

    call("end_access($1)", person.user_id)

    assert people.is_revoked(person.tokens["access_token"])
    refreshed = people.refresh(person.tokens["refresh_token"]).json()
    assert not people.is_revoked(refreshed["access_token"])


def test_audits_read_the_shopper_ids_of_people_and_nothing_else_of_them(shop):
    readable = shop.sql(
        "SELECT relname AS tablename FROM pg_class WHERE relnamespace = 'users'::regnamespace "
        "AND relkind = 'r' AND has_table_privilege('souk_reader', oid, 'SELECT')"
    )

    assert {row["tablename"] for row in readable} == {
        *("outbox", "inbox", "schema_migrations"),
        *("pseudonyms", "demo", "seller_status"),
    }
