"""`./souk bench WHAT`: measures the speed, freshness and memory of the platform on this machine."""

import json
from dataclasses import asdict
from importlib.util import find_spec
from os.path import relpath
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench import simulator as bench_simulator
from bench.analytics import run as bench_analytics
from bench.figures import lag as bench_lag
from bench.figures import periods as bench_periods
from bench.figures import sales as bench_sales
from bench.figures import seller_freshness as bench_freshness
from bench.pipeline import against
from bench.pipeline import report as pipeline_report
from bench.pipeline import run as bench_pipeline
from bench.recommendations import run as bench_recommendations
from bench.serving import answers as bench_answers
from bench.serving import gateway as bench_gateway
from bench.serving import spike as bench_spike
from bench.telemetry import run as bench_telemetry
from common.errors import INTERRUPTED, UserError
from common.settings import ROOT, Settings
from common.telemetry import configure_logging
from serving.recommendations.scoring import SUPPORT

RECOMMENDATIONS_PORT_OFFSET, PIPELINE_PORT_OFFSET, PERIODS_PORT_OFFSET = 23_000, 23_100, 23_200
SPIKE_PORT_OFFSET, FRESHNESS_PORT_OFFSET, ANALYTICS_PORT_OFFSET = 23_300, 23_400, 23_500
TELEMETRY_PORT_OFFSET = 23_600
"""Port offsets of the temporary platforms. They are higher than those of the tests, and every port is below
32,768, where the system's range for outgoing connections starts."""

DEFAULT_SAMPLING: float = Settings.model_fields["trace_sampling"].default

GATEWAY_PORT = 32_700
"""The port of the measured process of the API; the next one is used, too."""

DATA = ROOT.parent / "shared" / "data"
DataDirectory = Annotated[
    Path, typer.Option(help="Directory of the public data sets.", show_default=relpath(DATA, ROOT))
]
ReplayedVisits = Annotated[
    Path | None, typer.Option(help="Visits to replay: columns session, position, item; default: simulated.")
]
SpreadDays = Annotated[float, typer.Option(min=1, help="The days over which --sessions are spread.")]
TrainedModel = Annotated[str, typer.Option(help="The trained model, with its default settings.")]
SimulatedEvents = Annotated[int, typer.Option(min=1_000, help="Events of the simulated history.")]
HistorySeed = Annotated[int, typer.Option(min=0, help="Seed of the simulated history.")]
OnlyTasks = Annotated[list[str] | None, typer.Option(help="Run only this data set; may be repeated.")]

app = typer.Typer(no_args_is_help=True)


@app.callback()
def bench() -> None:
    """Measure speed and memory beside a peer in the same run."""


@app.command()
@app.command("spine", hidden=True)
def pipeline(
    events: Annotated[int, typer.Option(min=50, help="Events to fill the topics with.")] = 1_000_000,
    rate: Annotated[int, typer.Option(min=1, help="Events a second during the freshness test.")] = 1_000,
    seconds: Annotated[int, typer.Option(min=1, help="How long to measure freshness.")] = 30,
    port_offset: Annotated[
        int, typer.Option(help="Offset of the temporary platform's ports.")
    ] = PIPELINE_PORT_OFFSET,
    commit: Annotated[
        str, typer.Option("--against", help="A commit to measure right after, from a clone of its own.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure Kafka → Flink → ClickHouse beside ClickHouse's own Kafka engine, freshness and memory.

    Starts a temporary platform and stops it at the end. Use the machine for nothing else meanwhile.
    """
    configure_logging("bench")
    console = Console(stderr=as_json)
    plan = bench_pipeline.PipelineBenchPlan(events, rate, seconds, port_offset)
    result = bench_pipeline.run(Settings.load(), plan, console)
    here = pipeline_report.as_plain(result)
    there = against.run(commit, events, rate, seconds, console) if commit else {}
    if as_json:
        print(json.dumps(here | ({"against": there | {"commit": commit}} if commit else {}), indent=2))
        return
    pipeline_report.show(result, console)
    if commit:
        against.show(commit, here, there, console)


@app.command()
def simulator(
    events: Annotated[int, typer.Option(min=50_000, help="Events of the generated history.")] = 600_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the history.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure how fast the simulator generates a history, beside a plain stream of orders."""
    result = bench_simulator.run(events, seed)
    if as_json:
        print(bench_simulator.as_json(result))
    else:
        bench_simulator.show(result, Console())


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
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure how soon recommendations follow views, listings and sales, what they cost, and Redis' memory.

    Starts a temporary platform and stops it at the end. Use the machine for nothing else meanwhile.
    The exit code is 1 if a goal was missed.
    """
    configure_logging("bench")
    console = Console(stderr=as_json)
    plan = bench_recommendations.RecommendationsBenchPlan(
        shoppers, tries, listings, answers, load_seconds, rounds
    )
    result = bench_recommendations.run(Settings.load(), plan, port_offset, console)
    if as_json:
        print(json.dumps(asdict(result), indent=2))
    else:
        bench_recommendations.show(result, console)
    if result.missed:
        raise typer.Exit(1)


@app.command()
def sales(
    answers: Annotated[int, typer.Option(min=1, help="Requests to measure.")] = 500,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure the time and CPU of a request for a seller's sales, on the running platform and its data."""
    console = Console(stderr=as_json)
    result = bench_sales.run(Settings.load(), answers, console)
    if as_json:
        print(json.dumps(asdict(result), indent=2))
    else:
        bench_sales.show(result, console)


@app.command()
def answers(
    minutes: Annotated[float, typer.Option(min=0.1, help="Minutes to measure.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure the API's response times beside a running ./souk demo.

    Sends a few requests a second, as shoppers and sellers do. The orders that it places stay in the shop.
    Ctrl-C stops the run and shows the figures up to then.
    """
    configure_logging("bench")
    console = Console(stderr=as_json)
    result = bench_answers.run(Settings.load(), minutes, console)
    if as_json:
        print(json.dumps(asdict(result), indent=2))
    else:
        bench_answers.show(result, console)
    if result.stopped:
        raise typer.Exit(INTERRUPTED)


@app.command()
def lag(
    minutes: Annotated[float, typer.Option(min=0.1, help="Minutes to measure.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure how far sellers' figures are behind the clock beside a running ./souk demo.

    Also measures how soon they include an order. The orders that it places stay in the shop. Ctrl-C stops the
    run and shows the figures up to then.
    """
    configure_logging("bench")
    console = Console(stderr=as_json)
    result = bench_lag.run(Settings.load(), minutes, console)
    if as_json:
        print(json.dumps(asdict(result), indent=2))
    else:
        bench_lag.show(result, console)
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
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure how soon a seller's figures and page show an order, while a marketplace is live.

    Starts a temporary platform with simulated shoppers and stops it at the end. Use the machine for nothing
    else meanwhile.
    """
    configure_logging("bench")
    console = Console(stderr=as_json)
    plan = bench_freshness.SellerFreshnessPlan(rate, minutes, weeks, shoppers)
    result = bench_freshness.run(Settings.load(), plan, port_offset, console)
    if as_json:
        print(json.dumps(asdict(result), indent=2))
    else:
        bench_lag.show(result, console)
    if result.stopped:
        raise typer.Exit(INTERRUPTED)


@app.command()
def analytics(
    rows: Annotated[
        int, typer.Option(min=10_000, help="Order lines of a year, two for each order.")
    ] = 100_000_000,
    port_offset: Annotated[
        int, typer.Option(help="Offset of the temporary servers' ports.")
    ] = ANALYTICS_PORT_OFFSET,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure answers about 90 days of a seller, beside plain queries and PostgreSQL on a tenth of the rows.

    Starts a temporary ClickHouse and PostgreSQL and stops them at the end. Use the machine for nothing else
    meanwhile. The exit code is 1 if both answer differently about the same rows.
    """
    configure_logging("bench")
    console = Console(stderr=as_json)
    result = bench_analytics.run(Settings.load(), rows, port_offset, console)
    if as_json:
        print(bench_analytics.as_json(result))
    else:
        bench_analytics.show(result, console)
    if result.differences:
        raise typer.Exit(1)


@app.command()
def gateway(
    rounds: Annotated[int, typer.Option(min=1, help="Rounds with the gateway and without.")] = 5,
    seconds: Annotated[float, typer.Option(min=0.1, help="Seconds of each round.")] = 5,
    port: Annotated[
        int, typer.Option(help="Port of a process with the gateway; the next one has none.")
    ] = GATEWAY_PORT,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure what the gateway costs: requests a second with it and without it, and latency at half of that.

    Starts two processes of the API on the data of the running platform. The exit code is 1 if less than 70 %
    of the throughput of the cached route is left.
    """
    configure_logging("bench")
    console = Console(stderr=as_json)
    result = bench_gateway.run(
        Settings.load(), bench_gateway.GatewayBenchPlan(rounds, seconds, port), console
    )
    if as_json:
        print(json.dumps(asdict(result), indent=2))
    else:
        bench_gateway.show(result, console)
    if not result.is_fast_enough:
        raise typer.Exit(1)


@app.command()
def spike(
    times: Annotated[float, typer.Option(min=0.1, help="The load, in times what the shop can take.")] = 5,
    seconds: Annotated[float, typer.Option(min=1, help="How long the spike lasts.")] = 60,
    calm_seconds: Annotated[float, typer.Option(min=1, help="How long to measure before it.")] = 15,
    processes: Annotated[int, typer.Option(min=1, help="Processes that send the requests.")] = 2,
    port_offset: Annotated[
        int, typer.Option(help="Offset of the temporary platform's ports.")
    ] = SPIKE_PORT_OFFSET,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure whether checkout still works while the shop gets five times the load that it can take.

    Starts a temporary platform, fills a small shop, and audits all stores at the end. Use the machine for
    nothing else meanwhile. The exit code is 1 if a goal was missed.
    """
    configure_logging("bench")
    console = Console(stderr=as_json)
    plan = bench_spike.SpikeBenchPlan(times, seconds, calm_seconds, processes)
    result = bench_spike.run(Settings.load(), plan, port_offset, console)
    if as_json:
        print(json.dumps(asdict(result) | {"missed": result.missed}, indent=2))
    else:
        bench_spike.show(result, console)
    if result.missed:
        raise typer.Exit(1)


@app.command()
def telemetry(
    pairs: Annotated[int, typer.Option(min=2, help="Rounds with tracing, and as many without.")] = 6,
    seconds: Annotated[float, typer.Option(min=1, help="Seconds of checkouts in each round.")] = 15,
    events: Annotated[int, typer.Option(min=1_000, help="Events in each round.")] = 100_000,
    sampling: Annotated[
        float, typer.Option(min=0, max=1, help="The share of requests whose trace is recorded.")
    ] = DEFAULT_SAMPLING,
    port_offset: Annotated[
        int, typer.Option(help="Offset of the temporary platform's ports.")
    ] = TELEMETRY_PORT_OFFSET,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure what tracing costs of checkouts/s, events/s and CPU time, and what a line of a log costs.

    Starts a temporary platform, and restarts its processes with tracing on and off in turn. Use the machine
    for nothing else meanwhile. The exit code is 1 if tracing costs more than 5 %.
    """
    configure_logging("bench")
    console = Console(stderr=as_json)
    plan = bench_telemetry.TelemetryBenchPlan(pairs, seconds, events, sampling)
    result = bench_telemetry.run(Settings.load(), plan, port_offset, console)
    if as_json:
        print(json.dumps(asdict(result) | {"missed": result.missed}, indent=2))
    else:
        bench_telemetry.show(result, console)
    if result.missed:
        raise typer.Exit(1)


@app.command()
def periods(
    lines: Annotated[
        int, typer.Option(min=1_000, help="Order lines of a year, two for each order.")
    ] = 10_000_000,
    port_offset: Annotated[
        int, typer.Option(help="Offset of the temporary ClickHouse's port.")
    ] = PERIODS_PORT_OFFSET,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
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
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the figures as a Markdown table.")
    ] = False,
) -> None:
    """Compare recommenders with published figures on public data, and measure their response times."""
    from bench.recommenders import run as bench_recommenders
    from jobs.recommenders.registry import MODELS

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


@app.command()
def model_age(
    sessions: ReplayedVisits = None,
    days: SpreadDays = 137,
    model: TrainedModel = "item_item",
    cases: Annotated[int, typer.Option(min=10, help="Views to predict, about.")] = 3_000,
    every: Annotated[
        str, typer.Option(help="Hours between trainings, as 2,168; compared with 24.")
    ] = "2,168",
    last: Annotated[float, typer.Option(min=0.1, help="The last days of the log, with the views.")] = 3,
    simulated_events: SimulatedEvents = 600_000,
    seed: HistorySeed = 1,
) -> None:
    """Replay a log, and measure what it brings to train more often than every night."""
    from bench.recommenders import blend as bench_blend
    from bench.recommenders import model_age as bench_model_age

    try:
        periods_h = [float(hours) for hours in every.split(",")]
    except ValueError as error:
        raise UserError(f"--every {every!r}: give hours separated by commas, as 2,168") from error
    if not all(0.1 <= hours <= 10_000 and hours != bench_model_age.NIGHT_H for hours in periods_h):
        raise UserError(f"--every {every!r}: hours are from 0.1 to 10,000, and 24 is always measured")
    log = bench_blend.view_log(sessions, days, seed, simulated_events)
    result = bench_model_age.measure(log, model, cases, periods_h, last, SUPPORT)
    bench_model_age.show(result, Console())


@app.command()
def blend(
    sessions: ReplayedVisits = None,
    days: SpreadDays = 137,
    model: TrainedModel = "item_item",
    cases: Annotated[int, typer.Option(min=10, help="Views to predict, about.")] = 10_000,
    anchored: Annotated[bool, typer.Option("--anchored", help="As on a product page.")] = False,
    support: Annotated[float, typer.Option(min=0, help="Co-visits at which a cosine is halved.")] = SUPPORT,
    simulated_events: SimulatedEvents = 600_000,
    seed: HistorySeed = 1,
) -> None:
    """Replay a log, and measure how well co-visits, a trained model and their blends predict views."""
    from bench.recommenders import blend as bench_blend

    log = bench_blend.view_log(sessions, days, seed, simulated_events)
    bench_blend.show(bench_blend.measure(log, model, cases, anchored, support), Console())


@app.command()
def listings(
    products: Annotated[int, typer.Option(min=100, help="Products of the simulated marketplace.")] = 3_000,
    shoppers: Annotated[int, typer.Option(min=100, help="Its shoppers.")] = 20_000,
    simulated_events: SimulatedEvents = 600_000,
    model: TrainedModel = "item_item",
    cases: Annotated[int, typer.Option(min=10, help="Views to predict, about.")] = 5_000,
    seed: HistorySeed = 1,
) -> None:
    """Measure where the page of a category shows the product that is viewed next, in each order."""
    from bench.recommenders import listings as bench_listings

    plan = bench_listings.ListingsBenchPlan(seed, products, shoppers, simulated_events, model, cases)
    bench_listings.show(bench_listings.run(plan), Console())


@app.command()
def complements(
    products: Annotated[int, typer.Option(min=100, help="Products of the simulated marketplace.")] = 1_000,
    shoppers: Annotated[int, typer.Option(min=100, help="Its shoppers.")] = 5_000,
    simulated_events: SimulatedEvents = 400_000,
    model: TrainedModel = "item_item",
    seed: HistorySeed = 1,
) -> None:
    """Measure how often the row "Completes your cart" has the product that is bought with the cart's."""
    from bench.recommenders import complements as bench_complements

    plan = bench_complements.ComplementsBenchPlan(seed, products, shoppers, simulated_events, model)
    bench_complements.show(bench_complements.run(plan), Console())


@app.command()
def drift(
    weeks: Annotated[int, typer.Option(min=1, help="Weeks in which lists are shown.")] = 6,
    products: Annotated[int, typer.Option(min=100, help="Products of the simulated marketplace.")] = 1_000,
    shoppers: Annotated[int, typer.Option(min=100, help="Its shoppers.")] = 2_000,
    events: Annotated[int, typer.Option(min=5_000, help="Events of all weeks, and two before.")] = 100_000,
    model: TrainedModel = "item_item",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the marketplace.")] = 1,
) -> None:
    """Simulate weeks in which clicks decide what is recommended next: coverage, Gini, popularity, variety."""
    from bench.recommenders import drift as bench_drift

    plan = bench_drift.DriftBenchPlan(seed, weeks, products, shoppers, events, model)
    bench_drift.show(plan, Console())


@app.command()
def arms(
    sessions: Annotated[int, typer.Option(min=100, help="Sessions of each experiment.")] = 200_000,
    seeds: Annotated[
        list[int] | None, typer.Option("--seed", min=0, help="Seed; may be repeated.", show_default="1 to 5")
    ] = None,
    days: Annotated[int, typer.Option(min=2, help="Days of the marketplace.")] = 28,
    warm_up_days: Annotated[int, typer.Option(min=1, help="The days before the experiment.")] = 7,
    products: Annotated[int, typer.Option(min=100, help="Products.")] = 3_000,
    shoppers: Annotated[int, typer.Option(min=100, help="Shoppers.")] = 20_000,
    model: Annotated[str, typer.Option(help="The trained model; default: training chooses it.")] = "",
    budget: Annotated[float, typer.Option(min=1, help="Seconds in which the first training searches.")] = 30,
    paired_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of requests on which all strategies are compared.")
    ] = 0.05,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure clicks and purchases by strategy in simulated marketplaces whose true chances are known.

    Each night a model is trained, and the weights of the sources are learned from what lists showed.
    """
    from bench.arms import experiment as arms_experiment
    from bench.arms import report as arms_report

    console = Console(stderr=as_json)
    results = []
    for seed in seeds or [1, 2, 3, 4, 5]:
        plan = arms_experiment.ArmsPlan(
            seed,
            sessions,
            days,
            warm_up_days,
            products,
            shoppers,
            budget_s=budget,
            model=model,
            paired_share=paired_share,
        )
        with console.status(f"seed {seed}"):
            results.append(arms_experiment.run(plan))
        if not as_json:
            arms_report.show_one(results[-1], console)
    if as_json:
        print(json.dumps(arms_report.as_plain(results), indent=2))
    elif len(results) > 1:
        arms_report.show_pooled(results, console)


@app.command()
def clients(
    messages: Annotated[int, typer.Option(min=1_000, help="Messages to produce and to consume.")] = 100_000,
    queries: Annotated[int, typer.Option(min=10, help="Queries to send.")] = 500,
) -> None:
    """Compare our clients of Kafka and ClickHouse with kafka-python and clickhouse-connect.

    Uses the running platform.
    """
    if find_spec("kafka") is None:  # only the test packages contain it
        raise UserError("kafka-python, the peer, is not installed: run `./souk test` once, which installs it")
    from bench.pipeline import client_peers

    client_peers.show(client_peers.run(Settings.load(), messages, queries), Console())


@app.command()
def implicit(
    data: DataDirectory = DATA,
    only: OnlyTasks = None,
    budget: Annotated[float, typer.Option(min=1, help="Seconds to tune each model.")] = 120,
) -> None:
    """Compare our item-item model with that of the package implicit, tuned in the same way."""
    from bench.recommenders import implicit_peer

    console = Console()
    implicit_peer.show(implicit_peer.run(data, _selected_tasks(only), budget, console), console)


def _selected_tasks(only: list[str] | None) -> list[str]:
    from bench.recommenders import published_results

    tasks = published_results.TASKS
    if unknown := [name for name in only or () if name not in tasks]:
        raise UserError(f"there is no data set {unknown[0]!r}: choose from {', '.join(tasks)}")
    return only or list(tasks)
