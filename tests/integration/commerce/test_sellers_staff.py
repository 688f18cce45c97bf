"""The staff of a seller: who adds, promotes and removes whom, and what ends a person's access."""

import pytest

from common.ids import new_id
from common.postgres_roles import role_name
from tests.integration.commerce.people import admin, person, staff

USERS = f"""
CREATE SCHEMA users;
CREATE TABLE users.accounts (email text PRIMARY KEY, user_id uuid NOT NULL);
CREATE TABLE users.ended (position bigint GENERATED ALWAYS AS IDENTITY, user_id uuid NOT NULL);
CREATE FUNCTION users.find_user(email text) RETURNS uuid LANGUAGE sql SECURITY DEFINER AS
    'SELECT user_id FROM users.accounts WHERE accounts.email = lower($1)';
CREATE FUNCTION users.end_access(user_id uuid) RETURNS void LANGUAGE sql SECURITY DEFINER AS
    'INSERT INTO users.ended (user_id) VALUES ($1)';
GRANT USAGE ON SCHEMA users TO {role_name("sellers")};
"""
"""The functions of the users service that sellers calls, as the contract between the two services says."""


@pytest.fixture
def accounts(shop):
    """A function that makes an account with an e-mail address, in a schema in place of the users service."""
    for statement in USERS.split(";\n"):
        if statement.strip():
            shop.sql(statement)

    def make():
        user_id, email = new_id(), f"{new_id()}@example.com"
        shop.sql("INSERT INTO users.accounts VALUES ($1, $2)", email, user_id)
        return user_id, email

    yield make
    shop.sql("DROP SCHEMA users CASCADE")


@pytest.fixture
def boss(shop):
    return shop.as_principal(admin())


@pytest.fixture
def hired(shop, boss):
    """A function that makes a seller with these roles; returns its id and the people, its owner first."""

    def hire(*roles):
        owner = person()
        body = {"name": "Ana", "legal_name": "Ana ME", "tax_id": "1", "country": "BR"}
        body["contact_email"] = "a@example.com"
        opened = shop.as_principal(owner).post("/v1/seller_applications", json=body).json()
        approval = f"/v1/seller_applications/{opened['application_id']}/approval"
        boss.post(approval, json={}).raise_for_status()
        seller_id = opened["seller_id"]
        people = [staff(seller_id, "owner", owner.subject), *(staff(seller_id, role) for role in roles)]
        for each in people[1:]:
            shop.sql(
                "INSERT INTO sellers.staff (seller_id, user_id, role, added_at) VALUES ($1, $2, $3, now())",
                seller_id,
                each.subject,
                each.sellers[seller_id],
            )
        return seller_id, people

    return hire


def roles(shop, seller_id):
    rows = shop.sql(
        "SELECT user_id::text AS user_id, role FROM sellers.staff WHERE seller_id = $1", seller_id
    )
    return {row["user_id"]: row["role"] for row in rows}


def ended(shop):
    """Return the people whose access has ended, in this order."""
    return [str(row["user_id"]) for row in shop.sql("SELECT user_id FROM users.ended ORDER BY position")]


def problem(answer):
    return answer.status_code, answer.json()["type"].removeprefix("urn:souk:problem:")


def test_a_person_is_added_by_their_address_and_signs_in_again(shop, accounts, hired):
    seller_id, (owner,) = hired()
    user_id, email = accounts()
    before = len(ended(shop))

    added = shop.as_principal(owner).post(
        f"/v1/sellers/{seller_id}/staff", json={"email": email.upper(), "role": "analyst"}
    )

    assert added.status_code == 202
    assert roles(shop, seller_id)[user_id] == "analyst"
    assert ended(shop)[before:] == [user_id]
    listed = shop.as_principal(owner).get(f"/v1/sellers/{seller_id}/staff").json()["staff"]
    assert [(each["user_id"], each["added_by"]) for each in listed][1:] == [(user_id, owner.subject)]
    assert email not in str(listed).lower()


def test_an_address_without_an_account_gets_the_same_response(shop, accounts, hired):
    seller_id, (owner,) = hired()
    _, known = accounts()
    client, address = shop.as_principal(owner), f"/v1/sellers/{seller_id}/staff"

    answers = [
        client.post(address, json={"email": email, "role": "analyst"})
        for email in (known, known, "nobody@example.com")
    ]

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text.replace(known, "nobody@example.com") for answer in answers}) == 1
    assert len(roles(shop, seller_id)) == 2


def test_without_the_users_service_nobody_has_an_account(shop, hired):
    seller_id, (owner,) = hired()

    answer = shop.as_principal(owner).post(
        f"/v1/sellers/{seller_id}/staff", json={"email": "a@example.com", "role": "analyst"}
    )

    assert answer.status_code == 202
    assert roles(shop, seller_id) == {owner.subject: "owner"}


@pytest.mark.usefixtures("accounts")
def test_while_the_users_service_is_starting_a_change_is_refused_and_nothing_is_changed(shop, hired):
    seller_id, (owner, analyst) = hired("analyst")
    shop.sql("DROP FUNCTION users.end_access(uuid)")

    answer = shop.as_principal(owner).delete(f"/v1/sellers/{seller_id}/staff/{analyst.subject}")

    assert problem(answer) == (503, "not-ready")
    assert answer.headers["retry-after"] == "2"
    assert analyst.subject in roles(shop, seller_id)


@pytest.mark.usefixtures("accounts")
def test_each_change_of_a_role_ends_the_access_of_the_person(shop, hired):
    seller_id, (owner, analyst) = hired("analyst")
    client, address = shop.as_principal(owner), f"/v1/sellers/{seller_id}/staff/{analyst.subject}"
    before = len(ended(shop))

    client.put(address, json={"role": "fulfilment"}).raise_for_status()
    client.put(address, json={"role": "fulfilment"}).raise_for_status()
    client.delete(address).raise_for_status()

    assert ended(shop)[before:] == [analyst.subject] * 2
    assert roles(shop, seller_id) == {owner.subject: "owner"}


@pytest.mark.usefixtures("accounts")
def test_a_suspension_ends_the_access_of_all_staff_and_so_does_its_end(shop, hired, boss):
    seller_id, people = hired("manager", "analyst")
    before = len(ended(shop))

    boss.post(f"/v1/sellers/{seller_id}/suspension", json={"reason": "Fakes."}).raise_for_status()
    boss.delete(f"/v1/sellers/{seller_id}/suspension", params={"reason": "Wrong."}).raise_for_status()

    assert ended(shop)[before:] == sorted(each.subject for each in people) * 2


@pytest.mark.usefixtures("accounts")
def test_the_staff_of_a_suspended_seller_changes_nothing_with_an_old_token(shop, hired, boss):
    seller_id, (owner, analyst) = hired("analyst")
    boss.post(f"/v1/sellers/{seller_id}/suspension", json={"reason": "Fakes."}).raise_for_status()

    answer = shop.as_principal(owner).delete(f"/v1/sellers/{seller_id}/staff/{analyst.subject}")

    assert problem(answer) == (404, "unknown-seller")


@pytest.mark.usefixtures("accounts")
def test_only_an_owner_makes_or_removes_owners(shop, hired):
    seller_id, (owner, manager, analyst) = hired("manager", "analyst")
    address = f"/v1/sellers/{seller_id}/staff"
    by_manager, by_owner = shop.as_principal(manager), shop.as_principal(owner)

    refused = [
        by_manager.put(f"{address}/{analyst.subject}", json={"role": "owner"}),
        by_manager.put(f"{address}/{owner.subject}", json={"role": "analyst"}),
        by_manager.delete(f"{address}/{owner.subject}"),
        by_manager.post(address, json={"email": "a@example.com", "role": "owner"}),
    ]

    assert {problem(answer) for answer in refused} == {(403, "not-allowed")}
    assert by_owner.put(f"{address}/{analyst.subject}", json={"role": "owner"}).status_code == 200
    assert by_owner.delete(f"{address}/{owner.subject}").status_code == 204


@pytest.mark.usefixtures("accounts")
def test_the_last_owner_stays_even_if_an_administrator_asks(shop, hired, boss):
    seller_id, (owner, _) = hired("manager")
    address = f"/v1/sellers/{seller_id}/staff/{owner.subject}"

    answers = [
        shop.as_principal(owner).delete(address),
        boss.delete(address),
        boss.put(address, json={"role": "manager"}),
    ]

    assert {problem(answer) for answer in answers} == {(409, "last-owner")}


@pytest.mark.usefixtures("accounts")
def test_everybody_may_leave_and_nobody_else_s_role_is_theirs_to_change(shop, hired):
    seller_id, (owner, analyst, other) = hired("analyst", "fulfilment")
    client, address = shop.as_principal(analyst), f"/v1/sellers/{seller_id}/staff"

    assert problem(client.delete(f"{address}/{other.subject}")) == (403, "not-allowed")
    assert problem(client.put(f"{address}/{analyst.subject}", json={"role": "owner"})) == (403, "not-allowed")
    assert client.delete(f"{address}/{analyst.subject}").status_code == 204
    assert roles(shop, seller_id) == {owner.subject: "owner", other.subject: "fulfilment"}


@pytest.mark.usefixtures("accounts")
def test_a_role_that_only_the_token_has_changes_nothing(shop, hired):
    seller_id, (owner, manager) = hired("manager")
    shop.as_principal(owner).delete(f"/v1/sellers/{seller_id}/staff/{manager.subject}").raise_for_status()

    answer = shop.as_principal(manager).post(
        f"/v1/sellers/{seller_id}/staff", json={"email": "a@example.com", "role": "analyst"}
    )

    assert problem(answer) == (403, "not-allowed")


@pytest.mark.usefixtures("accounts")
def test_a_person_of_another_seller_is_not_found(shop, hired):
    seller_id, (owner,) = hired()
    _, (stranger,) = hired()
    client = shop.as_principal(owner)

    unknown = client.put(f"/v1/sellers/{seller_id}/staff/{stranger.subject}", json={"role": "analyst"})
    foreign = shop.as_principal(stranger).delete(f"/v1/sellers/{seller_id}/staff/{owner.subject}")

    assert problem(unknown) == (404, "unknown-staff")
    assert problem(foreign) == (404, "not-found")


def test_an_administrator_gives_a_seller_of_another_system_its_owner(shop, accounts, boss, eventually):
    seller_id = f"s-{new_id()}"
    shop.tell("seller_registered", seller_id=seller_id)
    eventually(lambda: shop.sql("SELECT FROM sellers.sellers WHERE seller_id = $1", seller_id))
    user_id, email = accounts()

    boss.post(f"/v1/sellers/{seller_id}/staff", json={"email": email, "role": "owner"}).raise_for_status()

    assert roles(shop, seller_id) == {user_id: "owner"}
