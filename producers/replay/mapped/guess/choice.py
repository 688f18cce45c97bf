"""Chooses a column for each field of a mapping."""

from collections.abc import Callable
from dataclasses import dataclass, field

from producers.replay.mapped.guess.joins import ProposedJoin
from producers.replay.mapped.guess.profile import ColumnProfile, FileProfile
from producers.replay.mapped.guess.vocabulary import COLUMN_NAMES, KNOWN, name_score

_SHARED = {"product_name", "category", "country", "shopper"}
"""Fields that may read a column that another field reads, too."""

_REPEATED = {"category", "seller"}
"""Fields whose values repeat in the lines."""


def _is_amount(column: ColumnProfile) -> bool:
    return column.number_share > 0.9 or not column.given


def _is_time(column: ColumnProfile) -> bool:
    return column.number_share < 0.9 and bool(column.time_formats)


_FITS: dict[str, Callable[[ColumnProfile], bool]] = {
    "order": lambda c: bool(c.given) and c.email_share < 0.5 and not _is_time(c),
    "line": lambda c: c.number_share > 0.9,
    "product": lambda c: bool(c.given) and c.missing_share < 0.95,
    "product_name": lambda c: bool(c.given) and c.number_share < 0.5,
    "category": lambda c: bool(c.given),
    "shopper": lambda c: bool(c.given),
    "country": lambda c: bool(c.given) and c.number_share < 0.1,
    "seller": lambda c: bool(c.given),
    "time": lambda c: bool(c.time_formats),
    "price": lambda c: c.number_share > 0.9,
    "line_price": lambda c: c.number_share > 0.9,
    "quantity": lambda c: c.is_integer,
    "currency": lambda c: bool(c.given) and all(len(t) == 3 and t.isupper() for t in set(c.given)),
    "discount": _is_amount,
    "shipping": _is_amount,
    "tax": _is_amount,
    "payment": lambda c: bool(c.given) and c.distinct < 100,
    "status": lambda c: bool(c.given) and c.distinct <= 40,
    "cancelled_at": lambda c: bool(c.time_formats),
}
"""What a column's values must look like, whatever its name is."""


@dataclass(frozen=True)
class Choice:
    """The column of a field, why it was chosen, and the other candidates, the best first."""

    column: ColumnProfile
    why: str
    others: list[ColumnProfile] = field(default_factory=list)


def choose(lines: FileProfile, joins: list[ProposedJoin]) -> dict[str, Choice]:
    """Return field → choice, for the fields that have a column."""
    columns = [*lines.columns]
    names = {column.name for column in columns}
    for join in joins:
        columns += [column for column in join.file.columns if column.name not in names]
        names |= {column.name for column in join.file.columns}
    scored = [
        (score - 30 * (name == "order" and column.runs < 0.05), place, name, column)
        for place, column in enumerate(columns)
        for name, score in _scores(column.name).items()
        if _FITS[name](column) and not (name in _REPEATED and column.file is lines and column.is_unique)
    ]
    scored.sort(key=lambda each: (-each[0], each[1]))
    chosen: dict[str, Choice] = {}
    taken: dict[str, str] = {}
    for score, _, name, column in scored:
        owner = taken.get(column.name)
        if name in chosen or score <= 0 or (owner and name not in _SHARED):
            continue
        if owner and not ({owner, name} <= _SHARED | {"product"}):
            continue
        chosen[name] = Choice(column, "by its name", _others(name, column, scored))
        taken.setdefault(column.name, name)
    _by_values(lines, columns, chosen, taken)
    return chosen


def _scores(column: str) -> dict[str, int]:
    """Return field → score. A name that is known for a field counts for no field that has a part of it."""
    scores = {name: score for name in COLUMN_NAMES if (score := name_score(name, column))}
    is_known = any(score > KNOWN for score in scores.values())
    return {name: score for name, score in scores.items() if score > KNOWN or not is_known}


def _others(
    name: str, chosen: ColumnProfile, scored: list[tuple[int, int, str, ColumnProfile]]
) -> list[ColumnProfile]:
    return [column for _, _, each, column in scored if each == name and column is not chosen][:4]


def _by_values(
    lines: FileProfile, columns: list[ColumnProfile], chosen: dict[str, Choice], taken: dict[str, str]
) -> None:
    """Choose columns for required fields that no name fits: of the lines, or for the time of any file."""
    free = [column for column in columns if column.name not in taken]
    price = "price" in chosen or "line_price" in chosen
    rules: list[tuple[str, bool, Callable[[ColumnProfile], bool], str]] = [
        ("time", "time" not in chosen, lambda c: bool(c.time_formats), "its values are times"),
        ("price", not price,
         lambda c: c.number_share > 0.95 and not c.is_integer and min(c.numbers, default=-1) >= 0,
         "its values are decimal numbers"),
        ("quantity", "quantity" not in chosen,
         lambda c: c.is_integer and c.distinct > 1 and _median(c.numbers) in range(1, 100),
         "its values are small whole numbers"),
        ("order", "order" not in chosen, lambda c: c.runs > 0.2 and c.distinct > 0.02 * len(c.texts),
         "its values repeat in rows that follow each other"),
        ("product", "product" not in chosen,
         lambda c: 1 < c.distinct < 0.7 * len(c.given) and c.number_share < 1 and c.runs < 0.2,
         "its values repeat all over the file"),
    ]  # fmt: skip
    for name, is_lacking, fits, why in rules:
        own = [column for column in free if column.file is lines or name == "time"]
        fitting = [column for column in own if column.given and fits(column)] if is_lacking else []
        if fitting:
            chosen[name] = Choice(fitting[0], f"{why}; no column has a known name", fitting[1:5])
            free.remove(fitting[0])


def _median(numbers: list[float]) -> int:
    return int(sorted(numbers)[len(numbers) // 2]) if numbers else 0
