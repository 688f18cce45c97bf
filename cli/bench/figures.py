"""Benchmarks of sellers' figures."""

from typing import Annotated

import typer
from rich.console import Console

from bench.figures import lag as bench_lag
from bench.figures import periods as bench_periods
from bench.figures import seller_freshness as bench_freshness
from cli.bench.output import AsJson, output
from cli.bench.ports import FRESHNESS_PORT_OFFSET, PERIODS_PORT_OFFSET
from common.errors import INTERRUPTED
from common.settings import Settings
from common.telemetry import configure_logging

app = typer.Typer()


@app.command()
def lag(
    minutes: Annotated[float, typer.Option(min=0.1, help="Minutes to measure.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Measure how far sellers' figures are behind the clock beside a running ./souk demo.

    Also measures how soon they include an order. The orders that it places stay in the shop. Ctrl-C stops the
    run and shows the figures up to then.
    """
    configure_logging("bench")
    console = Console(stderr=as_json)
    result = bench_lag.run(Settings.load(), minutes, console)
    output(result, bench_lag.show, console, as_json)
    if result.stopped:
        raise typer.Exit(INTERRUPTED)


@app.command()
def freshness(
    rate: Annotated[int, typer.Option(min=1, help="Events a second.")] = 200,
    minutes: Annotated[float, typer.Option(min=0.1, help="Minutes to measure.")] = 5,
    weeks: Annotated[int, typer.Option(min=1, help="Weeks of history to generate first.")] = 1,
    shoppers: Annotated[int, typer.Option(min=100, help="Number of shoppers.")] = 5_000,
    port_offset: Annotated[
        int, typer.Option(help="Offset of the temporary platform's ports.")
    ] = FRESHNESS_PORT_OFFSET,
    as_json: AsJson = False,
) -> None:
    """Measure how soon a seller's figures and page show an order, while a marketplace is live.

    Starts a temporary platform with simulated shoppers and stops it at the end. Use the machine for nothing
    else meanwhile.
    """
    configure_logging("bench")
    console = Console(stderr=as_json)
    plan = bench_freshness.SellerFreshnessPlan(rate, minutes, weeks, shoppers)
    result = bench_freshness.run(Settings.load(), plan, port_offset, console)
    output(result, bench_lag.show, console, as_json)
    if result.stopped:
        raise typer.Exit(INTERRUPTED)


@app.command()
def periods(
    lines: Annotated[
        int, typer.Option(min=1_000, help="Order lines of a year, two for each order.")
    ] = 10_000_000,
    port_offset: Annotated[
        int, typer.Option(help="Offset of the temporary ClickHouse's port.")
    ] = PERIODS_PORT_OFFSET,
    as_json: AsJson = False,
) -> None:
    """Measure the build of metrics over a year of orders, and the API's answers about long periods.

    Starts a temporary ClickHouse and stops it at the end. Use the machine for nothing else meanwhile.
    The exit code is 1 if the sums of facts, lines, hours and days differ.
    """
    configure_logging("bench")
    console = Console(stderr=as_json)
    result = bench_periods.run(Settings.load(), lines, port_offset, console)
    if as_json:
        print(bench_periods.as_json(result))
    else:
        bench_periods.show(result, console)
    if result.differences:
        raise typer.Exit(1)
