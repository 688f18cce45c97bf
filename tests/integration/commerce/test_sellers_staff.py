"""The staff of a seller: who invites, promotes and removes whom, and what ends a person's access."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from common.clock import system_clock
from common.ids import new_id
from producers.services.sellers.model import INVITATION_LIFETIME, MAX_OPEN_INVITATIONS, MAX_SELLERS
from tests.integration.commerce.people import admin, person, staff, with_account
from tests.integration.commerce.users import People

ANSWERS = "/v1/staff_invitations"


@pytest.fixture
def people(shop):
    return People(shop)


@pytest.fixture
def boss(shop):
    return shop.as_principal(admin())


@pytest.fixture
def hired(shop, boss):
    """A function that makes a seller with these roles; returns its id and the people, its owner first."""

    def hire(*roles):
        owner = with_account(shop, person())
        body = {"name": "Ana", "legal_name": "Ana ME", "tax_id": "1", "country": "BR"}
        body["contact_email"] = "a@example.com"
        opened = shop.as_principal(owner).post("/v1/seller_applications", json=body).json()
        approval = f"/v1/seller_applications/{opened['application_id']}/approval"
        boss.post(approval, json={}).raise_for_status()
        seller_id = opened["seller_id"]
        people = [staff(seller_id, "owner", owner.subject), *(staff(seller_id, role) for role in roles)]
        return seller_id, [with_account(shop, each) for each in people]

    return hire


def roles(shop, seller_id):
    rows = shop.sql(
        "SELECT user_id::text AS user_id, role FROM sellers.staff WHERE seller_id = $1", seller_id
    )
    return {row["user_id"]: row["role"] for row in rows}


def invited(shop, people, sender, seller_id, email, role="analyst"):
    """Invite an address, and return the token of the mail."""
    address = f"/v1/sellers/{seller_id}/staff_invitations"
    client = shop.as_principal(with_account(shop, sender))
    answer = client.post(address, json={"email": email, "role": role})
    assert answer.status_code == 201, answer.text
    return people.token(email, "staff_invitation")


def respond(person, what, token):
    """Send a person's answer to an invitation: `acceptances`, `refusals`, or only `lookups`."""
    return person.http.post(f"{ANSWERS}/{what}", json={"token": token})


def email_of(person):
    return person.tokens["user"]["email"]


def open_invitations(shop, sender, seller_id):
    listed = shop.as_principal(sender).get(f"/v1/sellers/{seller_id}/staff").raise_for_status().json()
    return listed["invitations"]


def problem(answer):
    return answer.status_code, answer.json()["type"].removeprefix("urn:souk:problem:")


def test_an_invited_person_accepts_and_has_the_role_at_once(shop, people, hired):
    seller_id, (owner,) = hired()
    rui = people.person()
    token = invited(shop, people, owner, seller_id, email_of(rui).upper())

    seen = respond(rui, "lookups", token).json()
    accepted = respond(rui, "acceptances", token)

    assert (seen["seller_id"], seen["seller_name"], seen["role"]) == (seller_id, "Ana", "analyst")
    assert (accepted.status_code, accepted.json()) == (200, {"seller_id": seller_id, "role": "analyst"})
    assert roles(shop, seller_id)[rui.user_id] == "analyst"
    assert people.is_revoked(rui.tokens["access_token"])
    refreshed = people.refresh(rui.tokens["refresh_token"]).json()
    assert refreshed["user"]["sellers"] == {seller_id: "analyst"}
    listed = shop.as_principal(owner).get(f"/v1/sellers/{seller_id}/staff").json()
    assert [(each["user_id"], each["added_by"]) for each in listed["staff"]][1:] == [
        (rui.user_id, owner.subject)
    ]
    assert listed["invitations"] == []
    assert email_of(rui) not in str(listed)
    assert problem(respond(rui, "acceptances", token)) == (410, "invitation-ended")


def test_an_invitation_is_the_same_for_an_address_with_and_without_an_account(shop, people, hired):
    seller_id, (owner,) = hired()
    known, unknown = email_of(people.person()), people.new_email()
    client, address = shop.as_principal(owner), f"/v1/sellers/{seller_id}/staff_invitations"

    answers = [
        client.post(address, json={"email": email, "role": "analyst"}).json() for email in (known, unknown)
    ]
    mails = [people.mails(email)[0] for email in (known, unknown)]

    assert [each["email"] for each in answers] == [known, unknown]
    assert {each["role"] for each in answers} == {"analyst"}
    assert all(each.keys() == {"invitation_id", "email", "role", "expires_at"} for each in answers)
    assert len({re.sub(r"token=\S+", "", mail["subject"] + mail["text"]) for mail in mails}) == 1
    assert roles(shop, seller_id) == {owner.subject: "owner"}


def test_a_person_who_registers_after_the_invitation_accepts_it(shop, people, hired):
    seller_id, (owner,) = hired()
    email = people.new_email()
    token = invited(shop, people, owner, seller_id, email, "fulfilment")

    people.register(email).raise_for_status()
    people.verify(email).raise_for_status()
    rui = people.signed_in(people.sign_in(email))

    assert respond(rui, "acceptances", token).status_code == 200
    assert roles(shop, seller_id)[rui.user_id] == "fulfilment"


def test_only_the_person_with_the_invited_address_answers(shop, people, hired):
    seller_id, (owner,) = hired()
    rui, other = people.person(), people.person()
    token = invited(shop, people, owner, seller_id, email_of(rui))

    for what in ("lookups", "acceptances", "refusals"):
        refused = respond(other, what, token)
        assert problem(refused) == (403, "not-the-invited-person")
        assert email_of(rui) not in refused.text
    assert respond(rui, "lookups", token).status_code == 200
    assert respond(rui, "acceptances", "another token").status_code == 410


def test_a_refused_or_withdrawn_invitation_has_ended(shop, people, hired):
    seller_id, (owner,) = hired()
    rui = people.person()

    token = invited(shop, people, owner, seller_id, email_of(rui))
    refused = respond(rui, "refusals", token)
    after_refusal = respond(rui, "acceptances", token)
    token = invited(shop, people, owner, seller_id, email_of(rui))
    (listed,) = open_invitations(shop, owner, seller_id)
    address = f"/v1/sellers/{seller_id}/staff_invitations/{listed['invitation_id']}"
    withdrawn = shop.as_principal(owner).delete(address)
    after_withdrawal = respond(rui, "acceptances", token)

    assert (refused.status_code, withdrawn.status_code) == (204, 204)
    assert [problem(each) for each in (after_refusal, after_withdrawal)] == [(410, "invitation-ended")] * 2
    assert problem(shop.as_principal(owner).delete(address)) == (404, "unknown-invitation")
    assert roles(shop, seller_id) == {owner.subject: "owner"}


def test_an_address_has_one_open_invitation_and_its_last_link_works(shop, people, hired):
    seller_id, (owner,) = hired()
    rui = people.person()
    first = invited(shop, people, owner, seller_id, email_of(rui), "analyst")

    second = invited(shop, people, owner, seller_id, email_of(rui), "manager")

    assert [each["role"] for each in open_invitations(shop, owner, seller_id)] == ["manager"]
    assert problem(respond(rui, "acceptances", first)) == (410, "invitation-ended")
    assert respond(rui, "acceptances", second).json()["role"] == "manager"


def test_an_invitation_ends_after_seven_days(shop, people, hired):
    seller_id, (owner,) = hired()
    rui = people.person()
    token = invited(shop, people, owner, seller_id, email_of(rui))
    (listed,) = shop.sql("SELECT expires_at FROM sellers.staff_invitations WHERE seller_id = $1", seller_id)
    assert abs(listed["expires_at"] - system_clock() - INVITATION_LIFETIME) < timedelta(hours=1)

    shop.sql("UPDATE sellers.staff_invitations SET expires_at = now() WHERE seller_id = $1", seller_id)

    assert problem(respond(rui, "acceptances", token)) == (410, "invitation-ended")
    assert open_invitations(shop, owner, seller_id) == []


def test_a_member_who_accepts_another_invitation_keeps_their_role(shop, people, hired):
    seller_id, (owner,) = hired()
    rui = people.person()
    respond(rui, "acceptances", invited(shop, people, owner, seller_id, email_of(rui), "owner"))

    again = respond(rui, "acceptances", invited(shop, people, owner, seller_id, email_of(rui), "fulfilment"))

    assert again.json()["role"] == "owner"
    assert roles(shop, seller_id)[rui.user_id] == "owner"


def test_a_suspended_seller_s_invitations_wait_for_the_end_of_the_suspension(shop, people, hired, boss):
    seller_id, (owner,) = hired()
    rui = people.person()
    token = invited(shop, people, owner, seller_id, email_of(rui))

    boss.post(f"/v1/sellers/{seller_id}/suspension", json={"reason": "Fakes."}).raise_for_status()
    while_suspended = respond(rui, "acceptances", token)
    boss.delete(f"/v1/sellers/{seller_id}/suspension", params={"reason": "Wrong."}).raise_for_status()

    assert problem(while_suspended) == (410, "invitation-ended")
    assert respond(rui, "acceptances", token).status_code == 200


def test_the_invitations_of_somebody_who_may_not_give_the_role_any_more_end(shop, people, hired):
    seller_id, (owner, other) = hired("owner")
    emails = [people.new_email() for _ in range(3)]
    for email, role in zip(emails, ("owner", "analyst", "analyst"), strict=True):
        invited(shop, people, other if email != emails[2] else owner, seller_id, email, role)
    client, address = shop.as_principal(owner), f"/v1/sellers/{seller_id}/staff/{other.subject}"

    client.put(address, json={"role": "manager"}).raise_for_status()
    as_manager = [each["email"] for each in open_invitations(shop, owner, seller_id)]
    client.delete(address).raise_for_status()
    removed = [each["email"] for each in open_invitations(shop, owner, seller_id)]

    assert (as_manager, removed) == (emails[1:], emails[2:])


def test_a_manager_neither_replaces_nor_withdraws_the_invitation_of_an_owner(shop, people, hired):
    seller_id, (owner, manager) = hired("manager")
    email = people.new_email()
    invited(shop, people, owner, seller_id, email, "owner")
    (listed,) = open_invitations(shop, owner, seller_id)
    client, address = shop.as_principal(manager), f"/v1/sellers/{seller_id}/staff_invitations"

    refused = [
        client.post(address, json={"email": email, "role": "analyst"}),
        client.delete(f"{address}/{listed['invitation_id']}"),
    ]

    assert [problem(each) for each in refused] == [(403, "not-allowed")] * 2
    assert open_invitations(shop, owner, seller_id) == [listed]


def test_a_seller_has_a_limited_number_of_open_invitations(shop, people, hired):
    seller_id, (owner,) = hired()
    shop.sql(
        "INSERT INTO sellers.staff_invitations "
        "(invitation_id, seller_id, email, role, token_sha256, invited_at, expires_at) "
        "SELECT gen_random_uuid(), $1::text, n || '@shop.example', 'analyst', "
        "sha256(convert_to($1::text || n, 'UTF8')), now(), now() + interval '1 day' "
        "FROM generate_series(1, $2::integer) AS n",
        seller_id,
        MAX_OPEN_INVITATIONS,
    )
    client, address = shop.as_principal(owner), f"/v1/sellers/{seller_id}/staff_invitations"

    one_more = client.post(address, json={"email": people.new_email(), "role": "analyst"})
    again = client.post(address, json={"email": "7@shop.example", "role": "manager"})

    assert problem(one_more) == (409, "too-many-invitations")
    assert again.status_code == 201


def test_an_address_gets_a_limited_number_of_mails(shop, people, hired):
    seller_id, (owner,) = hired()
    email = people.new_email()
    client, address = shop.as_principal(owner), f"/v1/sellers/{seller_id}/staff_invitations"

    answers = [client.post(address, json={"email": email, "role": "analyst"}) for _ in range(6)]

    assert [each.status_code for each in answers] == [201] * 5 + [429]
    assert answers[-1].headers["retry-after"] == "3600"
    rui_token = people.token(email, "staff_invitation")
    people.register(email).raise_for_status()
    people.verify(email).raise_for_status()
    rui = people.signed_in(people.sign_in(email))
    assert respond(rui, "acceptances", rui_token).status_code == 200


def work_for_others(shop, user_id, count):
    """Make a person with an account a member of the staff of this many new sellers."""
    for seller_id in (f"s-{new_id()}" for _ in range(count)):
        shop.sql(
            "INSERT INTO sellers.sellers (seller_id, status, source, created_at, registered_at) "
            "VALUES ($1, 'approved', 'event', now(), now())",
            seller_id,
        )
        shop.employ(seller_id, user_id, "analyst")


def test_a_person_works_for_twenty_sellers_and_no_more_also_if_they_accept_at_once(shop, people, hired):
    rui = people.person()
    work_for_others(shop, rui.user_id, MAX_SELLERS - 1)
    tokens = []
    for seller_id, (owner,) in (hired(), hired()):
        tokens.append(invited(shop, people, owner, seller_id, email_of(rui)))

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda token: respond(rui, "acceptances", token), tokens))

    assert sorted(each.status_code for each in answers) == [200, 409]
    (refused,) = (each for each in answers if each.status_code == 409)
    assert problem(refused) == (409, "too-many-sellers")
    assert "20 sellers" in refused.json()["detail"]
    refreshed = people.refresh(rui.tokens["refresh_token"]).json()
    assert len(refreshed["user"]["sellers"]) == MAX_SELLERS
    assert len(refreshed["access_token"]) < 4_000


def test_an_application_of_somebody_with_twenty_sellers_is_not_approved(shop, boss):
    applicant = with_account(shop, person())
    work_for_others(shop, applicant.subject, MAX_SELLERS)
    body = {"name": "Ana", "legal_name": "Ana ME", "tax_id": "1", "country": "BR"}
    body["contact_email"] = "a@example.com"
    opened = shop.as_principal(applicant).post("/v1/seller_applications", json=body).json()
    path = f"/v1/seller_applications/{opened['application_id']}"

    refused = boss.post(f"{path}/approval", json={})

    assert problem(refused) == (409, "too-many-sellers")
    assert boss.post(f"{path}/refusal", json={"reason": "Too many."}).json()["status"] == "refused"


def known_roles(shop, user_id):
    """Return what users knows of the sellers for which a person works."""
    rows = shop.sql("SELECT seller_id, role FROM users.staff_roles WHERE user_id = $1", user_id)
    return {row["seller_id"]: row["role"] for row in rows}


def revocations(shop, user_id):
    return len(shop.sql("SELECT FROM users.revocations WHERE user_id = $1", user_id))


def test_while_users_does_not_answer_a_role_is_changed_and_arrives_later_once(
    shop, people, hired, eventually
):
    seller_id, (owner,) = hired()
    rui = joined(shop, people, owner, seller_id)
    address, before = f"/v1/sellers/{seller_id}/staff/{rui.user_id}", revocations(shop, rui.user_id)
    with shop.locked("SELECT FROM users.people WHERE user_id = $1 FOR UPDATE", rui.user_id):
        changed = shop.as_principal(owner).put(address, json={"role": "fulfilment"})
        meanwhile = known_roles(shop, rui.user_id)
        removed = shop.as_principal(owner).delete(address)

    eventually(shop.caught_up)

    assert (changed.status_code, removed.status_code) == (200, 204)
    assert meanwhile == {seller_id: "analyst"}
    assert known_roles(shop, rui.user_id) == {}
    assert revocations(shop, rui.user_id) == before + 2
    assert people.is_revoked(rui.tokens["access_token"])


def test_without_users_nobody_is_invited_and_the_invitation_is_not_stored(shop, people, hired):
    seller_id, (owner,) = hired()
    body = {"email": people.new_email(), "role": "analyst"}
    shop.sql("ALTER TABLE users.mails RENAME TO mails_later")
    try:
        refused = shop.as_principal(owner).post(f"/v1/sellers/{seller_id}/staff_invitations", json=body)
    finally:
        shop.sql("ALTER TABLE users.mails_later RENAME TO mails")

    assert problem(refused) == (503, "not-ready")
    assert refused.headers["retry-after"] == "2"
    assert open_invitations(shop, owner, seller_id) == []


def joined(shop, people, owner, seller_id, role="analyst"):
    """A person who has accepted an invitation, signed in again."""
    rui = people.person()
    token = invited(shop, people, owner, seller_id, email_of(rui), role)
    respond(rui, "acceptances", token).raise_for_status()
    return people.signed_in(people.sign_in(email_of(rui)))


def test_each_change_of_a_role_ends_the_access_of_the_person(shop, people, hired):
    seller_id, (owner,) = hired()
    rui = joined(shop, people, owner, seller_id)
    client, address = shop.as_principal(owner), f"/v1/sellers/{seller_id}/staff/{rui.user_id}"

    client.put(address, json={"role": "analyst"}).raise_for_status()
    unchanged = people.is_revoked(rui.tokens["access_token"])
    client.put(address, json={"role": "fulfilment"}).raise_for_status()
    changed = people.is_revoked(rui.tokens["access_token"])
    again = people.refresh(rui.tokens["refresh_token"]).json()
    client.delete(address).raise_for_status()

    assert (unchanged, changed) == (False, True)
    assert again["user"]["sellers"] == {seller_id: "fulfilment"}
    assert people.is_revoked(again["access_token"])
    assert roles(shop, seller_id) == {owner.subject: "owner"}


def test_a_suspension_ends_the_access_of_all_staff_and_so_does_its_end(shop, people, hired, boss):
    seller_id, (owner,) = hired()
    shop.knows_that(seller_id, approved=True)
    staff_of_seller = [joined(shop, people, owner, seller_id, role) for role in ("manager", "analyst")]

    boss.post(f"/v1/sellers/{seller_id}/suspension", json={"reason": "Fakes."}).raise_for_status()
    shop.knows_that(seller_id, approved=False)
    revoked = [people.is_revoked(each.tokens["access_token"]) for each in staff_of_seller]
    suspended = [people.refresh(each.tokens["refresh_token"]).json() for each in staff_of_seller]
    boss.delete(f"/v1/sellers/{seller_id}/suspension", params={"reason": "Wrong."}).raise_for_status()
    shop.knows_that(seller_id, approved=True)

    assert revoked == [True, True]
    assert [each["user"]["sellers"] for each in suspended] == [{}, {}]
    assert [people.is_revoked(each["access_token"]) for each in suspended] == [True, True]


def test_the_staff_of_a_suspended_seller_changes_nothing_with_an_old_token(shop, hired, boss):
    seller_id, (owner, analyst) = hired("analyst")
    boss.post(f"/v1/sellers/{seller_id}/suspension", json={"reason": "Fakes."}).raise_for_status()

    answer = shop.as_principal(owner).delete(f"/v1/sellers/{seller_id}/staff/{analyst.subject}")

    assert problem(answer) == (404, "unknown-seller")


def test_only_an_owner_makes_or_removes_owners(shop, hired):
    seller_id, (owner, manager, analyst) = hired("manager", "analyst")
    address = f"/v1/sellers/{seller_id}/staff"
    by_manager, by_owner = shop.as_principal(manager), shop.as_principal(owner)

    refused = [
        by_manager.put(f"{address}/{analyst.subject}", json={"role": "owner"}),
        by_manager.put(f"{address}/{owner.subject}", json={"role": "analyst"}),
        by_manager.delete(f"{address}/{owner.subject}"),
        by_manager.post(f"{address}_invitations", json={"email": "a@example.com", "role": "owner"}),
    ]

    assert {problem(answer) for answer in refused} == {(403, "not-allowed")}
    assert by_owner.put(f"{address}/{analyst.subject}", json={"role": "owner"}).status_code == 200
    assert by_owner.delete(f"{address}/{owner.subject}").status_code == 204


def test_the_last_owner_stays_even_if_an_administrator_asks(shop, hired, boss):
    seller_id, (owner, _) = hired("manager")
    address = f"/v1/sellers/{seller_id}/staff/{owner.subject}"

    answers = [
        shop.as_principal(owner).delete(address),
        boss.delete(address),
        boss.put(address, json={"role": "manager"}),
    ]

    assert {problem(answer) for answer in answers} == {(409, "last-owner")}


def test_everybody_may_leave_and_nobody_else_s_role_is_theirs_to_change(shop, hired):
    seller_id, (owner, analyst, other) = hired("analyst", "fulfilment")
    client, address = shop.as_principal(analyst), f"/v1/sellers/{seller_id}/staff"

    assert problem(client.delete(f"{address}/{other.subject}")) == (403, "not-allowed")
    assert problem(client.put(f"{address}/{analyst.subject}", json={"role": "owner"})) == (403, "not-allowed")
    assert client.delete(f"{address}/{analyst.subject}").status_code == 204
    assert roles(shop, seller_id) == {owner.subject: "owner", other.subject: "fulfilment"}


def test_a_role_that_only_the_token_has_changes_nothing(shop, hired):
    seller_id, (owner, manager) = hired("manager")
    shop.as_principal(owner).delete(f"/v1/sellers/{seller_id}/staff/{manager.subject}").raise_for_status()

    answer = shop.as_principal(manager).post(
        f"/v1/sellers/{seller_id}/staff_invitations", json={"email": "a@example.com", "role": "analyst"}
    )

    assert problem(answer) == (403, "not-allowed")


def test_a_person_of_another_seller_is_not_found(shop, hired):
    seller_id, (owner,) = hired()
    _, (stranger,) = hired()
    client = shop.as_principal(owner)

    unknown = client.put(f"/v1/sellers/{seller_id}/staff/{stranger.subject}", json={"role": "analyst"})
    foreign = shop.as_principal(stranger).delete(f"/v1/sellers/{seller_id}/staff/{owner.subject}")

    assert problem(unknown) == (404, "unknown-staff")
    assert problem(foreign) == (404, "not-found")


def test_an_administrator_gives_a_seller_of_another_system_its_owner(shop, people, eventually):
    seller_id = f"s-{new_id()}"
    shop.tell("seller_registered", seller_id=seller_id)
    eventually(lambda: shop.sql("SELECT FROM sellers.sellers WHERE seller_id = $1", seller_id))
    rui = people.person()

    respond(rui, "acceptances", invited(shop, people, admin(), seller_id, email_of(rui), "owner"))

    assert roles(shop, seller_id) == {rui.user_id: "owner"}


@pytest.mark.parametrize("sent_by", ["owner", "admin"])
def test_the_invitations_of_a_suspended_person_are_refused_for_good(shop, people, hired, sent_by):
    seller_id, (owner,) = hired()
    boss, sender, rui = (
        with_account(shop, admin()),
        {"owner": owner, "admin": admin()}[sent_by],
        people.person(),
    )
    token = invited(shop, people, sender, seller_id, email_of(rui), "owner")
    suspension = f"/v1/people/{sender.subject}/suspension"

    shop.as_principal(boss).post(suspension, json={"reason": "Stolen."}).raise_for_status()
    suspended = [problem(respond(rui, what, token)) for what in ("lookups", "acceptances")]
    shop.as_principal(boss).delete(suspension).raise_for_status()

    assert suspended == [(410, "invitation-ended")] * 2
    assert problem(respond(rui, "acceptances", token)) == (410, "invitation-ended")
    assert rui.user_id not in roles(shop, seller_id)
    again = invited(shop, people, sender, seller_id, email_of(rui), "owner")
    assert respond(rui, "acceptances", again).status_code == 200


def test_the_invitations_of_a_demoted_administrator_are_refused(shop, people, hired):
    seller_id, (owner,) = hired()
    boss, sender, rui = with_account(shop, admin()), admin(), people.person()
    token = invited(shop, people, sender, seller_id, email_of(rui), "owner")

    role = f"/v1/people/{sender.subject}/role"
    shop.as_principal(boss).put(role, json={"role": "analyst"}).raise_for_status()

    assert problem(respond(rui, "acceptances", token)) == (410, "invitation-ended")
    assert roles(shop, seller_id) == {owner.subject: "owner"}


def test_an_invitation_as_owner_ends_when_its_sender_is_only_a_manager(shop, people, hired):
    seller_id, (owner, other) = hired("owner")
    rui, ana = people.person(), people.person()
    as_owner = invited(shop, people, other, seller_id, email_of(rui), "owner")
    as_analyst = invited(shop, people, other, seller_id, email_of(ana), "analyst")

    shop.sql("UPDATE users.staff_roles SET role = 'manager' WHERE user_id::text = $1", other.subject)

    assert problem(respond(rui, "acceptances", as_owner)) == (410, "invitation-ended")
    assert respond(ana, "acceptances", as_analyst).status_code == 200
    assert roles(shop, seller_id)[owner.subject] == "owner"
