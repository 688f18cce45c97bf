"""Removes personal data and secrets from log lines: e-mail and postal addresses, tokens, card data, keys.

A field whose name says that it is personal or secret is masked whole. In all other texts, and in tracebacks,
those parts are masked that can be recognised: e-mail addresses, credentials in URLs, tokens, card numbers,
values behind a telling name (`password=…`), and the values that PostgreSQL quotes. Names of people and postal
addresses can't be recognised in running text: log them only in fields of their own.
"""

import re
from collections.abc import Mapping
from typing import Any

MASK = "[masked]"

_ID_FIELDS = frozenset({"correlation_id", "causation_id", "trace_id", "event_id", "order_id"})
_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""The platform's ids, and those of Olist. A field with such an id is not searched, which is most of the work
of a line. A caller chooses the id of an order in a path, and a correlation id: another text in them is
masked like any text."""

_FIXED_FIELDS = frozenset({"timestamp", "level"})
"""Fields that only the logger writes."""

_WORDS = (
    *("password", "passwd", "passphrase", "secret", "token", "authorization", "cookie", "credential"),
    *("credentials", "signature", "key", "email", "mail", "phone", "street", "address", "zip", "postcode"),
    *("ip", "card", "pan", "cvc", "cvv", "iban"),
)
_NAME = re.compile(rf"(?:^|[^a-z])(?:{'|'.join(_WORDS)})(?:[^a-z]|$)", re.IGNORECASE)
_CAMEL_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

MAX_CHARS = 128_000
"""Of a longer text, only the end is searched and returned: eight times as much as a line keeps of a text."""

_CUT_WORD = re.compile(r"\s*\S+")

_OF_ADDRESS = r"[^\s@\"'<>()\[\],;:=/%|]"
_HOST = r"(?:@|%40)[\w-]++(?:\.[\w-]++)+"
_PATTERNS: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = (
    (("@",), re.compile(r"(?<=://)[^\s/@]++@"), f"{MASK}@"),
    (("Key (",), re.compile(r"(Key \([^()]*+\)=\().*?(?=\)(?: |\.|$)|$)", re.MULTILINE), rf"\1{MASK}"),
    (
        ("earer", "EARER", "asic", "ASIC"),
        re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.I),
        rf"\1 {MASK}",
    ),
    (("eyJ",), re.compile(r"(?<![\w-])eyJ[\w-]{5,}\.[\w-]+\.[\w-]*"), MASK),
    (
        (":", "="),
        re.compile(
            r"([\"']?(?<![\w-])[\w-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|authorization"
            r"|cookie|e?-?mail|phone|street|address|postcode|card[_-]?number|iban|cvc|cvv)\b[\"']?\s*[:=]\s*)"
            r"(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|(?!\[masked\])[^\s,;&)}\]]+)",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
    (
        ("@", "%40"),
        re.compile(rf"(?<!{_OF_ADDRESS}){_OF_ADDRESS}++{_HOST}(?:{_OF_ADDRESS}*+{_HOST})*"),
        MASK,
    ),
)
"""A pattern is tried on texts that contain one of the strings before it.

A process logs texts of any form, and waits until they are masked. Look-behinds and possessive quantifiers
therefore keep the time of each pattern proportional to the length of the text.
"""

_TOKEN = re.compile(r"(?<![\w-])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])(?=[\w-]*\d)[\w-]{40,}(?![\w-])", re.ASCII)
"""Tokens of 256 bits in base64url (`common.secret_token`), API keys, and the like: letters of both cases with
digits. Digests and ids are in lower case."""

_MIN_TOKEN_CHARS = 40
_MIN_CARD_DIGITS = 14
_CARD_NUMBER = re.compile(r"(?<![\w-])[2-6](?:[ -]?\d){13,18}(?![\w-])", re.ASCII)


def masked_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a log line without personal data and secrets.

    Numbers, booleans and None stay, unless their name is that of a secret. Other objects become text.
    """
    return {
        name: value if _is_harmless(name, value) else masked_value(name, value)
        for name, value in fields.items()
    }


def masked_value(name: str, value: Any) -> Any:
    """Return the value of one field without personal data; containers are masked inside, too."""
    if value is None or isinstance(value, bool):
        return value
    if is_sensitive(name):
        return MASK
    if isinstance(value, int | float):
        return MASK if isinstance(value, int) and _is_card_number(str(value)) else value
    if isinstance(value, Mapping):
        return {masked_text(str(key)): masked_value(str(key), each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [masked_value("", each) for each in value]
    return masked_text(value if isinstance(value, str) else str(value))


def masked_text(text: str) -> str:
    """Return a text in which personal data and secrets that can be recognised are replaced.

    If the text has more than `MAX_CHARS`, its end is returned. The first word of that is masked, because it
    may be the rest of a secret.
    """
    if len(text) > MAX_CHARS:
        text = _CUT_WORD.sub(MASK, text[-MAX_CHARS:], count=1)
    for marks, pattern, replacement in _PATTERNS:
        if any(mark in text for mark in marks):
            text = pattern.sub(replacement, text)
    if len(text) >= _MIN_TOKEN_CHARS:
        text = _TOKEN.sub(MASK, text)
    if len(text) >= _MIN_CARD_DIGITS:
        text = _CARD_NUMBER.sub(lambda found: MASK if _is_card_number(found[0]) else found[0], text)
    return text


def is_sensitive(name: str) -> bool:
    """Return whether a field's name says that its value is personal or secret: `api_key`, `userEmail`."""
    return _NAME.search(_CAMEL_CASE.sub("_", name)) is not None


def _is_harmless(name: str, value: Any) -> bool:
    """Return whether a field contains nothing that a caller could have written."""
    return name in _FIXED_FIELDS or (
        name in _ID_FIELDS and isinstance(value, str) and _ID.fullmatch(value) is not None
    )


def _is_card_number(text: str) -> bool:
    """Return whether a text is a payment card's number: 14 to 19 digits with the check digit of ISO 7812."""
    digits = [int(character) for character in text if character.isdecimal()]
    if not _MIN_CARD_DIGITS <= len(digits) <= 19 or not 2 <= digits[0] <= 6:
        return False
    doubled = (digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
