"""`./souk import DIR`: turns the tables of any shop into events, as a mapping says."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.sending import Sending, require_writable
from common.errors import UserError
from common.settings import Settings
from producers.importer import journal, run
from producers.importer.mapped.data_set import MappedDataSet
from producers.importer.mapped.guess.proposal import propose

_LINES_ON_USE = 4
"""A proposal's first lines say how to use it; then comes what was checked and what is missing."""


def command(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the tables.")],
    mapping: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Which column means what (docs/import.md).")
    ] = None,
    guess: Annotated[
        bool, typer.Option("--guess", help="Propose a mapping; print it, or write it to --mapping.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read everything, send nothing.")] = False,
    rejected: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write the rows that are not used."),
    ] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Send everything again from the start.")] = False,
    json_report: Annotated[
        Path | None, typer.Option(help="Also write the report to this file, as JSON.")
    ] = None,
    up: Annotated[bool, typer.Option("--up/--no-up", help="Start the platform first.")] = True,
) -> None:
    """Turn the tables of your own shop into events and send them in the order of their times.

    `--guess` proposes a mapping, `--dry-run` shows what it makes of every row. An interrupted import resumes.
    Importing the same data twice changes no figure.
    """
    settings = Settings.load()
    if guess:
        _guess(directory, mapping, settings)
        return
    if mapping is None:
        raise UserError("name the mapping with --mapping FILE: `./souk import --guess DIR` proposes one")
    console = Console()
    require_writable(json_report)
    data_set = MappedDataSet.load(mapping)
    data_set.rejected = rejected or journal.directory_of(settings.home) / f"{data_set.NAME}-rejected.csv"
    sending = Sending(settings, console, restart=restart, json_report=json_report, up=up)
    plan = run.ReplayOptions(data_set, directory)
    if dry_run:
        data_set.locale = settings.shop_locale
        sending.dry_run(plan)
    _check_currency(data_set, settings, console, dry_run)
    if not dry_run:
        settings = sending.send(plan)
    console.print(f"rejected rows: {data_set.rejected}", soft_wrap=True, highlight=False)
    if not dry_run:
        console.print(f"page:   {settings.serving}/", soft_wrap=True, highlight=False)


def _check_currency(data_set: MappedDataSet, settings: Settings, console: Console, dry_run: bool) -> None:
    """Refuse amounts in another currency than the shop's, whose pages would not show them."""
    if settings.shop_currency == data_set.CURRENCY:
        return
    message = (
        f"the mapping's currency is {data_set.CURRENCY}, the shop's is {settings.shop_currency}: set "
        f"SOUK_SHOP_CURRENCY={data_set.CURRENCY} before `./souk up`, or shop_currency in souk.toml"
    )
    if not dry_run:
        raise UserError(message)
    console.print(f"before the import: {message}", style="yellow", highlight=False)


def _guess(directory: Path, mapping: Path | None, settings: Settings) -> None:
    text = propose(directory, settings.shop_currency, settings.shop_locale)
    if mapping is None:
        print(text, end="")
        return
    try:
        with mapping.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise UserError(f"{mapping} exists already: give another name, or delete it") from error
    except OSError as error:
        raise UserError(f"{mapping} can't be written ({error.strerror})") from error
    console = Console()
    for line in text.split("\nname:", 1)[0].splitlines()[_LINES_ON_USE:]:
        console.print(line.removeprefix("#").removeprefix(" "), soft_wrap=True, highlight=False, markup=False)
    console.print(f"mapping: {mapping}. Read its comments, then try `--dry-run`.", highlight=False)
