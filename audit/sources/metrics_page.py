"""Reads the figures on a seller's page of metrics, as a person sees them."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

from babel import Locale
from babel.numbers import get_decimal_symbol, get_group_symbol

from audit.reference.arithmetic import Value
from common.money import minor_units

IN_HOURS = {"s": Fraction(1, 3600), "min": Fraction(1, 60), "h": Fraction(1), "d": Fraction(24)}
"""The unit of a duration's text → hours."""

NOTHING = "–"
"""The text of a missing value."""


@dataclass
class MetricsPage:
    """The language of a page, the period that it shows, and the text of each metric's value in it."""

    locale: str = ""
    period: tuple[datetime, datetime] | None = None
    texts: dict[str, str] = field(default_factory=dict)


def read_page(html: str) -> MetricsPage:
    """Return what a page shows. The period is that of its link to the file."""
    parser = _Parser()
    parser.feed(html)
    return parser.page


def shows(text: str, value: Value, unit: str, locale: str, currency: str) -> bool:
    """Return whether a text is a value, rounded to the decimals of the text.

    The text of money is in units of the currency, that of a share in per cent, and one of hours in seconds,
    minutes, hours or days.
    """
    if value is None or text == NOTHING:
        return value is None and text == NOTHING
    shown, step = _number(text, locale)
    scale: Decimal | Fraction = Decimal(1)
    if unit == "money":
        scale = Decimal(minor_units(currency))
    elif unit == "share":
        scale = Decimal("0.01")
    elif unit == "hours":
        scale = Fraction(IN_HOURS[text.split()[-1]])
    return (
        abs(Fraction(shown) * Fraction(scale) - Fraction(str(value))) <= Fraction(step) * Fraction(scale) / 2
    )


def _number(text: str, locale: str) -> tuple[Decimal, Decimal]:
    """Return the number in a text, and the step between two numbers with as many decimals."""
    parsed = Locale.parse(locale, sep="-")
    decimal, group = get_decimal_symbol(parsed), get_group_symbol(parsed)
    digits = "".join(
        each for each in text.replace(group, "").replace(decimal, ".") if each.isdigit() or each == "."
    ).strip(".")
    sign = -1 if any(minus in text for minus in "-−") else 1
    _, _, decimals = digits.partition(".")
    return sign * Decimal(digits), Decimal(1).scaleb(-len(decimals))


class _Parser(HTMLParser):
    """Finds the rows of the table of all metrics: a link that names a metric, then its value."""

    def __init__(self) -> None:
        super().__init__()
        self.page = MetricsPage()
        self._is_row_heading = False
        self._metric = ""
        self._value: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.page.locale = given["lang"]
        elif tag == "tr":
            self._metric = ""
        elif tag == "th":
            self._is_row_heading = given.get("scope") == "row"
        elif tag == "a":
            link = urlsplit(given.get("href", ""))
            query = parse_qs(link.query)
            if self._is_row_heading and "metric" in query:
                self._metric = query["metric"][0]
            if link.path.endswith("/export.csv"):
                first, last = (datetime.fromisoformat(query[name][0]) for name in ("from", "to"))
                self.page.period = first, last
        elif tag == "td" and self._metric and self._metric not in self.page.texts:
            self._value = []

    def handle_endtag(self, tag: str) -> None:
        if tag == "th":
            self._is_row_heading = False
        elif tag == "td" and self._value is not None:
            self.page.texts[self._metric] = " ".join("".join(self._value).split())
            self._value = None

    def handle_data(self, data: str) -> None:
        if self._value is not None:
            self._value.append(data)
