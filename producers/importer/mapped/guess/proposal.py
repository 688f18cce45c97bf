"""Writes the proposed mapping as YAML, with a comment on each choice."""

import json
from pathlib import Path

from common.errors import UserError
from producers.importer.dataset import Check
from producers.importer.mapped.checks import check_totals
from producers.importer.mapped.column_roles import role_of
from producers.importer.mapped.data_set import MappedDataSet
from producers.importer.mapped.guess.amount_columns import AmountColumns
from producers.importer.mapped.guess.choice import Choice, choose
from producers.importer.mapped.guess.joins import ProposedJoin, columns_of, line_file, propose_joins
from producers.importer.mapped.guess.keys import (
    Draft,
    currency_of,
    identifier,
    one_line,
    quoted,
    write_ends,
    write_ids,
    write_money,
    write_people,
)
from producers.importer.mapped.guess.known import KnownExport, recognise, settlement_reason
from producers.importer.mapped.guess.money_search import MoneySearch
from producers.importer.mapped.guess.profile import ColumnProfile, FileProfile
from producers.importer.mapped.mapping import FileFormat, parse_mapping

_TABLES = (".csv", ".tsv", ".txt", ".parquet", ".pq", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_MAX_FILES = 100
_SIGNS = {True: "agrees:", False: "DIFFERS:", None: "-"}


def propose(directory: Path, currency: str = "EUR", locale: str = "en") -> str:
    """Return a mapping of the tables in a directory, as YAML; `currency` is used if nothing says which.

    It begins with what the tables' own totals say of an import with it, with amounts in the locale's form.
    Keys that a total contradicts are left out.

    Raises:
        UserError: the directory has no table that can be read, or one that is no list of order lines.
    """
    if not directory.is_dir():
        raise UserError(f"{directory} is not a directory: give the directory of the tables")
    paths = sorted(path for path in directory.iterdir() if path.suffix.lower() in _TABLES and path.is_file())
    if not paths:
        raise UserError(f"{directory} has no file that ends in {', '.join(_TABLES)}")
    if len(paths) > _MAX_FILES:
        raise UserError(f"{directory} has {len(paths):,} tables: move those of one shop to a directory")
    files, unusable = _read(paths, currency)
    lines = line_file(_without_settlements(files))
    known = recognise(lines.header)
    if known and known.refused:
        raise UserError(f"{lines.path} is {known.export}: {known.refused}")
    same = [file for file in files if file.header == lines.header]
    others = [file for file in files if file.header != lines.header]
    joins = propose_joins(lines, others)
    choices = choose(lines, joins, known)
    _require_products(lines, choices)
    draft = _draft(directory, lines, joins, known, choices, currency)
    text = _text(draft, same, others, unusable, [])
    checks = _checks(directory, text, locale)
    against = [each.text for each in checks if each.agrees is False]
    if against and not any(each.agrees for each in checks) and not draft.money.contradiction:
        draft.money.contradiction = f"an import with it contradicts the tables: {against[0]}"
    return _text(draft, same, others, unusable, checks)


def _draft(
    directory: Path,
    lines: FileProfile,
    joins: list[ProposedJoin],
    known: KnownExport | None,
    choices: dict[str, Choice],
    currency: str,
) -> Draft:
    """Return the choices, with the amounts that fit the currency."""
    columns = columns_of(lines, joins)
    prices = (
        column
        for column in columns
        if role_of(column.name) in ("price", "total") and column.number_share > 0.9
    )
    code, _, _ = currency_of(choices, next(prices, None), columns, currency)
    money = MoneySearch(AmountColumns(columns, choices, known, code)).find()
    used = {column.name for choice in choices.values() for column in choice.columns}
    # A total of another file checks the import, too.
    used |= {column.name for column in (money.price, money.quantity, *money.compared) if column}
    used |= {column.name for amount in money.amounts.values() for column in (*amount.columns, *amount.less)}
    return Draft(directory, lines, _needed_joins(joins, used), known, choices, money, code)


def _read(paths: list[Path], currency: str) -> tuple[list[FileProfile], list[str]]:
    """Return the files that may have orders, and why each other one is not used.

    Raises:
        UserError: no file is left.
    """
    files: list[FileProfile] = []
    unreadable: list[str] = []
    refused: list[str] = []
    for path in paths:
        try:
            file = FileProfile.read(path, currency)
        except UserError as error:
            unreadable.append(str(error))
            continue
        known = recognise(file.header)
        if known and known.refused and not known.details:
            refused.append(f"{path} is {known.export}: {known.refused}")
        else:
            files.append(file)
    if not files:
        raise UserError([*unreadable, *refused][0])
    return files, [*unreadable, *refused]


def _without_settlements(files: list[FileProfile]) -> list[FileProfile]:
    """Return the files that may have order lines. One with fees and net amounts only has details of orders.

    Raises:
        UserError: no file is left.
    """
    reasons = [None if recognise(file.header) else settlement_reason(file) for file in files]
    left = [file for file, reason in zip(files, reasons, strict=True) if not reason]
    if not left:
        raise UserError(f"{files[0].path} {reasons[0]}")
    return left


def _require_products(lines: FileProfile, choices: dict[str, Choice]) -> None:
    """Refuse a list of whole orders, which says nothing about what was sold.

    Raises:
        UserError: no column is a product, and each row is another order.
    """
    order = choices.get("order")
    if "product" in choices or "product_name" in choices or order is None or not order.column.is_unique:
        return
    packed = next((column for column in lines.columns if _is_packed(column)), None)
    if packed:
        raise UserError(
            f'{lines.path} has all products of an order in one cell of "{packed.name}": export it with a row '
            "for each product of an order"
        )
    raise UserError(
        f"{lines.path} has a row for each order, and no column with its products: export the order lines "
        f"(items), with "
        "a row for each product of an order"
    )


def _is_packed(column: ColumnProfile) -> bool:
    """Whether cells have several products: parts that repeat in the cell, with counts or prices."""
    is_named = any(word in column.name.casefold() for word in ("product", "item"))
    return (
        is_named
        and column.number_share <= 0.1
        and any(text.count(":") >= 3 or text.count("|") or text.count("×") > 1 for text in column.given[:200])
    )


def _checks(directory: Path, text: str, locale: str) -> list[Check]:
    """Return what the tables' totals say of an import with a mapping; nothing if it is not complete."""
    try:
        done = MappedDataSet(parse_mapping(text, "the proposal"), directory).read(directory)
        return check_totals(done.source, directory, locale)
    except UserError:
        return []


def _text(
    draft: Draft, same: list[FileProfile], others: list[FileProfile], unusable: list[str], checks: list[Check]
) -> str:
    """Return the mapping as YAML."""
    draft.out.clear()
    draft.missing.clear()
    joined = [join.file for join in draft.joins]
    _write_files(draft, same, [file for file in others if file not in joined])
    for reason in unusable:
        draft.add(f"# Not used: {reason}.")
    write_ids(draft)
    write_people(draft)
    write_money(draft)
    write_ends(draft)
    return "".join(f"{one_line(line)}\n" for line in (*_head(draft, checks), *draft.out))


def _head(draft: Draft, checks: list[Check]) -> list[str]:
    name = identifier(draft.directory.resolve().name)[:30].strip("_") or "shop"
    name = name if name[0].isalpha() else f"shop_{name}"
    lines = [f"# Proposed from the tables in {draft.directory}. Check each choice, then run:"]
    lines += ["#   ./souk import DIR --mapping FILE --dry-run", "# docs/import.md explains every key."]
    if draft.known:
        lines += ["#", f"# Recognised by its columns: {draft.known.export}."]
    if checks:
        lines += ["#", "# Checked against the tables, by an import of every row:"]
        lines += [f"#   {_SIGNS[check.agrees]} {check.text}" for check in checks]
    if draft.money.evidence:
        lines += ["#", "# The amounts:"] + [f"#   - {text}" for text in draft.money.evidence]
    elif not draft.money.contradiction:
        lines += ["#", "# NOT CHECKED: no column is a total that the amounts could be compared with."]
    if draft.missing:
        lines += ["#", "# NOT FOUND, please complete:"] + [f"#   - {what}" for what in draft.missing]
    prefix = json.dumps(f"{name}-")
    return [*lines, "", f"name: {name}", "",
            "# Begins every id in the events, so that order 1001 of two shops is not one order.",
            f"id_prefix: {prefix}", ""]  # fmt: skip


def _write_files(draft: Draft, same: list[FileProfile], unused: list[FileProfile]) -> None:
    lines = ["# Each row of these files is an order line.", "files:"]
    for file in same:
        lines += [f"  - path: {quoted(file.path.name)}", *_format(file.format, "    ")]
    draft.add(*lines)
    if draft.joins:
        lines = ["# Details of the lines: the row whose `key` equals the lines' column `on`.", "joins:"]
        for join in draft.joins:
            lines += [f"  - path: {quoted(join.file.path.name)}", f"    on: {quoted(join.on.name)}"]
            if join.key.name != join.on.name:
                lines += [f"    key: {quoted(join.key.name)}"]
            lines += _format(join.file.format, "    ")
        draft.add(*lines)
    for file in unused:
        draft.add(f"# {file.path.name} is not used: no column of it is needed, or none identifies its rows.")


def _needed_joins(joins: list[ProposedJoin], used: set[str]) -> list[ProposedJoin]:
    """Return the joins that give a used column, or the `on` of such a join."""
    needed: list[ProposedJoin] = []
    for join in reversed(joins):
        own = {column.name for column in join.file.columns} - {join.key.name}
        later = {each.on.name for each in needed if each.on.file is join.file}
        given = used - {join.on.name}
        if own & given or later:
            needed.insert(0, join)
    return needed


def _format(written: FileFormat, indent: str) -> list[str]:
    """Return the keys of a file's format that are not the default."""
    changed = written.model_dump(exclude_defaults=True)
    return [f"{indent}{key}: {quoted(str(value))}" for key, value in changed.items()]
