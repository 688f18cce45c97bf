from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from pydantic import SecretStr, ValidationError

from common.settings import Settings
from producers.kit.encryption import NotDecryptable, new_key, seal, unseal
from producers.kit.throttles import MAX_DELAY, Throttle, address_block, delay_after
from producers.services.users.mails import Mails
from producers.services.users.model import (
    BROWSER_GRACE,
    COMMON_PASSWORDS,
    MIN_PASSWORD_CHARS,
    PUBLISHED_BEFORE,
    REVOCATION_LIFETIME,
    KeyTimes,
    current_key,
    is_email,
    normalized_email,
    password_flaw,
    plan_keys,
    refresh_outcome,
)
from producers.services.users.passwords import DeviceTokens
from producers.services.users.pseudonyms import Pseudonyms, link, linked
from producers.services.users.schemas import RegistrationRequest

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
KEY_LIFETIME = timedelta(hours=3)
ANA = "ana@shop.example"


def settings(secret="a secret"):
    return Settings(internal_secret=SecretStr(secret))


@pytest.mark.parametrize("email", ["ana@shop.example", "a.b+c@x.co", "josé@são.example"])
def test_an_address_with_a_domain_is_an_email_address(email):
    assert is_email(email)


@pytest.mark.parametrize(
    "email",
    ["", "ana", "ana@", "@shop.example", "ana@shop", "a b@shop.example", "ana@shop..example", "a@b@c.d"],
)
def test_other_texts_are_no_email_addresses(email):
    assert not is_email(email)


@given(st.text(max_size=40))
def test_normalizing_an_email_address_twice_changes_nothing(text):
    assert normalized_email(normalized_email(text)) == normalized_email(text)


@pytest.mark.parametrize("password", ["short", "x" * 201, ANA, ANA.upper(), "Password123", "qwertyuiop"])
def test_a_weak_password_can_not_be_chosen(password):
    assert password_flaw(password, ANA)


def test_a_long_password_can_be_chosen():
    assert password_flaw("seven lamps and a vase", ANA) is None


def test_every_common_password_in_the_list_is_long_enough_to_matter():
    assert {
        each for each in COMMON_PASSWORDS if len(each) < MIN_PASSWORD_CHARS or each != each.lower()
    } == set()


def test_the_first_failures_cost_nothing_and_the_next_ones_double():
    assert [delay_after(failures).total_seconds() for failures in range(1, 12)] == [
        *(0, 0, 0, 0),
        *(1, 2, 4, 8, 16, 32, 60),
    ]


@given(st.integers(0, 10_000))
def test_nobody_waits_longer_than_the_longest_delay(failures):
    assert timedelta(0) <= delay_after(failures) <= MAX_DELAY


@given(st.integers(min_value=0, max_value=1_000))
def test_failures_are_forgotten_after_a_day(failures):
    throttle = Throttle(b"ana", 5, failures, NOW, NOW).failed(NOW + timedelta(hours=25))

    assert throttle.failures == 1


@pytest.mark.parametrize("ends", ["later", "with success"])
def test_an_attempt_that_waited_for_a_simultaneous_one_has_no_delay(ends: str) -> None:
    first = Throttle(b"ana", 5, 0, NOW, NOW).failed(NOW + timedelta(milliseconds=30))
    if ends == "with success":
        first = first.succeeded()

    assert first.wait(NOW) == timedelta(0)


def test_an_attempt_that_waited_for_a_simultaneous_one_waits_as_long_as_a_later_one() -> None:
    end = NOW + timedelta(milliseconds=30)
    throttle = Throttle(b"ana", 5, 5, NOW, NOW).failed(end)

    assert throttle.wait(NOW) == throttle.wait(end) == delay_after(6) > timedelta(0)
    assert throttle.failed(NOW).blocked_until == end + delay_after(7)


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("203.0.113.9", "203.0.113.10", False),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:203.0.113.9", "203.0.113.9", True),
        ("no address", "no address", True),
    ],
)
def test_guesses_from_one_network_are_counted_together(one, other, together):
    assert (address_block(one) == address_block(other)) is together


def outcome(**changes):
    given_ = {"now": NOW, "expires_at": LATER, "ended_at": None, "replaced_at": None, "browser": False}
    return refresh_outcome(**{**given_, **changes})


def test_a_refresh_token_works_once():
    assert outcome() == "rotate"
    assert outcome(replaced_at=NOW) == "reused"


@pytest.mark.parametrize(
    "changes", [{"expires_at": NOW}, {"ended_at": NOW}, {"ended_at": NOW, "browser": True}]
)
def test_a_refresh_token_of_a_session_that_has_ended_is_good_for_nothing(changes):
    assert outcome(**changes) == "ended"


def test_only_a_browser_may_use_a_replaced_token_and_only_for_a_moment():
    assert outcome(replaced_at=NOW - BROWSER_GRACE / 2, browser=True) == "access_only"
    assert outcome(replaced_at=NOW - BROWSER_GRACE, browser=True) == "reused"
    assert outcome(replaced_at=NOW - BROWSER_GRACE / 2) == "reused"


class SigningKeyRotation(RuleBasedStateMachine):
    """A worker that looks at the keys at any times, and tokens that were signed meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.keys, self.published = NOW, [], {}
        self.signed: list[tuple[str, datetime]] = []
        self.work()

    @rule(minutes=st.integers(1, 120))
    def time_passes(self, minutes):
        for _ in range(minutes // 5 + 1):
            self.now += timedelta(minutes=min(minutes, 5))
            self.work()

    @rule()
    def sign(self):
        self.signed.append((current_key(self.keys, self.now).kid, self.now))

    def work(self):
        plan = plan_keys(self.keys, self.now, KEY_LIFETIME)
        if plan.create_from is not None:
            key = KeyTimes(f"k{len(self.published)}", plan.create_from)
            self.keys.append(key)
            self.published[key.kid] = self.now
        assert current_key(self.keys, self.now).kid not in plan.forget_private
        self.keys = [key for key in self.keys if key.kid not in plan.delete]

    @invariant()
    def one_key_signs(self):
        assert current_key(self.keys, self.now) is not None

    @invariant()
    def the_key_that_signs_is_young_enough(self):
        assert self.now - current_key(self.keys, self.now).signs_from <= KEY_LIFETIME + timedelta(minutes=5)

    @invariant()
    def a_later_key_was_published_before_it_signs(self):
        for key in self.keys[1:]:
            assert key.signs_from - self.published[key.kid] == PUBLISHED_BEFORE

    @invariant()
    def the_keys_of_tokens_that_are_valid_are_published(self):
        published = {key.kid for key in self.keys}
        valid = {kid for kid, at in self.signed if self.now - at < timedelta(minutes=15)}
        assert valid <= published

    @invariant()
    def old_keys_are_deleted(self):
        retired_at = [later.signs_from for later in self.keys[1:]]
        assert all(self.now - at < REVOCATION_LIFETIME + timedelta(minutes=5) for at in retired_at[:-1])


TestSigningKeyRotation = SigningKeyRotation.TestCase


@given(st.binary(max_size=200), st.text(max_size=20))
def test_a_sealed_value_can_be_read_with_the_same_key_and_owner(value, owner):
    key = new_key()

    assert unseal(key, seal(key, value, owner), owner) == value


@given(st.binary(max_size=50), st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_value_can_not_be_read(value, at, change):
    key = new_key()
    sealed = bytearray(seal(key, value, "ana"))
    sealed[at % len(sealed)] ^= change

    with pytest.raises(NotDecryptable):
        unseal(key, bytes(sealed), "ana")


def test_a_link_to_a_shopper_id_can_not_be_read_without_the_person_s_key():
    pseudonyms = Pseudonyms(settings())
    key, sealed_key = pseudonyms.new_person_key("u1")
    sealed = link(key, "u1", "shopper-7")

    assert linked(pseudonyms.person_key("u1", sealed_key), "u1", sealed) == "shopper-7"
    for others in (new_key(), pseudonyms.new_person_key("u1")[0]):
        with pytest.raises(NotDecryptable):
            linked(others, "u1", sealed)


def test_the_keys_of_people_can_not_be_read_with_another_secret():
    _, sealed_key = Pseudonyms(settings()).new_person_key("u1")

    with pytest.raises(NotDecryptable):
        Pseudonyms(settings("another secret")).person_key("u1", sealed_key)


def test_a_device_token_names_the_device_of_its_account_only():
    devices = DeviceTokens(settings())
    token = devices.new(ANA)

    assert devices.device(token, ANA)
    assert devices.device(token, "bob@shop.example") is None
    assert DeviceTokens(settings("another secret")).device(token, ANA) is None


@given(st.text(max_size=100))
def test_any_other_text_is_no_device_token(text):
    assume(len(text) < 60)

    assert DeviceTokens(settings()).device(text, ANA) is None


@pytest.mark.parametrize("path", ["", "/", "/staff_invitation?token=a-b_c", "/shop/cart"])
def test_a_registration_leads_to_a_page_of_this_shop(path):
    RegistrationRequest(email="ana@shop.example", password="seven lamps", next=path)


@pytest.mark.parametrize(
    "path", ["https://shop.example", "//shop.example", "/\\shop.example", "cart", "/a\nb"]
)
def test_a_registration_leads_to_no_other_site(path):
    with pytest.raises(ValidationError):
        RegistrationRequest(email="ana@shop.example", password="seven lamps", next=path)


def test_the_mail_of_a_registration_leads_on_to_the_page():
    mails = Mails("http://shop.example")

    assert "/verify?token=abc\n" in mails.write("verification", "ana@shop.example", "abc").text
    assert (
        "/verify?token=abc&next=%2Fjoin%3Ftoken%3Dx\n"
        in mails.write("verification", "ana@shop.example", "abc", "/join?token=x").text
    )
