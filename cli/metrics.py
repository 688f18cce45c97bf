"""`./souk metrics list | rebuild | switch | back`: the versions of the metrics of ClickHouse."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated

import orjson
import typer
from rich.table import Table

from clickhouse.metrics.definition import MetricDefinition, read_definitions, rollups_over
from clickhouse.metrics.versions import MetricVersions
from clickhouse.migrate import exclusive_client
from common.errors import UserError
from common.settings import Settings
from local.table import console

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="A metric, as `./souk metrics list` names it.")]
Version = Annotated[
    str, typer.Option("--version", help="A version that was built.", show_default="that of this checkout")
]


@app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show each metric's live version, the one before it, and whether this checkout defines another."""
    defined = {name: definition.version for name, definition in read_definitions().items()}
    with _versions() as versions:
        states = {name: versions.state(name) for name in defined}
    if as_json:
        found = {
            name: {
                "live": state.live,
                "defined": defined[name],
                "before": list(state.been_live[1:]),
                "never_live": list(state.never_live),
            }
            for name, state in states.items()
        }
        print(orjson.dumps(found).decode())
        return
    table = Table(box=None, pad_edge=False)
    for column in ("metric", "live", "before it", "built, never live", "this checkout"):
        table.add_column(column, no_wrap=True)
    for name, state in states.items():
        checkout = "the same" if state.live == defined[name] else defined[name]
        before, new = ", ".join(state.been_live[1:]), ", ".join(state.never_live)
        table.add_row(name, state.live or "none", before, new, checkout)
    console().print(table)


@app.command()
def rebuild(name: Name) -> None:
    """Fill this checkout's version of a metric from the facts, beside the live one, and compare the two.

    The roll-ups that add up this metric follow. Readers keep the live versions. An interrupted run continues
    where it stopped.
    """
    definitions = read_definitions()
    definition = _definition(name, definitions)
    with _versions() as versions:
        for each in (definition, *rollups_over(name, definitions)):
            versions.rebuild(each)
            _print_difference(versions, each)
        live = versions.state(name).live
    if live == definition.version:
        print("it is the live one")
    else:
        print(f"to show it to readers: ./souk metrics switch {name}")


@app.command()
def switch(name: Name, version: Version = "") -> None:
    """Show a version to readers, in one step. The one before it stays, for `back`.

    The roll-ups that add up this metric are switched, too.
    """
    chosen = version or _definition(name, read_definitions()).version
    with _versions() as versions:
        versions.switch(name, chosen)
    print(f"metric {name}: version {chosen} is live")


@app.command()
def back(name: Name) -> None:
    """Show readers the version that was live before."""
    with _versions() as versions:
        before = versions.state(name).been_live[1:2]
        if not before:
            raise UserError(f"metric {name} has no version before the live one")
        versions.switch(name, before[0])
    print(f"metric {name}: version {before[0]} is live again")


def _print_difference(versions: MetricVersions, definition: MetricDefinition) -> None:
    print(f"metric {definition.name}: version {definition.version} is complete")
    if versions.state(definition.name).live:
        for each in versions.difference(definition.name, definition.version):
            print(f"  {each.column}: {each.live} in the live version, {each.other} in the new one")


@contextmanager
def _versions() -> Iterator[MetricVersions]:
    """Yield the versions of this copy's metrics, while no other run changes them; progress is printed."""
    with exclusive_client(Settings.load()) as client:
        versions = MetricVersions(client, print)
        versions.prepare()
        yield versions


def _definition(name: str, definitions: Mapping[str, MetricDefinition]) -> MetricDefinition:
    if name not in definitions:
        raise UserError(
            f"there is no metric {name}: `./souk metrics list` shows all ({', '.join(definitions)})"
        )
    return definitions[name]
