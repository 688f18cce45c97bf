"""Benchmarks of the way of events, and of what surrounds it: the simulator, clients, telemetry."""

import json
from importlib.util import find_spec
from typing import Annotated

import typer
from rich.console import Console

from bench import simulator as bench_simulator
from bench.pipeline import against
from bench.pipeline import report as pipeline_report
from bench.pipeline import run as bench_pipeline
from bench.pipeline import watch as bench_watch
from bench.telemetry import run as bench_telemetry
from cli.bench.output import AsJson, output
from cli.bench.ports import PIPELINE_PORT_OFFSET, TELEMETRY_PORT_OFFSET
from common.errors import UserError
from common.settings import Settings
from common.telemetry import configure_logging

DEFAULT_SAMPLING: float = Settings.model_fields["trace_sampling"].default

app = typer.Typer()


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
    configure_logging("bench")
    console = Console(stderr=as_json)
    plan = bench_pipeline.PipelineBenchPlan(events, rate, seconds, port_offset, idle, peers)
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
    configure_logging("bench")
    console = Console(stderr=as_json)
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
def simulator(
    events: Annotated[int, typer.Option(min=50_000, help="Events of the generated history.")] = 600_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the history.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Measure how fast the simulator generates a history, beside a plain stream of orders."""
    result = bench_simulator.run(events, seed)
    if as_json:
        print(bench_simulator.as_json(result))
    else:
        bench_simulator.show(result, Console())


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
    configure_logging("bench")
    console = Console(stderr=as_json)
    plan = bench_telemetry.TelemetryBenchPlan(pairs, seconds, events, sampling)
    result = bench_telemetry.run(Settings.load(), plan, port_offset, console)
    verdicts = {"missed": result.missed, "undecided": result.undecided}
    output(result, bench_telemetry.show, console, as_json, **verdicts)
    if result.missed:
        raise typer.Exit(1)
