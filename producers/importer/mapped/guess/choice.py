"""Chooses a column for each field that is no amount: names are evidence, values decide."""

from collections.abc import Callable
from dataclasses import dataclass, field

from babel.numbers import list_currencies

from producers.importer.mapped.column_roles import plain, role_of
from producers.importer.mapped.countries import known_countries
from producers.importer.mapped.guess.joins import ProposedJoin, columns_of
from producers.importer.mapped.guess.known import KnownExport, find_columns
from producers.importer.mapped.guess.profile import ColumnProfile, FileProfile
from producers.importer.mapped.guess.vocabulary import (
    DATES_OF_OTHERS,
    FIELD_WORDS,
    KNOWN,
    LIKELY,
    name_score,
    payment_method,
    status_meaning,
)

_BY_NAME = "by its name"
_ALMOST = 0.97
"""The share of rows for which a rule must hold."""


@dataclass(frozen=True)
class Choice:
    """The columns of a field, why they were chosen, and the other candidates, the best first.

    Of several columns the first with a value counts, but those of the time are joined.
    """

    columns: list[ColumnProfile]
    why: str
    others: list[ColumnProfile] = field(default_factory=list)

    @property
    def column(self) -> ColumnProfile:
        """The first column."""
        return self.columns[0]


@dataclass(frozen=True)
class _Chooser:
    """Chooses columns one field after another: later rules look at the values of earlier choices."""

    columns: list[ColumnProfile]
    lines: FileProfile
    known: KnownExport | None
    chosen: dict[str, Choice] = field(default_factory=dict)

    def choose(
        self,
        name: str,
        fits: Callable[[ColumnProfile], bool],
        bonus: Callable[[ColumnProfile], float] = lambda _: 0,
    ) -> None:
        """Choose the column with the best name, and bonus, among those whose values fit."""
        if self.from_known(name):
            return
        fitting = [c for c in self.free(name) if name_score(name, c.name) and fits(c)]
        fitting.sort(key=lambda c: name_score(name, c.name) + bonus(c), reverse=True)
        if fitting:
            self.chosen[name] = Choice(fitting[:1], _BY_NAME, fitting[1:5])

    def choose_by_values(
        self,
        name: str,
        fits: Callable[[ColumnProfile], bool],
        rank: Callable[[ColumnProfile], float],
        why: str,
    ) -> None:
        """Choose the free column whose values fit and that ranks highest, if no name fits."""
        if name in self.chosen or (self.known and name in self.known.columns):
            return
        # A column whose name is that of another field is not taken for this one.
        others = FIELD_WORDS.keys() - {name}
        fitting = [
            c for c in self.free(name) if fits(c) and not any(name_score(each, c.name) for each in others)
        ]
        fitting.sort(key=rank, reverse=True)
        if fitting:
            self.chosen[name] = Choice(fitting[:1], f"{why}; no column has a known name", fitting[1:5])

    def column(self, name: str) -> ColumnProfile | None:
        """Return the column of an earlier choice."""
        return self.chosen[name].column if name in self.chosen else None

    def free(self, name: str) -> list[ColumnProfile]:
        """Return the columns with values that no other field reads. A product may be known by its name."""

        def is_free(column: ColumnProfile) -> bool:
            taken = {each for each, choice in self.chosen.items() if column in choice.columns}
            return not taken or taken | {name} <= {"product", "product_name", "category"}

        return [column for column in self.columns if column.given and is_free(column)]

    def from_known(self, name: str) -> bool:
        """Choose what the known export says, if the file is one; return whether it says something."""
        if self.known is None or name not in self.known.columns:
            return False
        columns = find_columns(self.known.columns[name], self.columns)
        given = [column for column in columns if column.given]
        if given or columns:
            self.chosen[name] = Choice(given or columns[:1], f"as in {self.known.export}")
        return True


def choose(lines: FileProfile, joins: list[ProposedJoin], known: KnownExport | None) -> dict[str, Choice]:
    """Return field → choice, for the fields that have a column and are no amounts."""
    chooser = _Chooser(columns_of(lines, joins), lines, known)
    _choose_time(chooser)
    _choose_order(chooser)
    _choose_goods(chooser)
    _choose_people(chooser)
    _choose_ends(chooser)
    return chooser.chosen


def _choose_time(chooser: _Chooser) -> None:
    times = [column for column in chooser.columns if column.given and _is_time(column)]
    chooser.choose(
        "time",
        _is_time,
        lambda c: (
            20 * DATES_OF_OTHERS.isdisjoint(plain(c.name).split())
            - 100 * c.missing_share * (c.file is chooser.lines)
        ),
    )
    # The order's time is before those of its payment and its parcels.
    chooser.choose_by_values(
        "time", _is_time, lambda c: -_mean_time(c, times), "its values are times, the earliest"
    )
    if (time := chooser.column("time")) and len(chooser.chosen["time"].columns) == 1:
        clock = [
            c for c in chooser.columns if c is not time and c.file is time.file and c.times_of_day > 0.95
        ]
        if clock and time.is_date_only:
            why = f"{chooser.chosen['time'].why}, with the time of day"
            chooser.chosen["time"] = Choice([time, clock[0]], why)
    chooser.choose("cancelled_at", _is_time)


def _choose_order(chooser: _Chooser) -> None:
    time = chooser.column("time")
    clock = chooser.chosen["time"].columns[-1] if time else None

    def is_order(column: ColumnProfile) -> bool:
        """Whether all rows with one value have one time, as the lines of an order have."""
        is_one_value = column.distinct < 2 and len(column.given) > 1
        if column is time or not _is_id(column) or is_one_value or column.missing_share > 0.5:
            return False
        return clock is None or clock.missing_share > 0.9 or column.determines(clock) >= _ALMOST

    chooser.choose("order", is_order, lambda c: -30 * (c.runs < 0.05) - 30 * c.missing_share)
    if "order" not in chooser.chosen and time is not None:
        chooser.choose_by_values(
            "order",
            lambda c: is_order(c) and not c.is_unique and c.runs > 0.1 and c.distinct > 0.02 * len(c.texts),
            lambda c: -c.distinct,
            "its values repeat in rows that follow each other, and each has one time",
        )
    # Rows with one moment that follow each other are lines of one order: then the value is that of a line.
    is_row_an_order = clock is None or clock.is_date_only or clock.runs < 0.05
    if "order" not in chooser.chosen and is_row_an_order:
        chooser.choose_by_values(
            "order",
            lambda c: is_order(c) and c.file is chooser.lines and c.is_unique and _is_number_of_something(c),
            lambda c: -chooser.columns.index(c),
            "each row has another value, and no column's values repeat as those of orders with several lines",
        )
    if "order" not in chooser.chosen:
        chooser.choose_by_values(
            "order",
            lambda c: _is_id(c) and c.runs > 0.2 and max(1, 0.2 * len(c.texts)) < c.distinct,
            lambda c: c.runs,
            "its values repeat in rows that follow each other, although their times differ: check it",
        )


def _choose_goods(chooser: _Chooser) -> None:
    order = chooser.column("order")

    def is_product(column: ColumnProfile) -> bool:
        is_of_order = order is not None and order.runs > 0.05 and order.determines(column) > 0.999
        is_named = name_score("product", column.name) > KNOWN
        is_likely = is_named or (not is_of_order and (column.distinct > 1 or len(column.given) < 20))
        return _is_id(column) and column.missing_share < 0.95 and is_likely and not _is_flag(column)

    chooser.choose("line", lambda c: c.number_share > 0.9 and c is not order and role_of(c.name) is None)
    chooser.choose("product", is_product, lambda c: -30 * c.missing_share)
    product = chooser.column("product")

    def is_name(column: ColumnProfile) -> bool:
        if column.number_share > 0.5 or _is_flag(column) or role_of(column.name):
            return False
        if product is None or column is product:
            return is_product(column)
        return product.determines(column) > 0.8 and column.distinct >= 0.2 * product.distinct

    chooser.choose("product_name", is_name, lambda c: -20 * (c is product))
    if "product" not in chooser.chosen and "product_name" not in chooser.chosen:
        chooser.choose_by_values(
            "product",
            lambda c: (
                is_product(c) and 1 < c.distinct < 0.8 * len(c.given) and c.number_share < 1 and c.runs < 0.2
            ),
            lambda c: c.distinct,
            "its values repeat all over the file",
        )
    chooser.choose(
        "category",
        lambda c: not (c.file is chooser.lines and c.is_unique) and c.number_share < 0.5 and not _is_time(c),
    )


def _choose_people(chooser: _Chooser) -> None:
    order = chooser.column("order")
    orders = order.distinct if order else len(chooser.lines.columns[0].texts)

    def is_shopper(column: ColumnProfile) -> bool:
        is_of_order = order is None or order.determines(column) >= 0.9
        if _is_time(column) or role_of(column.name) or _is_flag(column) or not is_of_order:
            return False
        # "User" may also be who sat at the till, and "customer" a kind of customer.
        is_named = name_score("shopper", column.name) > KNOWN and not _is_bare(column.name)
        return column.distinct > (0 if is_named else min(0.1 * orders, 50))

    chooser.choose("shopper", is_shopper, lambda c: -50 * c.missing_share)
    chooser.choose_by_values("shopper", lambda c: c.email_share > 0.9, lambda c: -c.missing_share,
                             "its values are e-mail addresses")  # fmt: skip
    chooser.choose("country", lambda c: c.share(lambda text: text.casefold() in known_countries()) > 0.5)

    def is_seller(column: ColumnProfile) -> bool:
        is_named = name_score("seller", column.name) > KNOWN
        repeats = not (column.file is chooser.lines and column.is_unique)
        repeats = repeats and (is_named or column.distinct < 0.5 * orders)
        return _is_id(column) and repeats and column.missing_share < 0.5 and role_of(column.name) is None

    chooser.choose("seller", is_seller)


def _choose_ends(chooser: _Chooser) -> None:
    codes = set(list_currencies())

    def is_currency(column: ColumnProfile) -> bool:
        return column.share(lambda text: text.upper() in codes) == 1

    chooser.choose("currency", is_currency)
    chooser.choose_by_values("currency", lambda c: is_currency(c) and c.distinct <= 5,
        lambda c: -c.missing_share,
                             "its values are codes of currencies")  # fmt: skip

    def is_payment(column: ColumnProfile) -> bool:
        is_named = name_score("payment", column.name) > KNOWN
        known = column.share(lambda text: payment_method(text) is not None)
        return (
            column.distinct < 100
            and column.distinct <= max(5, 0.5 * len(column.given))
            and known >= (0.3 - 0.3 * is_named)
        )

    chooser.choose("payment", is_payment)

    def ends(column: ColumnProfile) -> int:
        """How many rows the column says to be cancelled, unpaid or returned."""
        return sum(status_meaning(text) is not None for text in column.given)

    def is_status(column: ColumnProfile) -> bool:
        if column.distinct > 60 or (column.number_share > 0.9 and not _is_flag(column)) or _is_time(column):
            return False
        if name_score("status", column.name) > KNOWN:
            return True
        is_named = FIELD_WORDS["status"] & set(plain(column.name).split())
        short = column.distinct <= 12 and column.share(lambda text: len(text) < 40) == 1
        return ends(column) > 0 and bool(is_named or short)

    if not chooser.from_known("status"):
        # The most telling one: of an order's and a payment's state, one may say more than the other.
        free = [column for column in chooser.free("status") if is_status(column)]
        most = max(map(ends, free), default=0)
        free.sort(key=lambda c: name_score("status", c.name) / 4 + 60 * ends(c) / max(most, 1), reverse=True)
        if free:
            is_named = name_score("status", free[0].name)
            why = _BY_NAME if is_named else "because its values are states of orders"
            chooser.chosen["status"] = Choice(free[:1], why, free[1:5])


def _is_time(column: ColumnProfile) -> bool:
    return bool(column.time_formats) and (
        column.number_share < 0.9 or name_score("time", column.name) > LIKELY
    )


def _mean_time(column: ColumnProfile, times: list[ColumnProfile]) -> float:
    """Return how many of the other columns of times are earlier, or lack fewer rows."""
    earlier = sum(other.median_time < column.median_time for other in times)
    return earlier + 10 * column.missing_share


def _is_id(column: ColumnProfile) -> bool:
    """Whether the values may identify something: they are neither amounts nor times nor addresses."""
    is_decimal = column.number_share > 0.9 and not column.is_integer
    return bool(column.given) and column.email_share < 0.5 and not is_decimal and not _is_time(column)


def _is_number_of_something(column: ColumnProfile) -> bool:
    """Whether the values look like numbers of receipts: short, one word, with digits."""
    return (
        column.share(lambda text: len(text) <= 40 and " " not in text and any(map(str.isdigit, text))) > 0.9
    )


def _is_bare(name: str) -> bool:
    """Whether a column's name only says that it is about a shopper, not that it identifies one."""
    words = plain(name).split()
    return len(words) == 1 and words[0] in FIELD_WORDS["shopper"] - {"email", "mail", "correo"}


def _is_flag(column: ColumnProfile) -> bool:
    """Whether the values only say yes or no."""
    words = {
        "yes",
        "no",
        "true",
        "false",
        "sim",
        "nao",
        "não",
        "si",
        "sí",
        "ja",
        "nein",
        "oui",
        "non",
        "y",
        "n",
    }
    return bool(column.given) and {text.casefold() for text in column.given} <= words
