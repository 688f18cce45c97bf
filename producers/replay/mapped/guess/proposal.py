"""Writes the proposed mapping as YAML, with a comment on each choice."""

import json
from pathlib import Path

from common.errors import UserError
from producers.replay.mapped.guess.choice import choose
from producers.replay.mapped.guess.draft import Draft, one_line, quoted
from producers.replay.mapped.guess.ends import write_ends
from producers.replay.mapped.guess.identities import write_ids, write_people
from producers.replay.mapped.guess.joins import ProposedJoin, line_file, propose_joins
from producers.replay.mapped.guess.money import write_money
from producers.replay.mapped.guess.profile import FileProfile
from producers.replay.mapped.guess.vocabulary import normal
from producers.replay.mapped.sections import FileFormat

_TABLES = (".csv", ".tsv", ".txt", ".parquet", ".pq", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_MAX_FILES = 100


def propose(directory: Path, currency: str = "EUR") -> str:
    """Return a mapping of the tables in a directory, as YAML; `currency` is used if nothing says which.

    Raises:
        UserError: the directory has no table that can be read.
    """
    if not directory.is_dir():
        raise UserError(f"{directory} is not a directory: give the directory of the tables")
    paths = sorted(path for path in directory.iterdir() if path.suffix.lower() in _TABLES and path.is_file())
    if not paths:
        raise UserError(f"{directory} has no file that ends in {', '.join(_TABLES)}")
    if len(paths) > _MAX_FILES:
        raise UserError(f"{directory} has {len(paths):,} tables: move those of one shop to a directory")
    files, unreadable = _read(paths)
    lines = line_file(files)
    same = [file for file in files if file.header == lines.header]
    others = [file for file in files if file.header != lines.header]
    joins = propose_joins(lines, others)
    choices = choose(lines, joins)
    joins = _needed_joins(joins, {choice.column.name for choice in choices.values()})
    joined = [join.file for join in joins]
    draft = Draft(directory, currency, lines, joins, choices)
    _write_files(draft, same, [file for file in others if file not in joined])
    for reason in unreadable:
        draft.add(f"# Not used: {reason}.")
    write_ids(draft)
    write_people(draft)
    write_money(draft)
    write_ends(draft)
    return "".join(f"{one_line(line)}\n" for line in (*_head(draft), *draft.out))


def _read(paths: list[Path]) -> tuple[list[FileProfile], list[str]]:
    """Return the files that are tables, and why the others are none.

    Raises:
        UserError: no file is a table.
    """
    files, unreadable = [], []
    for path in paths:
        try:
            files.append(FileProfile.read(path))
        except UserError as error:
            unreadable.append(str(error))
    if not files:
        raise UserError(unreadable[0])
    return files, unreadable


def _head(draft: Draft) -> list[str]:
    name = normal(draft.directory.resolve().name)[:30].strip("_") or "shop"
    name = name if name[0].isalpha() else f"shop_{name}"
    lines = [f"# Proposed from the tables in {draft.directory}. Check each choice, then run:"]
    lines += ["#   ./souk import DIR --mapping FILE --dry-run", "# docs/import.md explains every key."]
    if draft.missing:
        lines += ["#", "# NOT FOUND, please complete:"] + [f"#   - {what}" for what in draft.missing]
    prefix = json.dumps(f"{name}-")
    return [*lines, "", f"name: {name}", "",
            "# Begins every id in the events, so that order 1001 of two shops is not one order.",
            f"id_prefix: {prefix}", ""]  # fmt: skip


def _write_files(draft: Draft, same: list[FileProfile], unused: list[FileProfile]) -> None:
    lines = ["# Each row of these files is an order line."]
    lines += ["files:"]
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
    changed = {
        key: value
        for key, value in written.model_dump().items()
        if value != FileFormat.model_fields[key].default
    }
    return [f"{indent}{key}: {quoted(str(value))}" for key, value in changed.items() if key != "path"]
