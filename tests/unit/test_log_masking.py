"""Log lines contain no personal data and no secrets, wherever they come from."""

import string
import subprocess
import sys
from datetime import datetime
from secrets import token_urlsafe

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.ids import new_id
from common.log_masking import MASK, MAX_CHARS, masked_fields, masked_text
from common.settings import ROOT
from producers.services.sellers.api_keys import new_api_key

WORDS = st.text(string.ascii_letters + " .:/-", max_size=30)
NAMES = st.text(string.ascii_lowercase + string.digits + "._+-", min_size=1, max_size=20)
EMAILS = st.builds(
    lambda name, host: f"x{name}@{host}.example", NAMES, st.text(string.ascii_lowercase, min_size=1)
)
TOKENS = st.builds(lambda _: token_urlsafe(32), st.none()).filter(
    lambda token: (
        any(map(str.isupper, token)) and any(map(str.islower, token)) and any(map(str.isdigit, token))
    )
)
KEYS = st.builds(lambda _: new_api_key(), st.none())
JWTS = st.builds(lambda a, b: f"eyJ{a}.{b}.{b}", *[st.text(string.ascii_letters + "_-", min_size=6)] * 2)


def with_check_digit(digits: str) -> str:
    return next(digits + last for last in string.digits if luhn(digits + last))


def luhn(number: str) -> bool:
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in number[-2::-2]]
    return (sum(doubled) + sum(int(digit) for digit in number[::-2])) % 10 == 0


CARDS = st.builds(
    lambda first, rest: with_check_digit(first + rest),
    st.sampled_from("23456"),
    st.text(string.digits, min_size=13, max_size=17),
)
SECRETS = st.one_of(EMAILS, TOKENS, KEYS, JWTS, CARDS)


@given(SECRETS, WORDS, WORDS)
def test_a_secret_in_a_text_is_masked(secret: str, before: str, after: str) -> None:
    text = masked_text(f"{before} {secret} {after}")

    assert secret not in text
    assert MASK in text


@given(SECRETS)
def test_a_secret_in_a_container_or_an_error_is_masked(secret: str) -> None:
    line = masked_fields(
        {"reason": {"rows": [(secret, 1)], f"of {secret}": "x"}, "error": ValueError(secret)}
    )

    assert secret not in orjson.dumps(line).decode()


@given(
    st.sampled_from(
        [
            "password",
            "api_key",
            "accessToken",
            "card_number",
            "email",
            "user_email",
            "street",
            "address",
            "cookie",
        ]
    ),
    st.one_of(st.text(min_size=1), st.integers(), st.lists(st.text())),
)
def test_a_field_with_a_telling_name_is_masked_whole(name: str, value: object) -> None:
    assert masked_fields({name: value, "nested": {name: value}}) == {name: MASK, "nested": {name: MASK}}


@given(
    st.sampled_from(["password", "token", "api_key", "e-mail", "street", "authorization", "client_secret"]),
    st.text(string.ascii_letters + string.digits, min_size=1, max_size=20),
    st.sampled_from(["{}={}", '"{}": "{}"', "{}: {}", "'{}': '{}'", "?a=1&{}={}&b=2"]),
)
def test_a_value_behind_a_telling_name_is_masked_in_a_text(name: str, value: str, form: str) -> None:
    rest = form.format("", "")
    text = masked_text(form.format(name, f"§{value}§"))

    assert f"§{value}§" not in text
    assert rest.replace("'", "").replace('"', "")[-1:] in text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql://souk_orders:s3cr3t@127.0.0.1:5432/souk", f"postgresql://{MASK}@127.0.0.1:5432/souk"),
        (
            "DETAIL: Key (email)=(ana@example.com) already exists.",
            f"DETAIL: Key (email)=({MASK}) already exists.",
        ),
        ("Authorization: Bearer abc.def-ghi", f"Authorization: {MASK} {MASK}"),
        ("GET /reset?email=ana%40example.com", f"GET /reset?email={MASK}"),
        ("card 4111 1111 1111 1111 declined", f"card {MASK} declined"),
    ],
)
def test_known_places_of_secrets_are_masked(text: str, masked: str) -> None:
    found = masked_text(text)

    assert found.replace(f"{MASK} {MASK}", MASK) == masked.replace(f"{MASK} {MASK}", MASK)


@given(SECRETS, st.data())
def test_of_a_long_text_only_the_end_is_searched_and_a_secret_that_is_cut_is_masked(
    secret: str, data: st.DataObject
) -> None:
    kept = data.draw(st.integers(1, len(secret)))
    text = masked_text("§" * 1000 + secret + " §" * ((MAX_CHARS - kept) // 2))

    assert len(text) <= MAX_CHARS + len(MASK)
    assert set(text.replace(MASK, "")) == {"§", " "}


@pytest.mark.parametrize(
    "repeated",
    ["a", "2", "@", "a@", "a-", "aA1-", "a.", "%40", "2 ", "token-", "basic ", "Key (", "Key (a)=("],
)
@pytest.mark.parametrize("end", ["@ = ana@b.example", "= @ password=a1"])
def test_a_secret_after_a_long_text_of_any_form_is_masked(repeated: str, end: str) -> None:
    # If the work grew with the square of the length, most of these texts would take minutes.
    text = masked_text((repeated * MAX_CHARS)[: MAX_CHARS - len(end)] + end)

    assert MASK in text
    assert not text.endswith(("ana@b.example", "password=a1"))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("ana@example.com!eva@example.com", MASK),
        ("ana@example.com, eva@example.com.", f"{MASK}, {MASK}."),
        ("a@b, ana@example.com", f"a@b, {MASK}"),
        ("--password=x --my-token y", f"--password={MASK} --my-token y"),
        ("Key (email)=(ana souza", f"Key (email)=({MASK}"),
    ],
)
def test_parts_of_a_text_are_masked_where_they_begin_and_end(text: str, masked: str) -> None:
    assert masked_text(text) == masked


@given(st.integers(0, 2**63 - 1), st.datetimes())
def test_ids_times_and_numbers_stay(number: int, at: datetime) -> None:
    ids = [new_id(), new_id().replace("-", ""), "a" * 64, str(at), f"order_placed/3/{number % 10**9}"]
    line = {"message": f"{' '.join(ids)}", "ms": number % 10**13, "ratio": 0.5, "done": True, "none": None}

    assert masked_fields(line) == line


@pytest.mark.parametrize("field", ["order_id", "correlation_id", "causation_id", "event_id", "trace_id"])
@given(secret=SECRETS)
def test_personal_data_in_place_of_an_id_is_masked(field: str, secret: str) -> None:
    assert secret not in masked_fields({field: secret})[field]


@pytest.mark.parametrize("field", ["order_id", "correlation_id"])
@pytest.mark.parametrize(
    "value",
    [
        "0197f2c4-9b11-7e0e-8d0a-0f8a1c52d6b4",
        "e481f51cbdc54678b7cc49136f2d6af7",  # Olist's
        "41111111111111111111111111111111",
        "536365",
        "C536365",
        "#1001",
        "SO 1001/2",
        "WC-2026-0001",
        "order_at_2026-11-24 03:04:05",
    ],
)
def test_an_order_of_any_shop_is_found_by_its_id(field: str, value: str) -> None:
    assert masked_fields({field: value}) == {field: value}


LOGGING = """
import logging, threading, warnings
import structlog
from common.telemetry import configure_logging

configure_logging("test")
log = structlog.get_logger()
log.info("in the main thread", email="ana@example.com", count=2**70)
logging.getLogger("uvicorn.error").error("of %s", "a library")
warnings.warn("deprecated")
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
raise ValueError("for ana@example.com")
"""


def test_every_line_of_a_process_is_json_with_its_ids_and_masked() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOGGING], cwd=ROOT, capture_output=True, text=True, check=False
    )
    lines = [orjson.loads(line) for line in done.stderr.replace(str(2**70), "0").splitlines()]

    assert all(line.startswith('{"timestamp":') for line in done.stderr.splitlines())  # for `./souk logs`
    assert [line["event"].split(":")[0] for line in lines if "deprecated" not in line["event"]] == [
        "in the main thread", "of a library", "uncaught exception", "uncaught exception",
    ]  # fmt: skip
    assert len({line["correlation_id"] for line in lines}) == len({line["trace_id"] for line in lines}) == 1
    assert all(line["process"] == "test" and line["pid"] and line["timestamp"] for line in lines)
    assert "ZeroDivisionError" in lines[-2]["exception"]
    assert "ana@example.com" not in done.stderr
