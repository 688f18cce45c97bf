"""Sellers are admitted, refused and suspended; those of other systems arrive by events."""

from datetime import timedelta

import pytest

from common.clock import system_clock
from common.ids import new_id
from tests.integration.commerce.people import admin, person, staff, with_account

APPLICATION = {
    "name": "Ana's lamps", "legal_name": "Ana Lima ME", "tax_id": "12.345.678/0001-90", "city": "Santos",
    "contact_email": "ana@example.com", "country": "BR", "currency": "BRL", "zip_prefix": "01001",
}  # fmt: skip
READ = "SELECT FROM sellers.inbox WHERE id = $1"
DECISIONS = "/v1/seller_applications"


@pytest.fixture
def boss(shop):
    return shop.as_principal(admin())


def problem(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix("urn:souk:problem:")


def apply(shop, applicant=None, **changes):
    """Send an application of a new person, or of this one; return the answer's body."""
    client = shop.as_principal(with_account(shop, applicant or person()))
    return client.post(DECISIONS, json={**APPLICATION, **changes}).raise_for_status().json()


def admitted(shop, boss, applicant=None):
    """Return a seller that applied and was approved."""
    opened = apply(shop, applicant)
    boss.post(f"{DECISIONS}/{opened['application_id']}/approval", json={}).raise_for_status()
    shop.knows_that(opened["seller_id"], approved=True)
    return opened["seller_id"]


def registered(shop, **fields):
    """Return a seller of another system, once the service has read its registration."""
    seller_id = f"s-{new_id()}"
    shop.tell("seller_registered", seller_id=seller_id, **fields)
    shop.knows_that(seller_id, approved=True)
    return seller_id


def test_an_approved_applicant_is_the_owner_of_a_seller_that_everybody_hears_of(shop, boss, eventually):
    applicant = person()
    opened = apply(shop, applicant)

    decided = boss.post(f"{DECISIONS}/{opened['application_id']}/approval", json={"commission_bp": 850})

    seller_id = opened["seller_id"]
    assert (opened["status"], opened["seller_status"]) == ("applied", "applied")
    assert (decided.status_code, decided.json()["seller_status"]) == (200, "approved")
    owner = shop.as_principal(staff(seller_id, "owner", applicant.subject))
    assert owner.get(f"/v1/sellers/{seller_id}/profile").json()["legal_name"] == "Ana Lima ME"
    assert [one["role"] for one in owner.get(f"/v1/sellers/{seller_id}/staff").json()["staff"]] == ["owner"]
    (told,) = eventually(lambda: shop.events("seller_registered", seller_id))
    assert (told["name"], told["city"], told["country"]) == ("Ana's lamps", "Santos", "BR")
    (agreed,) = eventually(lambda: shop.events("seller_approved", seller_id))
    assert agreed["commission_bp"] == 850
    assert agreed["approved_by"].startswith("shopper-")


def test_the_service_s_own_events_change_nothing_when_it_reads_them(shop, boss, eventually):
    seller_id = admitted(shop, boss)
    before = boss.get(f"/v1/sellers/{seller_id}/profile").json()

    for topic in ("seller_registered", "seller_approved"):
        (told,) = eventually(lambda topic=topic: shop.events(topic, seller_id))
        eventually(lambda told=told: shop.sql(READ, told["event_id"]))

    assert boss.get(f"/v1/sellers/{seller_id}/profile").json() == before
    assert shop.sql("SELECT FROM sellers.commission_rules WHERE seller_id = $1", seller_id) == []


def test_a_refused_applicant_reads_the_reason_and_may_apply_again(shop, boss):
    applicant = person()
    opened = apply(shop, applicant)

    boss.post(
        f"{DECISIONS}/{opened['application_id']}/refusal", json={"reason": "The tax id is unknown."}
    ).raise_for_status()

    (mine,) = shop.as_principal(applicant).get(f"{DECISIONS}/mine").json()["applications"]
    assert (mine["status"], mine["reason"]) == ("refused", "The tax id is unknown.")
    approval = boss.post(f"{DECISIONS}/{opened['application_id']}/approval", json={})
    assert problem(approval) == (409, "wrong-status")
    assert apply(shop, applicant)["status"] == "applied"


def test_a_person_has_one_open_application(shop):
    applicant = person()
    apply(shop, applicant)

    again = shop.as_principal(applicant).post(DECISIONS, json=APPLICATION)

    assert problem(again) == (409, "application-open")


def test_a_repeated_decision_changes_nothing(shop, boss, eventually):
    opened = apply(shop)
    approval = f"{DECISIONS}/{opened['application_id']}/approval"

    first, second = boss.post(approval, json={}), boss.post(approval, json={})

    assert first.json() == second.json()
    eventually(lambda: shop.caught_up())
    assert len(shop.events("seller_approved", opened["seller_id"])) == 1


def test_applications_are_listed_by_status_for_administrators_only(shop, boss):
    opened = apply(shop)
    before = "SELECT max(application_id::text) AS id FROM sellers.applications WHERE application_id < $1"
    last = shop.sql(before, opened["application_id"])[0]["id"]
    query = {"status": "applied"} | ({"after": last} if last else {})

    listed = boss.get(DECISIONS, params=query).json()

    assert [each["application_id"] for each in listed["applications"]] == [opened["application_id"]]
    assert boss.get(DECISIONS, params={**query, "status": "refused"}).json()["applications"] == []
    assert problem(shop.as_principal(person()).get(DECISIONS)) == (403, "not-allowed")


def test_only_people_apply(shop):
    assert problem(shop.http.post(DECISIONS, json=APPLICATION)) == (403, "not-allowed")


@pytest.mark.parametrize(
    "wrong",
    [{"country": "Brazil"}, {"name": ""}, {"contact_email": "ana"}, {"admin": True}, {"name": "\x00"}],
)
def test_an_invalid_application_is_refused_with_the_name_of_the_field(shop, wrong):
    answer = shop.as_principal(person()).post(DECISIONS, json={**APPLICATION, **wrong})

    assert problem(answer) == (422, "bad-parameter")
    assert next(iter(wrong)) in answer.json()["detail"]


def test_a_seller_of_another_system_is_approved_at_once(shop, boss):
    seller_id = registered(shop, name="Bia", city="Recife", state="PE", country="BR")

    profile = boss.get(f"/v1/sellers/{seller_id}/profile").json()

    assert (profile["status"], profile["source"], profile["city"]) == ("approved", "event", "Recife")


def test_a_newer_registration_renames_a_seller_and_an_older_one_does_not(shop, boss, eventually):
    seller_id = registered(shop, name="Bia")
    later = system_clock() + timedelta(minutes=1)
    shop.tell("seller_registered", seller_id=seller_id, name="Bia & Co", occurred_at=later)
    eventually(lambda: boss.get(f"/v1/sellers/{seller_id}/profile").json()["name"] == "Bia & Co")

    event_id = shop.tell("seller_registered", seller_id=seller_id, name="Bia of before")
    eventually(lambda: shop.sql(READ, event_id))

    assert boss.get(f"/v1/sellers/{seller_id}/profile").json()["name"] == "Bia & Co"


def test_a_registration_overwrites_neither_a_suspension_nor_an_edited_profile(shop, boss, eventually):
    seller_id = registered(shop, name="Bia")
    manager = shop.as_principal(staff(seller_id, "manager"))
    manager.patch(f"/v1/sellers/{seller_id}/profile", json={"name": "Bia's"}).raise_for_status()
    boss.post(f"/v1/sellers/{seller_id}/suspension", json={"reason": "Fakes."}).raise_for_status()

    later = system_clock() + timedelta(minutes=1)
    event_id = shop.tell("seller_registered", seller_id=seller_id, name="Bia", occurred_at=later)
    eventually(lambda: shop.sql(READ, event_id))

    profile = boss.get(f"/v1/sellers/{seller_id}/profile").json()
    assert (profile["name"], profile["status"]) == ("Bia's", "suspended")


def test_a_suspension_has_a_reason_and_an_end(shop, boss):
    seller_id = registered(shop)
    address = f"/v1/sellers/{seller_id}/suspension"

    suspended = [boss.post(address, json={"reason": "Fakes."}) for _ in range(2)]
    profile = boss.get(f"/v1/sellers/{seller_id}/profile").json()
    reinstated = boss.delete(address, params={"reason": "A mistake."})

    assert [answer.json()["status"] for answer in suspended] == ["suspended"] * 2
    assert (profile["status"], profile["suspension_reason"]) == ("suspended", "Fakes.")
    assert reinstated.json()["status"] == "approved"
    steps = shop.sql(
        "SELECT status, reason FROM sellers.seller_steps WHERE seller_id = $1 ORDER BY occurred_at", seller_id
    )
    assert [tuple(step.values()) for step in steps] == [("suspended", "Fakes."), ("approved", "A mistake.")]


def test_an_applicant_is_not_admitted_by_the_end_of_a_suspension(shop, boss):
    seller_id = apply(shop)["seller_id"]

    for answer in (
        boss.delete(f"/v1/sellers/{seller_id}/suspension", params={"reason": "By mistake."}),
        boss.post(f"/v1/sellers/{seller_id}/suspension", json={"reason": "By mistake."}),
    ):
        assert problem(answer) == (409, "wrong-status")


def test_an_edited_profile_keeps_the_fields_that_were_left_out(shop, boss):
    seller_id = admitted(shop, boss)
    owner = shop.as_principal(staff(seller_id, "owner"))

    changed = owner.patch(f"/v1/sellers/{seller_id}/profile", json={"phone": "+55 13 1234", "city": None})

    assert (changed.json()["phone"], changed.json()["city"]) == ("+55 13 1234", None)
    assert changed.json()["name"] == "Ana's lamps"
    for fixed in ({"legal_name": "X"}, {"tax_id": "1"}, {"status": "approved"}, {"name": None}):
        refused = owner.patch(f"/v1/sellers/{seller_id}/profile", json=fixed)
        assert problem(refused) == (422, "bad-parameter")


def two_of(events):
    """Return the events once there are two."""
    return events if len(events) == 2 else None


def test_everybody_hears_of_a_changed_profile_but_not_of_its_private_fields(shop, boss, eventually):
    seller_id = admitted(shop, boss)
    owner = shop.as_principal(staff(seller_id, "owner"))
    profile = f"/v1/sellers/{seller_id}/profile"

    owner.patch(profile, json={"phone": "+55 13 1234"}).raise_for_status()
    owner.patch(profile, json={"name": "Ana's lights", "contact_email": "a@example.org"}).raise_for_status()
    owner.patch(profile, json={"city": None}).raise_for_status()

    renamed, moved = eventually(lambda: two_of(shop.events("seller_changed", seller_id)))
    assert (renamed["name"], renamed["city"], renamed["country"]) == ("Ana's lights", "Santos", "BR")
    assert (moved["name"], moved["city"]) == ("Ana's lights", None)
    assert not {"phone", "contact_email", "legal_name", "tax_id"} & renamed.keys()


def test_a_seller_is_registered_with_the_profile_at_the_time_of_the_approval(shop, boss, eventually):
    opened = apply(shop)
    seller_id = opened["seller_id"]
    boss.patch(f"/v1/sellers/{seller_id}/profile", json={"name": "Ana's lights"}).raise_for_status()
    boss.post(f"{DECISIONS}/{opened['application_id']}/approval", json={}).raise_for_status()

    (told,) = eventually(lambda: shop.events("seller_registered", seller_id))
    assert told["name"] == "Ana's lights"
    assert shop.events("seller_changed", seller_id) == []


ROUTES = [
    ("GET", "profile", None, {"owner", "manager", "analyst", "fulfilment"}),
    ("PATCH", "profile", {"city": "Santos"}, {"owner", "manager"}),
    ("GET", "staff", None, {"owner", "manager"}),
    ("GET", "api_keys", None, {"owner", "manager"}),
    ("POST", "api_keys", {"name": "erp", "scopes": ["stock:write"]}, {"owner", "manager"}),
    ("GET", "commission", None, {"owner", "manager", "analyst", "fulfilment"}),
    ("POST", "suspension", {"reason": "None of yours."}, set()),
]


@pytest.mark.parametrize(("method", "path", "body", "roles"), ROUTES)
def test_each_role_of_the_staff_may_do_what_its_policy_says(shop, boss, method, path, body, roles):
    seller_id = admitted(shop, boss)

    for role in ("owner", "manager", "analyst", "fulfilment"):
        client = shop.as_principal(staff(seller_id, role))
        answer = client.request(method, f"/v1/sellers/{seller_id}/{path}", json=body)
        assert (answer.status_code < 300) == (role in roles), (role, answer.text)
        assert answer.status_code < 300 or answer.status_code == 403


@pytest.mark.parametrize(("method", "path", "body"), [route[:3] for route in ROUTES[:-1]])
def test_another_seller_s_staff_find_nothing(shop, boss, method, path, body):
    seller_id = admitted(shop, boss)
    address = f"/v1/sellers/{seller_id}/{path}"

    for stranger in (staff("another", "owner"), person()):
        answer = shop.as_principal(stranger).request(method, address, json=body)
        assert answer.status_code in (403, 404)
        assert "Ana" not in answer.text
    assert problem(shop.as_principal(staff("another", "owner")).request(method, address, json=body)) == (
        404, "not-found"
    )  # fmt: skip
    anonymous = shop.as_principal(person())
    anonymous.event_hooks = {}
    assert anonymous.request(method, address, json=body).status_code == 401


def test_an_erased_person_is_found_nowhere_in_the_service(shop, boss):
    applicant, email = person(), f"{new_id()}@example.com"
    seller_id = admitted(shop, boss, applicant)
    shop.as_principal(staff(seller_id, "owner")).patch(
        f"/v1/sellers/{seller_id}/profile", json={"contact_email": email.upper()}
    ).raise_for_status()
    apply(shop, applicant, contact_email=email)
    for client, address in (
        (boss, email.upper()),
        (shop.as_principal(staff(seller_id, "owner", applicant.subject)), f"{new_id()}@example.com"),
    ):
        client.post(
            f"/v1/sellers/{seller_id}/staff_invitations", json={"email": address, "role": "analyst"}
        ).raise_for_status()

    for _ in range(2):  # a request may arrive twice
        erasure = {"user_id": applicant.subject, "email": email}
        shop.http.post("/v1/erasures/sellers", json=erasure).raise_for_status()

    tables = shop.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'sellers'")
    for name in (table["tablename"] for table in tables):
        rows = str([list(row.values()) for row in shop.sql(f"SELECT * FROM sellers.{name}")]).lower()
        assert applicant.subject not in rows, name
        assert email not in rows, name
    assert boss.get(f"/v1/sellers/{seller_id}/profile").json()["status"] == "approved"
    assert boss.get(f"/v1/sellers/{seller_id}/staff").json() == {"staff": [], "invitations": []}
