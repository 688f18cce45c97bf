"""`./souk schemas check | register | list`: checks, registers or lists the event schemas."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from common.errors import PartUnavailable
from common.settings import ROOT, Settings
from common.urls import redact_password
from schemas import gate, history
from schemas.events import all_events
from schemas.history import BREAK_TRAILER, SchemaHistory
from schemas.registry import SchemaRegistry
from schemas.services import consumers_of, owner_of
from schemas.setup import register as register_all

app = typer.Typer(no_args_is_help=True)


@app.command()
def check(
    against_registry: Annotated[
        bool, typer.Option("--registry", help="Compare with the registry's versions instead of git's.")
    ] = False,
) -> None:
    """Exit with 1 if a changed schema is incompatible with a reader or writer of an earlier version."""
    earlier = _registered() if against_registry else history.read(ROOT)
    if not earlier.versions and not against_registry:
        earlier = _registered(f"{earlier.note}, so the registry's versions are used")
    current = {name: event.schema for name, event in all_events().items()}
    findings = gate.find_violations(current, earlier.versions)
    for finding in findings:
        print(finding)
    compared = sum(map(len, earlier.versions.values()))
    print(
        f"compared {len(current)} schemas with {compared} versions on {earlier.base or 'nothing'}: "
        f"{len(findings)} not FULL_TRANSITIVE" + (f" ({earlier.note})" if earlier.note else "")
    )
    if findings:
        names = ", ".join(dict.fromkeys(finding.event for finding in findings))
        print(
            "If no stored event has the old schema, end the commit message with "
            f"`{BREAK_TRAILER}: NAME` for each of {names}."
        )
        raise typer.Exit(1)


@app.command()
def register() -> None:
    """Create missing topics and register missing schemas."""
    result = register_all(Settings.load())
    print(
        f"{len(result.schema_ids)} schemas are registered; "
        f"{len(result.created)} topics created, {len(result.changed)} changed"
    )


@app.command("list")
def list_() -> None:
    """Show every event with its key, partitions, retention, owner, consumers and number of fields."""
    table = Table("event", "key", "partitions", "retention", "owner", "consumers", "fields", "meaning")
    for event in all_events().values():
        retention = event.topic.retention
        table.add_row(
            event.name,
            event.key,
            str(event.topic.partitions),
            "forever" if retention is None else f"{retention.days} days",
            owner_of(event.name),
            ", ".join(["jobs/facts", *consumers_of(event.name)]),
            str(len(event.fields)),
            event.schema["doc"],
        )
    Console().print(table)


def _registered(note: str = "") -> SchemaHistory:
    """Return the registry's versions, newest first; only a note if the registry does not answer."""
    settings = Settings.load()
    try:
        with SchemaRegistry(settings.registry) as registry:
            versions = {event.name: registry.versions(event.subject)[::-1] for event in all_events().values()}
    except PartUnavailable as error:
        return SchemaHistory(note=f"{note}; but {error}" if note else str(error))
    return SchemaHistory(versions, f"the registry at {redact_password(settings.registry)}", note)
