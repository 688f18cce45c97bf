import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.email_address import normalized_email
from common.principal import Principal
from common.problems import Problem
from producers.services.sellers.api_keys import (
    ALPHABET,
    CHECKSUM_CHARS,
    LENGTH,
    PREFIX,
    RANDOM_CHARS,
    is_well_formed,
    key_digest,
    key_hint,
    key_principal,
    new_api_key,
    with_checksum,
)
from producers.services.sellers.commission import (
    MAX_BOUND_MINOR,
    MAX_BP,
    CommissionRule,
    choose_rule,
    commission_of,
    effective_bp,
    rules_in_force,
)
from producers.services.sellers.model import (
    MAX_SELLER_ID_CHARS,
    MAX_SELLERS,
    STAFF_MANAGERS,
    StaffActor,
    can_become,
    check_becomes,
    check_memberships,
    check_staff_change,
    masked_email,
    roles_to_give,
)
from producers.services.sellers.problems import (
    LAST_OWNER,
    NOT_A_STAFF_MANAGER,
    ONLY_OWNERS,
    TOO_MANY_SELLERS,
    WRONG_STATUS,
)
from producers.services.users import model as users

STATUSES = st.sampled_from(["applied", "approved", "refused", "suspended"])
ROLES = st.sampled_from(["owner", "manager", "analyst", "fulfilment"])
PEOPLE = st.sampled_from(["ana", "bia", "caio", "duda"])
STAFF = st.dictionaries(PEOPLE, ROLES)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
DEFAULT = CommissionRule(
    rule_id="r1", position=1, seller_id=None, category=None, rate_bp=1_000, minimum_minor=None,
    maximum_minor=None, currency=None, valid_from=NOW, reason="As ever.", author="root", created_at=NOW,
)  # fmt: skip


@given(st.lists(STATUSES))
def test_a_refused_seller_stays_refused_and_only_an_approved_one_is_suspended(wanted):
    status = "applied"
    for to in wanted:
        before, status = status, to if can_become(status, to) else status
        assert before != "refused" or status == "refused"
        assert status != "suspended" or before in ("approved", "suspended")
        assert before == "applied" or status != "applied"


def test_a_change_that_the_status_does_not_allow_names_both_statuses():
    with pytest.raises(Problem, match="is refused and can't become approved") as refused:
        check_becomes("s1", "refused", "approved")
    assert WRONG_STATUS.matches(refused.value)


def allowed(actor, staff, user_id, to):
    try:
        check_staff_change(actor, staff, user_id, to)
    except Problem as error:
        assert any(kind.matches(error) for kind in (LAST_OWNER, NOT_A_STAFF_MANAGER, ONLY_OWNERS))  # noqa: PT017
        return False
    return True


@given(STAFF, PEOPLE, PEOPLE, st.none() | ROLES, st.booleans())
def test_no_change_takes_the_last_owner_away(staff, actor, user_id, to, is_operator):
    if "owner" in staff.values() and allowed(
        StaffActor(actor, staff.get(actor), is_operator), staff, user_id, to
    ):
        after = {**staff, user_id: to}
        assert "owner" in after.values()


@given(STAFF, PEOPLE, PEOPLE, st.none() | ROLES)
def test_whoever_changes_the_staff_is_an_owner_or_a_manager_or_leaves(staff, actor, user_id, to):
    if allowed(StaffActor(actor, staff.get(actor)), staff, user_id, to):
        assert staff.get(actor) in STAFF_MANAGERS or (actor == user_id and to is None)


@given(STAFF, PEOPLE, PEOPLE, st.none() | ROLES)
def test_only_an_owner_makes_or_removes_owners(staff, actor, user_id, to):
    concerns_owner = (staff.get(user_id) == "owner") != (to == "owner")
    if concerns_owner and allowed(StaffActor(actor, staff.get(actor)), staff, user_id, to):
        assert staff.get(actor) == "owner"


def test_an_analyst_may_leave_but_the_last_owner_may_not():
    staff = {"ana": "owner", "bia": "analyst"}

    check_staff_change(StaffActor("bia", "analyst"), staff, "bia", None)
    with pytest.raises(Problem, match=LAST_OWNER.detail):
        check_staff_change(StaffActor("ana", "owner"), staff, "ana", None)


def test_a_person_who_is_not_known_yet_is_added_by_the_same_rules():
    staff = {"ana": "owner", "bia": "manager", "caio": "fulfilment"}

    check_staff_change(StaffActor("bia", "manager"), staff, None, "analyst")
    with pytest.raises(Problem, match=ONLY_OWNERS.detail):
        check_staff_change(StaffActor("bia", "manager"), staff, None, "owner")
    with pytest.raises(Problem, match=NOT_A_STAFF_MANAGER.detail):
        check_staff_change(StaffActor("caio", "fulfilment"), staff, None, "analyst")


def test_nobody_without_a_role_changes_the_staff_of_a_seller_without_owners():
    with pytest.raises(Problem, match=NOT_A_STAFF_MANAGER.detail):
        check_staff_change(StaffActor("ana", None), {}, "ana", "owner")
    check_staff_change(StaffActor(None, None, is_operator=True), {}, "ana", "owner")


@given(st.none() | ROLES, ROLES)
def test_the_roles_that_a_person_may_give_are_those_that_a_change_of_the_staff_allows(own, role):
    is_allowed = allowed(StaffActor("ana", own), {"ana": own} if own else {}, None, role)

    assert (role in roles_to_give(own)) == is_allowed


def test_a_person_works_for_twenty_sellers_at_most():
    sellers = [f"019b2c4e-7a51-7cc2-9d0e-{number:012d}" for number in range(MAX_SELLERS + 1)]

    check_memberships(sellers[:MAX_SELLERS])
    with pytest.raises(Problem, match="20 sellers") as refused:
        check_memberships(sellers)
    assert TOO_MANY_SELLERS.matches(refused.value)


def test_the_ids_of_a_person_s_sellers_are_limited_together_as_a_token_contains_them():
    long = "s" * 128

    check_memberships([f"{number}{long}"[:128] for number in range(MAX_SELLER_ID_CHARS // 130)])
    for ids in ([f"{number}{long}"[:128] for number in range(10, 21)], ["é" * 128, "è" * 128]):
        with pytest.raises(Problem, match="20 sellers", check=TOO_MANY_SELLERS.matches):
            check_memberships(ids)


@given(st.text())
def test_addresses_are_compared_as_in_the_service_of_accounts(text):
    assert normalized_email(text) == users.normalized_email(text)


def test_a_masked_address_shows_one_letter_of_the_name():
    assert masked_email("ana.lima@example.com") == "a…@example.com"


def test_new_keys_are_well_formed_and_differ():
    keys = {new_api_key() for _ in range(200)}

    assert len(keys) == 200
    assert {len(key) for key in keys} == {LENGTH}
    assert all(is_well_formed(key) for key in keys)


def test_the_checksum_of_a_key_is_its_crc_in_base_62():
    key = new_api_key()

    value = 0
    for character in key[-CHECKSUM_CHARS:]:
        value = value * 62 + ALPHABET.index(character)
    assert value == zlib.crc32(key[:-CHECKSUM_CHARS].encode())


@given(st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_a_key_with_one_wrong_character_is_refused_without_a_query(position, character):
    key = with_checksum(PREFIX + "7" * RANDOM_CHARS)
    wrong = key[:position] + character + key[position + 1 :]

    assert is_well_formed(wrong) == (wrong == key)


@given(st.text(max_size=60))
def test_no_text_without_the_checksum_is_a_key(text):
    assert not is_well_formed(text)
    assert not is_well_formed(PREFIX + text.ljust(RANDOM_CHARS + CHECKSUM_CHARS, "é"))


def test_a_digest_depends_on_the_secret_and_does_not_contain_the_key():
    key = new_api_key()

    assert key_digest(b"one", key) != key_digest(b"two", key)
    assert len(key_digest(b"one", key)) == 32
    assert key.removeprefix(key_hint(key)[:-1])[-39:] not in key_hint(key)


def test_the_principal_of_a_key_is_a_manager_of_one_seller_with_its_scopes():
    principal = key_principal("k1", "s1", ["stock:write"])

    assert Principal.from_claims(principal.claims()) == principal
    assert principal.claims() == {
        "sub": "key:k1", "roles": ["seller"], "sellers": {"s1": "manager"}, "scopes": ["stock:write"]
    }  # fmt: skip


def rule(position, seller_id=None, category=None, rate_bp=500, days=0, **changes):
    return replace(
        DEFAULT,
        rule_id=f"r{position}",
        position=position,
        seller_id=seller_id,
        category=category,
        rate_bp=rate_bp,
        valid_from=NOW + timedelta(days=days),
        **changes,
    )


def test_the_rule_of_a_seller_wins_over_the_one_of_its_category_and_that_over_the_default():
    rules = [DEFAULT, rule(2, category="lamps", rate_bp=800), rule(3, "ana", rate_bp=300)]

    chosen = [choose_rule(rules, *line, NOW) for line in (("ana", "lamps"), ("bia", "lamps"), ("bia", None))]

    assert [each.rate_bp for each in chosen] == [300, 800, 1_000]


def test_the_newest_valid_rule_wins_and_of_two_equally_new_ones_the_later_one():
    rules = [DEFAULT, rule(2, days=1), rule(3, days=9, rate_bp=1), rule(4, days=1, rate_bp=700)]

    assert choose_rule(rules, "ana", None, NOW + timedelta(days=2)).rate_bp == 700
    assert choose_rule(rules, "ana", None, NOW).rate_bp == 1_000
    assert choose_rule(rules, "ana", None, NOW - timedelta(days=1)) is None


@given(st.permutations([DEFAULT, rule(2, days=1), rule(3, "ana"), rule(4, "ana", days=1), rule(5, days=9)]))
def test_the_order_in_which_rules_are_read_does_not_matter(rules):
    in_force = rules_in_force(rules, NOW + timedelta(days=1))

    assert {each.rule_id for each in in_force} == {"r2", "r4"}


BOUNDS = st.none() | st.integers(0, MAX_BOUND_MINOR)


@given(st.integers(0, MAX_BP), BOUNDS, BOUNDS, st.integers(0, MAX_BOUND_MINOR))
def test_a_commission_is_between_its_minimum_and_maximum_to_half_a_basis_point(rate_bp, low, high, gross):
    if low is not None and high is not None and low > high:
        low, high = high, low
    bounded = replace(DEFAULT, rate_bp=rate_bp, minimum_minor=low, maximum_minor=high, currency="BRL")

    taken_bp = effective_bp(bounded, "BRL", gross)

    assert 0 <= taken_bp <= MAX_BP
    if gross:
        taken, rounding = taken_bp * gross, gross  # both 20,000 and 10,000 times the amounts
        assert high is None or 2 * taken <= 2 * MAX_BP * high + rounding
        assert low is None or 2 * taken >= 2 * MAX_BP * min(low, gross) - rounding


@given(st.integers(0, MAX_BP), st.integers(0, MAX_BOUND_MINOR))
def test_bounds_in_another_currency_do_not_apply(rate_bp, gross):
    bounded = replace(DEFAULT, rate_bp=rate_bp, minimum_minor=5, maximum_minor=10, currency="JPY")

    assert effective_bp(bounded, "BRL", gross) == rate_bp


@pytest.mark.parametrize(
    ("gross", "expected"), [(1_000, 2_000), (2_000, 1_000), (100_000, 1_000), (400_000, 250), (100, 10_000)]
)
def test_a_small_line_pays_the_minimum_and_a_large_one_the_maximum(gross, expected):
    bounded = replace(DEFAULT, minimum_minor=200, maximum_minor=10_000, currency="BRL")

    assert effective_bp(bounded, "BRL", gross) == expected


def test_a_share_is_rounded_half_up():
    capped = replace(DEFAULT, maximum_minor=1, currency="BRL")

    assert [effective_bp(capped, "BRL", gross) for gross in (4_000, 4_001, 20_000, 20_001)] == [3, 2, 1, 0]


def test_a_seller_with_its_own_rate_sees_no_other_rates():
    rules = [
        DEFAULT,
        rule(2, category="lamps"),
        rule(3, "ana", rate_bp=300),
        rule(4, "ana", days=5, rate_bp=1),
    ]

    own = commission_of(rules, "ana", NOW)
    general = commission_of(rules[:2], "bia", NOW)

    assert own.seller is not None
    assert (own.seller.rate_bp, own.default, own.categories) == (300, None, [])
    assert [term.rate_bp for term in own.announced] == [1]
    assert general.seller is None
    assert general.default is not None
    assert general.default.rate_bp == 1_000
    assert [term.category for term in general.categories] == ["lamps"]
