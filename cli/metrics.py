"""`./souk metrics list`, `rebuild`, `switch`, `back`, `discard`: versions of metrics and of Flink jobs."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.table import Column

from cli import job_versions
from clickhouse.metrics.definition import MetricDefinition, read_definitions, rollups_over
from clickhouse.metrics.versions import MetricState, MetricVersions
from clickhouse.migrate import exclusive_client
from common.errors import PartUnavailable, UserError
from common.job_versions import VERSIONED_JOBS
from common.settings import Settings
from local.table import console, print_json, print_table

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="A metric or a job, as `./souk metrics list` names it.")]
Version = Annotated[
    str, typer.Option("--version", help="A version that was built.", show_default="that of this checkout")
]


@app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show the live version of each metric and job, the one before it, and what this checkout defines."""
    settings = Settings.load()
    with _versions(settings) as versions:
        found: dict[str, dict[str, Any]] = {
            name: _as_plain(definition, versions.state(name))
            for name, definition in read_definitions().items()
        }
    try:
        found |= {job: job_versions.as_plain(job, settings) for job in VERSIONED_JOBS}
    except PartUnavailable as error:
        print(f"the versions of jobs are not shown: {error}", file=sys.stderr)
    if as_json:
        print_json(found)
        return
    rows = []
    for name, each in found.items():
        checkout = "the same" if each["live"] == each["defined"] else each["defined"]
        before, new = ", ".join(each["before"]), ", ".join(each["never_live"])
        if (behind := each.get("messages_behind")) and new:
            new += f" ({behind:,} messages behind)"
        rows.append((name, each["live"] or "none", before, new, checkout))
    titles = ("metric or job", "live", "before it", "built, never live", "this checkout")
    print_table([Column(title, no_wrap=True) for title in titles], rows)
    for name, each in found.items():
        if problem := each.get("problem"):
            console().print(f"[yellow]{name}[/]: version {each['never_live'][0]} waits: {problem}")


@app.command()
def rebuild(name: Name) -> None:
    """Fill this checkout's version of a metric from the facts, beside the live one, and compare the two.

    The roll-ups that add up this metric follow. A job runs beside the live one until it has read all events.
    Readers keep the live versions. An interrupted run continues where it stopped.
    """
    settings = Settings.load()
    if name in VERSIONED_JOBS:
        _print_next_step(name, is_live=not job_versions.rebuild(name, settings))
        return
    definitions = read_definitions()
    definition = _definition(name, definitions)
    with _versions(settings) as versions:
        for each in (definition, *rollups_over(name, definitions)):
            versions.rebuild(each)
            _print_difference(versions, each)
        live = versions.state(name).live
    _print_next_step(name, is_live=live == definition.version)


@app.command()
def switch(name: Name, version: Version = "") -> None:
    """Show a version to readers, in one step. The one before it stays, for `back`.

    The roll-ups that add up this metric are switched, too.
    """
    settings = Settings.load()
    if name in VERSIONED_JOBS:
        print(f"job {name}: version {job_versions.switch(name, version, settings)} is live")
        return
    chosen = version or _definition(name, read_definitions()).version
    with _versions(settings) as versions:
        versions.switch(name, chosen)
    print(f"metric {name}: version {chosen} is live")


@app.command()
def back(name: Name) -> None:
    """Show readers the version that was live before."""
    settings = Settings.load()
    if name in VERSIONED_JOBS:
        print(f"job {name}: version {job_versions.back(name, settings)} is live again")
        return
    with _versions(settings) as versions:
        before = versions.state(name).been_live[1:2]
        if not before:
            raise UserError(f"metric {name} has no version before the live one")
        versions.switch(name, before[0])
    print(f"metric {name}: version {before[0]} is live again")


@app.command()
def discard(name: Name) -> None:
    """Stop and delete the version of a job that is built and not shown to readers yet."""
    if name not in VERSIONED_JOBS:
        raise UserError(f"only versions of jobs are discarded: {', '.join(VERSIONED_JOBS)}")
    version = job_versions.discard(name, Settings.load())
    print(f"job {name}: " + (f"version {version} is discarded" if version else "no version is built"))


def _as_plain(definition: MetricDefinition, state: MetricState) -> dict[str, Any]:
    return {
        "live": state.live,
        "defined": definition.version,
        "before": list(state.been_live[1:]),
        "never_live": list(state.never_live),
    }


def _print_next_step(name: str, *, is_live: bool) -> None:
    print("it is the live one" if is_live else f"to show it to readers: ./souk metrics switch {name}")


def _print_difference(versions: MetricVersions, definition: MetricDefinition) -> None:
    print(f"metric {definition.name}: version {definition.version} is complete")
    if versions.state(definition.name).live:
        for each in versions.difference(definition.name, definition.version):
            print(f"  {each.column}: {each.live} in the live version, {each.other} in the new one")


@contextmanager
def _versions(settings: Settings) -> Iterator[MetricVersions]:
    """Yield the versions of this copy's metrics, while no other run changes them; progress is printed."""
    with exclusive_client(settings) as client:
        versions = MetricVersions(client, print)
        versions.prepare()
        yield versions


def _definition(name: str, definitions: Mapping[str, MetricDefinition]) -> MetricDefinition:
    if name not in definitions:
        raise UserError(
            f"there is no metric or job {name}: `./souk metrics list` shows all "
            f"({', '.join((*definitions, *VERSIONED_JOBS))})"
        )
    return definitions[name]
