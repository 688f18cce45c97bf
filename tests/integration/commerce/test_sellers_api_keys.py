"""API keys of sellers: shown once, stored as digests, limited by scopes, and stopped at once."""

from datetime import timedelta

import pytest

from common.clock import system_clock
from common.ids import new_id
from common.principal import Principal
from producers.services.sellers.api_key_endpoints import MAX_KEYS
from producers.services.sellers.api_keys import PREFIX, RANDOM_CHARS, with_checksum
from tests.integration.commerce.people import admin, person, staff, with_account

VERIFICATION = "/v1/auth/api_keys/verification"


@pytest.fixture
def seller(shop, eventually):
    seller_id = f"s-{new_id()}"
    shop.tell("seller_registered", seller_id=seller_id)
    eventually(lambda: shop.sql("SELECT FROM sellers.sellers WHERE seller_id = $1", seller_id))
    return seller_id


@pytest.fixture
def manager(shop, seller):
    return shop.as_principal(with_account(shop, staff(seller, "manager")))


def create(client, seller, **fields):
    body = {"name": "erp", "scopes": ["stock:write", "profile:read"], **fields}
    return client.post(f"/v1/sellers/{seller}/api_keys", json=body)


def verify(shop, key):
    return shop.http.post(VERIFICATION, json={"key": key})


def test_a_key_gives_the_principal_of_its_seller_with_its_scopes(shop, seller, manager):
    created = create(manager, seller).json()

    verified = verify(shop, created["key"]).json()

    assert verified["key_id"] == created["key_id"]
    principal = Principal.from_claims(verified["principal"])
    assert principal.subject == f"key:{created['key_id']}"
    assert dict(principal.sellers) == {seller: "manager"}
    assert principal.scopes == {"stock:write", "profile:read"}


def test_a_key_may_do_what_its_scopes_say_for_its_own_seller_only(shop, seller, manager):
    created = create(manager, seller, scopes=["profile:read"]).json()
    program = shop.as_principal(Principal.from_claims(verify(shop, created["key"]).json()["principal"]))

    assert program.get(f"/v1/sellers/{seller}/profile").status_code == 200
    assert program.patch(f"/v1/sellers/{seller}/profile", json={"city": "X"}).status_code == 403
    assert program.get(f"/v1/sellers/{seller}/staff").status_code == 403
    assert create(program, seller).status_code == 403
    assert program.get("/v1/sellers/another/profile").status_code == 404


def test_a_key_is_shown_once_and_stored_nowhere(shop, seller, manager):
    created = create(manager, seller).json()

    (listed,) = manager.get(f"/v1/sellers/{seller}/api_keys").json()["api_keys"]

    assert created["key"].startswith(listed["hint"].rstrip("…"))
    assert listed == {field: value for field, value in created.items() if field != "key"}
    (row,) = shop.sql("SELECT * FROM sellers.api_keys WHERE key_id::text = $1", created["key_id"])
    assert created["key"][-20:] not in str(list(row.values()))


@pytest.mark.parametrize(
    "key", ["", "souk_", "x" * 200, with_checksum(PREFIX + "0" * RANDOM_CHARS), "souk_" + "é" * 43]
)
def test_a_key_that_was_never_created_is_unknown(shop, key):
    answer = verify(shop, key)

    assert (answer.status_code, answer.json()["type"]) == (404, "urn:souk:problem:unknown-api-key")


def test_a_revoked_key_stops_at_once(shop, seller, manager):
    created = create(manager, seller).json()
    address = f"/v1/sellers/{seller}/api_keys/{created['key_id']}"

    assert [manager.delete(address).status_code for _ in range(2)] == [204, 204]

    assert verify(shop, created["key"]).status_code == 404
    (listed,) = manager.get(f"/v1/sellers/{seller}/api_keys").json()["api_keys"]
    assert listed["revoked_at"]


def test_a_key_of_another_seller_can_not_be_revoked(shop, seller, manager):
    created = create(manager, seller).json()
    stranger = shop.as_principal(staff("another", "owner"))

    answers = [
        stranger.delete(f"/v1/sellers/{of}/api_keys/{created['key_id']}") for of in ("another", seller)
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert verify(shop, created["key"]).status_code == 200


def test_an_expired_key_stops(shop, seller, manager):
    soon = (system_clock() + timedelta(days=1)).isoformat()
    created = create(manager, seller, expires_at=soon).json()
    assert verify(shop, created["key"]).status_code == 200

    shop.sql("UPDATE sellers.api_keys SET expires_at = now() WHERE key_id::text = $1", created["key_id"])

    assert verify(shop, created["key"]).status_code == 404


def test_the_keys_of_a_suspended_seller_stop_and_start_again_with_it(shop, seller, manager):
    created = create(manager, seller).json()
    boss, address = shop.as_principal(admin()), f"/v1/sellers/{seller}/suspension"

    boss.post(address, json={"reason": "Fakes."}).raise_for_status()
    suspended = verify(shop, created["key"]).status_code
    further = create(manager, seller).status_code
    boss.delete(address, params={"reason": "A mistake."}).raise_for_status()

    assert (suspended, further) == (404, 404)
    assert verify(shop, created["key"]).status_code == 200


def test_the_keys_of_a_suspended_person_end_for_good(shop, seller):
    boss = shop.as_principal(with_account(shop, admin()))
    maker, other = (with_account(shop, staff(seller, role)) for role in ("manager", "owner"))
    created = create(shop.as_principal(maker), seller).json()
    of_another = create(shop.as_principal(other), seller).json()
    address = f"/v1/people/{maker.subject}/suspension"

    boss.post(address, json={"reason": "A stolen password."}).raise_for_status()
    suspended = verify(shop, created["key"]).status_code
    boss.delete(address).raise_for_status()

    assert (suspended, verify(shop, created["key"]).status_code) == (404, 404)
    assert verify(shop, of_another["key"]).status_code == 200
    listed = {key["key_id"]: key for key in boss.get(f"/v1/sellers/{seller}/api_keys").json()["api_keys"]}
    assert listed[created["key_id"]]["revoked_at"]
    assert listed[of_another["key_id"]]["revoked_at"] is None


def test_a_key_that_a_suspended_person_makes_with_an_old_token_never_works(shop, seller):
    maker, boss = with_account(shop, staff(seller, "manager")), shop.as_principal(with_account(shop, admin()))
    address = f"/v1/people/{maker.subject}/suspension"

    boss.post(address, json={"reason": "A stolen password."}).raise_for_status()
    created = create(shop.as_principal(maker), seller).json()
    suspended = verify(shop, created["key"]).status_code
    boss.delete(address).raise_for_status()

    assert (suspended, verify(shop, created["key"]).status_code) == (404, 404)
    later = create(shop.as_principal(maker), seller).json()
    assert verify(shop, later["key"]).status_code == 200


def test_a_key_ends_with_the_role_of_the_administrator_who_made_it(shop, seller):
    maker, boss = with_account(shop, admin()), shop.as_principal(with_account(shop, admin()))
    created = create(shop.as_principal(maker), seller).json()
    before = verify(shop, created["key"]).status_code

    boss.put(f"/v1/people/{maker.subject}/role", json={"role": "shopper"}).raise_for_status()

    assert (before, verify(shop, created["key"]).status_code) == (200, 404)
    (listed,) = boss.get(f"/v1/sellers/{seller}/api_keys").json()["api_keys"]
    assert listed["revoked_at"]


def test_keys_start_again_before_users_has_read_that_a_suspension_is_over(shop, seller, eventually):
    maker = with_account(shop, staff(seller, "owner"))
    created = create(shop.as_principal(maker), seller).json()
    eventually(lambda: shop.sql("SELECT FROM users.seller_status WHERE seller_id = $1 AND approved", seller))
    status = "UPDATE users.seller_status SET approved = $2 WHERE seller_id = $1"
    shop.sql(status, seller, False)

    during = verify(shop, created["key"]).status_code
    (listed,) = shop.as_principal(admin()).get(f"/v1/sellers/{seller}/api_keys").json()["api_keys"]
    shop.sql(status, seller, True)

    assert (during, listed["revoked_at"]) == (200, None)


@pytest.mark.parametrize("change", ["SET role = 'analyst'", None])
def test_a_key_ends_with_the_staff_role_of_its_maker(shop, seller, change):
    maker = with_account(shop, staff(seller, "owner"))
    created = create(shop.as_principal(maker), seller).json()
    before = verify(shop, created["key"]).status_code

    statement = f"UPDATE users.staff_roles {change}" if change else "DELETE FROM users.staff_roles"
    shop.sql(f"{statement} WHERE user_id::text = $1", maker.subject)

    assert (before, verify(shop, created["key"]).status_code) == (200, 404)


def test_a_key_whose_maker_is_unknown_does_not_work(shop, seller):
    created = create(shop.as_principal(staff(seller, "owner")), seller).json()

    assert verify(shop, created["key"]).status_code == 404


def test_the_last_use_of_a_key_is_noted_at_most_once_a_minute(shop, seller, manager):
    created = create(manager, seller).json()
    noted = "SELECT last_used_at FROM sellers.api_keys WHERE key_id::text = $1"

    def use():
        verify(shop, created["key"]).raise_for_status()
        return shop.sql(noted, created["key_id"])[0]["last_used_at"]

    first, second = use(), use()
    earlier = "UPDATE sellers.api_keys SET last_used_at = last_used_at - interval '1 minute'"
    shop.sql(f"{earlier} WHERE key_id::text = $1", created["key_id"])
    third = use()

    assert created["last_used_at"] is None
    assert first == second
    assert third > first


@pytest.mark.parametrize(
    "wrong",
    [{"scopes": []}, {"scopes": ["admin"]}, {"name": ""}, {"expires_at": "2020-01-01T00:00:00Z"}],
)
def test_an_invalid_key_is_not_created(seller, manager, wrong):
    answer = create(manager, seller, **wrong)

    assert (answer.status_code, answer.json()["type"]) == (422, "urn:souk:problem:bad-parameter")


def test_a_seller_has_a_limited_number_of_valid_keys(shop, seller, manager):
    created = create(manager, seller).json()
    shop.sql(
        "INSERT INTO sellers.api_keys (key_id, seller_id, name, digest, hint, scopes, created_at) "
        "SELECT gen_random_uuid(), $1, '2', sha256(($1 || number)::bytea), '', ARRAY['stock:write'], now() "
        "FROM generate_series(2, $2) AS number",
        seller,
        MAX_KEYS,
    )

    refused = create(manager, seller)
    manager.delete(f"/v1/sellers/{seller}/api_keys/{created['key_id']}").raise_for_status()

    assert (refused.status_code, refused.json()["type"]) == (409, "urn:souk:problem:too-many-api-keys")
    assert create(manager, seller).status_code == 201


@pytest.mark.parametrize("sender", [person(), admin(), staff("another", "owner")])
def test_only_processes_of_the_platform_verify_keys(shop, sender):
    assert shop.as_principal(sender).post(VERIFICATION, json={"key": "x"}).status_code == 403
