"""`./souk bench WHAT`: measures the speed, freshness and memory of the platform on this machine."""

import json
from collections.abc import Callable
from dataclasses import asdict
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console

from bench.figures import lag as bench_lag
from bench.figures import periods as bench_periods
from bench.pipeline import run as bench_pipeline
from bench.pipeline import watch as bench_watch
from bench.recommendations import run as bench_recommendations
from bench.search import run as bench_search
from bench.serving import answers as bench_answers
from bench.serving import gateway as bench_gateway
from bench.serving import spike as bench_spike
from bench.telemetry import run as bench_telemetry
from common.errors import INTERRUPTED, UserError
from common.settings import ROOT, Settings
from common.signal_handlers import interrupted_by_signals
from common.telemetry import configure_logging

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Result = TypeVar("Result", bound="DataclassInstance")

PIPELINE_PORT_OFFSET, TELEMETRY_PORT_OFFSET, PERIODS_PORT_OFFSET = 23_100, 23_600, 23_200
SPIKE_PORT_OFFSET, FRESHNESS_PORT_OFFSET, RECOMMENDATIONS_PORT_OFFSET = 23_300, 23_400, 23_000
COLD_START_PORT_OFFSET = 23_700
"""Port offsets of the temporary platforms.

They are higher than those of the tests, and every port is below 32,768, where the system's range for outgoing
connections starts.
"""

SEARCH_PORT_OFFSET = 23_500
"""Port offset of the PostgreSQL with which the search is compared."""

GATEWAY_PORT = 32_700
"""The port of the measured process of the API; the next one is used, too."""

DEFAULT_SAMPLING: float = Settings.model_fields["trace_sampling"].default

DATA = ROOT.parent / "shared" / "data"
DataDirectory = Annotated[
    Path, typer.Option(help="Directory of the public data sets.", show_default=relpath(DATA, ROOT))
]
OnlyTasks = Annotated[list[str] | None, typer.Option(help="Run only this data set; may be repeated.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

app = typer.Typer(no_args_is_help=True)


@app.callback()
def bench(context: typer.Context) -> None:
    """Measure speed and memory beside a peer in the same run."""
    context.with_resource(interrupted_by_signals())  # a benchmark that is ended stops its own platform


@app.command()
@app.command("spine", hidden=True)
def pipeline(
    events: Annotated[int, typer.Option(min=50, help="Events to fill the topics with.")] = 1_000_000,
    rate: Annotated[int, typer.Option(min=1, help="Events a second during the freshness test.")] = 1_000,
    seconds: Annotated[int, typer.Option(min=1, help="How long to measure freshness.")] = 30,
    idle: Annotated[int, typer.Option(min=0, help="How long to measure the platform without traffic.")] = 0,
    peers: Annotated[bool, typer.Option(help="Measure ClickHouse's own Kafka engine, too.")] = True,
    port_offset: Annotated[
        int, typer.Option(help="Offset of the temporary platform's ports.")
    ] = PIPELINE_PORT_OFFSET,
    commit: Annotated[
        str, typer.Option("--against", help="A commit to measure right after, from a clone of its own.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Measure Kafka → Flink → ClickHouse beside ClickHouse's own Kafka engine, freshness and memory.

    Starts a temporary platform and stops it at the end. Use the machine for nothing else meanwhile.
    """
    console = _console(as_json)
    plan = bench_pipeline.PipelineBenchPlan(events, rate, seconds, port_offset, idle, peers)
    result = bench_pipeline.run(Settings.load(), plan, console)
    here = bench_pipeline.as_plain(result)
    there = bench_watch.run_against(commit, events, rate, seconds, console) if commit else {}
    if as_json:
        print(json.dumps(here | ({"against": there | {"commit": commit}} if commit else {}), indent=2))
        return
    bench_pipeline.show(result, console)
    if commit:
        bench_watch.show_against(commit, here, there, console)


@app.command()
def watch(
    pairs: Annotated[int, typer.Option(min=1, help="How often to measure both commits.")] = 3,
    events: Annotated[int, typer.Option(min=50, help="Events to fill the topics with.")] = 500_000,
    rate: Annotated[int, typer.Option(min=1, help="Events a second during the freshness test.")] = 1_000,
    seconds: Annotated[
        int, typer.Option(min=1, help="How long to measure freshness, and the platform without traffic.")
    ] = 60,
    commit: Annotated[
        str, typer.Option("--against", help="A commit instead of that of bench/pipeline/watched.toml.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Measure the spine beside a stored commit; the exit code is 1 if a figure is worse.

    Both are measured in turn: throughput, CPU of an event, freshness, and the platform without traffic. A
    figure is worse if the median of its ratios is beyond 15 % (freshness: 25 %) and all pairs agree. Takes up
    to 50 minutes. Use the machine for nothing else meanwhile.
    """
    console = _console(as_json)
    watched = bench_watch.read()
    if commit:
        watched = bench_watch.Watched(commit, f"chosen by --against {commit}", watched.first, {})
    found = bench_watch.run(watched.commit, pairs, events, rate, seconds, console)
    if as_json:
        print(bench_watch.as_json(watched, found))
    else:
        bench_watch.show(watched, found, console)
    if any(each.verdict == "worse" for each in bench_watch.judge(found)):
        raise typer.Exit(1)


@app.command()
def telemetry(
    pairs: Annotated[int, typer.Option(min=2, help="Rounds with tracing, and as many without.")] = 12,
    seconds: Annotated[float, typer.Option(min=1, help="Seconds of checkouts in each round.")] = 40,
    events: Annotated[int, typer.Option(min=1_000, help="Events in each round.")] = 60_000,
    sampling: Annotated[
        float, typer.Option(min=0, max=1, help="The share of requests whose trace is recorded.")
    ] = DEFAULT_SAMPLING,
    port_offset: Annotated[
        int, typer.Option(help="Offset of the temporary platform's ports.")
    ] = TELEMETRY_PORT_OFFSET,
    as_json: AsJson = False,
) -> None:
    """Measure what tracing costs of checkouts/s, events/s and CPU time, and what a line of a log costs.

    Starts a temporary platform, and restarts its processes with tracing on and off in turn. Use the machine
    for nothing else meanwhile. The exit code is 1 if tracing costs more than 5 %. If only the upper end of an
    interval is above 5 %, the goal is not decided: measure more pairs.
    """
    console = _console(as_json)
    plan = bench_telemetry.TelemetryBenchPlan(pairs, seconds, events, sampling)
    result = bench_telemetry.run(Settings.load(), plan, port_offset, console)
    verdicts = {"missed": result.missed, "undecided": result.undecided}
    _finish(result, bench_telemetry.show, console, as_json, 1 if result.missed else 0, **verdicts)


@app.command()
def answers(
    minutes: Annotated[float, typer.Option(min=0.1, help="Minutes to measure.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Measure the API's response times beside a running ./souk demo.

    Sends a few requests a second, as shoppers and sellers do. The orders that it places stay in the shop.
    Ctrl-C stops the run and shows the figures up to then.
    """
    console = _console(as_json)
    result = bench_answers.run(Settings.load(), minutes, console)
    _finish(result, bench_answers.show, console, as_json, INTERRUPTED if result.stopped else 0)


@app.command()
def gateway(
    rounds: Annotated[int, typer.Option(min=1, help="Rounds with the gateway and without.")] = 5,
    seconds: Annotated[float, typer.Option(min=0.1, help="Seconds of each round.")] = 5,
    port: Annotated[
        int, typer.Option(help="Port of a process with the gateway; the next one has none.")
    ] = GATEWAY_PORT,
    as_json: AsJson = False,
) -> None:
    """Measure what the gateway costs: requests a second with it and without it, and latency at half of that.

    Starts two processes of the API on the data of the running platform. The exit code is 1 if less than 70 %
    of the throughput of the cached route is left.
    """
    console = _console(as_json)
    result = bench_gateway.run(
        Settings.load(), bench_gateway.GatewayBenchPlan(rounds, seconds, port), console
    )
    _finish(result, bench_gateway.show, console, as_json, 0 if result.is_fast_enough else 1)


@app.command()
def spike(
    times: Annotated[float, typer.Option(min=0.1, help="The load, in times what the shop can take.")] = 5,
    seconds: Annotated[float, typer.Option(min=1, help="How long the spike lasts.")] = 60,
    calm_seconds: Annotated[float, typer.Option(min=1, help="How long to measure before it.")] = 15,
    processes: Annotated[int, typer.Option(min=1, help="Processes that send the requests.")] = 2,
    port_offset: Annotated[
        int, typer.Option(help="Offset of the temporary platform's ports.")
    ] = SPIKE_PORT_OFFSET,
    as_json: AsJson = False,
) -> None:
    """Measure whether checkout still works while the shop gets five times the load that it can take.

    Starts a temporary platform, fills a small shop, and audits all stores at the end. Use the machine for
    nothing else meanwhile. The exit code is 1 if a goal was missed.
    """
    console = _console(as_json)
    plan = bench_spike.SpikeBenchPlan(times, seconds, calm_seconds, processes)
    result = bench_spike.run(Settings.load(), plan, port_offset, console)
    _finish(result, bench_spike.show, console, as_json, 1 if result.missed else 0, missed=result.missed)


@app.command()
def recommendations(
    shoppers: Annotated[int, typer.Option(min=1, help="Shoppers who view a product.")] = 500,
    tries: Annotated[int, typer.Option(min=1, help="Products of lists that sell out.")] = 10_000,
    listings: Annotated[int, typer.Option(min=1, help="New products.")] = 20,
    answers: Annotated[int, typer.Option(min=1, help="Requests to measure.")] = 2_000,
    load_seconds: Annotated[
        float, typer.Option(min=1, max=20, help="Seconds of saturation, and of half of it.")
    ] = 10,
    rounds: Annotated[
        int, typer.Option(min=1, help="Rounds in which the parts of an answer are compared.")
    ] = 5,
    port_offset: Annotated[
        int, typer.Option(help="Offset of the temporary platform's ports.")
    ] = RECOMMENDATIONS_PORT_OFFSET,
    as_json: AsJson = False,
) -> None:
    """Measure how soon recommendations follow views, listings and sales, what they cost, and Redis' memory.

    Starts a temporary platform and stops it at the end. Use the machine for nothing else meanwhile.
    The exit code is 1 if a goal was missed.
    """
    console = _console(as_json)
    plan = bench_recommendations.RecommendationsBenchPlan(
        shoppers, tries, listings, answers, load_seconds, rounds
    )
    result = bench_recommendations.run(Settings.load(), plan, port_offset, console)
    _finish(result, bench_recommendations.show, console, as_json, 1 if result.missed else 0)


@app.command("cold-start")
def cold_start(
    products: Annotated[int, typer.Option(min=200, help="Products of the simulated marketplace.")] = 1_500,
    shoppers: Annotated[int, typer.Option(min=100, help="Its shoppers.")] = 3_000,
    visits: Annotated[int, typer.Option(min=1_000, help="Their visits in four weeks.")] = 40_000,
    hidden: Annotated[int, typer.Option(min=1, help="Products that lose their history.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same marketplace.")] = 1,
    port_offset: Annotated[
        int, typer.Option(help="Offset of the port of the temporary Redis.")
    ] = COLD_START_PORT_OFFSET,
    as_json: AsJson = False,
) -> None:
    """Measure how good the lists beside products are that few have seen.

    Hides the history of some products of a simulated marketplace, whose truth is known. Starts a temporary
    Redis and stops it at the end.
    """
    from bench.recommendations import cold_start as bench_cold_start

    console = _console(as_json)
    plan = bench_cold_start.ColdStartPlan(products, shoppers, visits, hidden, seed)
    result = bench_cold_start.run(Settings.load(), plan, port_offset, console)
    _finish(result, bench_cold_start.show, console, as_json, 0)


@app.command()
def search(
    products: Annotated[int, typer.Option(min=15_000, help="Products of the judged world.")] = 20_000,
    large: Annotated[
        int, typer.Option(min=0, help="Products of the catalogue whose queries are timed; 0 times nothing.")
    ] = 1_000_000,
    rounds: Annotated[int, typer.Option(min=1, help="Times that each query is timed.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the worlds.")] = 58,
    port_offset: Annotated[
        int, typer.Option(help="Offset of the port of the temporary PostgreSQL.")
    ] = SEARCH_PORT_OFFSET,
    as_json: AsJson = False,
) -> None:
    """Judge the search by labelled queries beside PostgreSQL, and time it with facets beside a bare query.

    Starts a temporary PostgreSQL, whose extension pg_trgm it downloads the first time. The exit code is 1 if
    the search finds less than it must.
    """
    console = _console(as_json)
    plan = bench_search.SearchBenchPlan(products, large, rounds, seed)
    result = bench_search.run(Settings.load(), plan, port_offset, console)
    _finish(result, bench_search.show, console, as_json, 1 if result.missed else 0)


@app.command()
def lag(
    minutes: Annotated[float, typer.Option(min=0.1, help="Minutes to measure.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Measure how far sellers' figures are behind the clock beside a running ./souk demo.

    Also measures how soon they include an order. The orders that it places stay in the shop. Ctrl-C stops the
    run and shows the figures up to then.
    """
    console = _console(as_json)
    result = bench_lag.run(Settings.load(), minutes, console)
    _finish(result, bench_lag.show, console, as_json, INTERRUPTED if result.stopped else 0)


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
    console = _console(as_json)
    plan = bench_lag.SellerFreshnessPlan(rate, minutes, weeks, shoppers)
    result = bench_lag.run_on_temporary_platform(Settings.load(), plan, port_offset, console)
    _finish(result, bench_lag.show, console, as_json, INTERRUPTED if result.stopped else 0)


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
    console = _console(as_json)
    result = bench_periods.run(Settings.load(), lines, port_offset, console)
    if as_json:
        print(bench_periods.as_json(result))
    else:
        bench_periods.show(result, console)
    if result.differences:
        raise typer.Exit(1)


@app.command()
def recommenders(
    data: DataDirectory = DATA,
    only: OnlyTasks = None,
    budget: Annotated[float, typer.Option(min=1, help="Seconds to tune on each data set.")] = 1_800,
    timed: Annotated[
        str, typer.Option(help="Models whose response times to measure.")
    ] = "item_item,session_knn",
    answers: Annotated[int, typer.Option(min=100, help="Requests to measure for each model.")] = 5_000,
    simulated_events: Annotated[
        int, typer.Option(help="Events of the simulated marketplace; 0 skips it.")
    ] = 400_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed chooses the same models.")] = 0,
    as_json: AsJson = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the figures as a Markdown table.")
    ] = False,
) -> None:
    """Compare recommenders with published figures on public data, and measure their response times."""
    from bench.recommenders import run as bench_recommenders
    from recommenders.registry import MODELS

    models = [name for name in timed.split(",") if name]
    if unknown := [name for name in models if name not in MODELS]:
        raise UserError(f"there is no model {unknown[0]!r}: choose from {', '.join(MODELS)}")
    names = _selected_tasks(only)
    console = Console(stderr=as_json or as_markdown)
    plan = bench_recommenders.RecommendersBenchPlan(
        data, names, budget, models, answers, simulated_events, seed
    )
    result = bench_recommenders.run(plan, console)
    if as_json:
        print(bench_recommenders.as_json(result))
    elif as_markdown:
        print(bench_recommenders.as_markdown(result))
    else:
        bench_recommenders.show(result, console)


def _selected_tasks(only: list[str] | None) -> list[str]:
    from bench.recommenders import published_results

    tasks = published_results.TASKS
    if unknown := [name for name in only or () if name not in tasks]:
        raise UserError(f"there is no data set {unknown[0]!r}: choose from {', '.join(tasks)}")
    return only or list(tasks)


def _console(is_quiet: bool) -> Console:
    """Configure the log, and return the console of a benchmark; `is_quiet` leaves standard output to JSON."""
    configure_logging("bench")
    return Console(stderr=is_quiet)


def _finish(
    result: Result,
    show: Callable[[Result, Console], None],
    console: Console,
    as_json: bool,
    exit_code: int,
    **further: Any,
) -> None:
    """Show a result, or print it as one JSON object with `further` fields; end with the exit code."""
    if as_json:
        print(json.dumps(asdict(result) | further, indent=2))
    else:
        show(result, console)
    raise typer.Exit(exit_code)
