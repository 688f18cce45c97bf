"""`python -m producers.simulator backfill|live`: a marketplace's past at once, then its present."""

import signal
import sys
from dataclasses import replace
from typing import Annotated, Any

import typer
from rich.console import Console

from common.clock import system_clock, to_millis
from common.command_line import exit_code
from common.errors import UserError
from common.kafka import cluster_id
from common.settings import Settings
from common.telemetry import configure_logging
from producers.simulator import kept as keeping
from producers.simulator.backfill import back_fill
from producers.simulator.history.plan import Plan
from producers.simulator.kept import Kept
from producers.simulator.world.shape import Shape
from schemas.setup import register

app = typer.Typer(
    help="A seeded marketplace: the weeks before now, then live traffic.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Seed = Annotated[int | None, typer.Option(help="Another seed is another marketplace.", show_default="1")]
Weeks = Annotated[int | None, typer.Option(help="How much past there is.", show_default="4")]
Events = Annotated[int | None, typer.Option(help="About how many events of it.", show_default="600,000")]
Sellers = Annotated[int | None, typer.Option(help="How many sellers.", show_default="200")]
Products = Annotated[int | None, typer.Option(help="How many products.", show_default="5,000")]
Shoppers = Annotated[int | None, typer.Option(help="How many shoppers.", show_default="20,000")]
Rate = Annotated[float, typer.Option(help="Events a second.")]


@app.command()
def backfill(
    seed: Seed = None,
    weeks: Weeks = None,
    events: Events = None,
    sellers: Sellers = None,
    products: Products = None,
    shoppers: Shoppers = None,
) -> None:
    """Send the weeks before now to Kafka. It resumes, and sending twice changes no figure."""
    console, settings = Console(), Settings.load()
    asked = _asked(seed, weeks, events, sellers, products, shoppers)
    with keeping.only_one(settings.home, "a simulator of this copy"):
        kept = _begun(settings, asked)
        if not kept.weeks:
            raise UserError(
                "this world is live without a past: go on with `live`, or set SOUK_HOME to another directory"
            )
        schema_ids = register(settings).schema_ids
        cluster = cluster_id(settings.kafka)
        known = kept.progress is not None and kept.progress.cluster == cluster
        progress = kept.progress if known and kept.progress else keeping.Progress(cluster)
        keeping.write(settings.home, kept.advanced(progress))
        if progress.finished_at is None:
            progress = back_fill(kept, progress, settings, schema_ids, console)
        said = f"{progress.sent:,} events are in Kafka since {progress.finished_at}"
        console.print(f"{said}; the truth: {keeping.directory_of(settings.home) / 'truth'}", soft_wrap=True)


@app.command()
def live(
    rate: Rate = 200,
    seed: Seed = None,
    weeks: Weeks = None,
    events: Events = None,
    sellers: Sellers = None,
    products: Products = None,
    shoppers: Shoppers = None,
) -> None:
    """Let shoppers come through the API until told to stop."""
    from producers.simulator.live.run import go_live

    if not 0 < rate <= 20_000:
        raise UserError(f"--rate {rate:g}: give events a second, above 0 and up to 20,000")
    settings = Settings.load()
    asked = _asked(seed, weeks, events, sellers, products, shoppers)
    with keeping.only_one(settings.home, "a simulator of this copy"):
        go_live(_begun(settings, asked, without_past=True), settings, rate)


def _asked(
    seed: int | None,
    weeks: int | None,
    events: int | None,
    sellers: int | None,
    products: int | None,
    shoppers: int | None,
) -> dict[str, Any]:
    return {
        "seed": seed, "weeks": weeks, "events": events,
        "sellers": sellers, "products": products, "shoppers": shoppers,
    }  # fmt: skip


def _begun(settings: Settings, asked: dict[str, Any], without_past: bool = False) -> Kept:
    """The world of this home; where there is none one as asked, with a history that ends now."""
    kept = keeping.read(settings.home)
    if kept is not None:
        keeping.require_same(
            kept, asked | {"currency": settings.shop_currency, "timezone": settings.shop_timezone}
        )
        return kept
    given = {name: value for name, value in asked.items() if value is not None}
    length = {name: given.pop(name) for name in ("weeks", "events") if name in given}
    shape = Shape(currency=settings.shop_currency, timezone=settings.shop_timezone, **given)
    plan = Plan(shape, to_millis(system_clock()), **length)
    kept = Kept(shape, plan.end_ms, plan.weeks, plan.events)
    return replace(kept, weeks=0, events=0) if without_past else kept


def main() -> int:
    """Run the command in `sys.argv`. Exit code 0 done, 1 failed, 2 a user's mistake, 130 interrupted."""
    configure_logging("simulator")
    for stop in (signal.SIGINT, signal.SIGTERM):  # a shell's background job would ignore the first
        signal.signal(stop, signal.default_int_handler)
    return exit_code(lambda: app(prog_name="python -m producers.simulator", standalone_mode=False))


if __name__ == "__main__":
    sys.exit(main())
