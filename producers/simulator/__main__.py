"""`python -m producers.simulator backfill|live`: sends a marketplace's history, then its live traffic."""

import signal
import sys
from dataclasses import replace
from typing import Annotated, Any

import structlog
import typer

from common.clock import system_clock, to_millis
from common.command_line import exit_code
from common.errors import INTERRUPTED, UserError
from common.kafka import cluster_id
from common.settings import Settings
from common.telemetry import configure_logging
from producers.simulator import saved_world
from producers.simulator.backfill import send_history
from producers.simulator.history.plan import HistoryPlan
from producers.simulator.saved_world import SavedWorld
from producers.simulator.world.shape import WorldShape
from schemas.setup import register

log = structlog.get_logger()

app = typer.Typer(
    help="Simulate a marketplace from a seed: the weeks before now, then live traffic.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Seed = Annotated[
    int | None,
    typer.Option(help="Seed of the marketplace; each seed gives another marketplace.", show_default="1"),
]
Weeks = Annotated[int | None, typer.Option(help="Weeks of history.", show_default="4")]
Events = Annotated[
    int | None, typer.Option(help="Approximate number of events in the history.", show_default="600,000")
]
Sellers = Annotated[int | None, typer.Option(help="Number of sellers.", show_default="200")]
Products = Annotated[int | None, typer.Option(help="Number of products.", show_default="5,000")]
Shoppers = Annotated[int | None, typer.Option(help="Number of shoppers.", show_default="20,000")]
Rate = Annotated[float, typer.Option(help="Events per second.")]


@app.command()
def backfill(
    seed: Seed = None,
    weeks: Weeks = None,
    events: Events = None,
    sellers: Sellers = None,
    products: Products = None,
    shoppers: Shoppers = None,
) -> None:
    """Send the weeks before now to Kafka. The command can resume; sending twice changes no figure."""
    settings = Settings.load()
    options = _options(seed, weeks, events, sellers, products, shoppers)
    with saved_world.exclusive(settings.home, "a simulator of this copy"):
        saved = _load_or_create(settings, options)
        if not saved.weeks:
            raise UserError("this world has no history: run `live`, or set SOUK_HOME to another directory")
        schema_ids = register(settings).schema_ids
        cluster = cluster_id(settings.kafka)
        same_cluster = saved.progress is not None and saved.progress.cluster == cluster
        progress = (
            saved.progress if same_cluster and saved.progress else saved_world.BackfillProgress(cluster)
        )
        saved_world.write(settings.home, saved.with_progress(progress))
        if progress.finished_at is None:
            progress = send_history(saved, progress, settings, schema_ids)
        truth = saved_world.directory_of(settings.home) / "truth"
        log.info(
            "the history is in Kafka",
            events=progress.sent,
            finished_at=progress.finished_at,
            ground_truth=str(truth),
        )


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
    """Run live traffic through the API until Ctrl-C."""
    from producers.simulator.live.run import run_live

    if not 0 < rate <= 20_000:
        raise UserError(f"--rate {rate:g}: give events per second, above 0 and up to 20,000")
    settings = Settings.load()
    options = _options(seed, weeks, events, sellers, products, shoppers)
    with saved_world.exclusive(settings.home, "a simulator of this copy"):
        run_live(_load_or_create(settings, options, without_past=True), settings, rate)


def _options(
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


def _load_or_create(settings: Settings, options: dict[str, Any], without_past: bool = False) -> SavedWorld:
    """Return the saved world of this home, or a new one from `options` whose history ends now."""
    saved = saved_world.read(settings.home)
    if saved is not None:
        saved_world.require_same_options(
            saved, options | {"currency": settings.shop_currency, "timezone": settings.shop_timezone}
        )
        return saved
    given = {name: value for name, value in options.items() if value is not None}
    length = {name: given.pop(name) for name in ("weeks", "events") if name in given}
    shape = WorldShape(currency=settings.shop_currency, timezone=settings.shop_timezone, **given)
    plan = HistoryPlan(shape, to_millis(system_clock()), **length)
    saved = SavedWorld(shape, plan.end_ms, plan.weeks, plan.events)
    return replace(saved, weeks=0, events=0) if without_past else saved


def main() -> int:
    """Run the command in `sys.argv`. Exit codes: 0 done, 1 failed, 2 a user's mistake, 130 interrupted."""
    configure_logging("simulator")
    for stop in (signal.SIGINT, signal.SIGTERM):  # background jobs of a shell ignore SIGINT by default
        signal.signal(stop, signal.default_int_handler)
    return exit_code(lambda: app(prog_name="python -m producers.simulator", standalone_mode=False), _report)


def _report(code: int, text: str) -> None:
    """Log why the command has ended; the demo reads the reason in the log."""
    write = log.info if code == INTERRUPTED else log.error
    write("the simulator has ended", reason=text.removeprefix("souk: "), exit_code=code)


if __name__ == "__main__":
    sys.exit(main())
