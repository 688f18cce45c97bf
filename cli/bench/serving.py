"""Benchmarks of the API: answers in use, the gateway, a spike, recommendations."""

from typing import Annotated

import typer
from rich.console import Console

from bench.recommendations import run as bench_recommendations
from bench.serving import answers as bench_answers
from bench.serving import gateway as bench_gateway
from bench.serving import spike as bench_spike
from cli.bench.output import AsJson, output
from cli.bench.ports import GATEWAY_PORT, RECOMMENDATIONS_PORT_OFFSET, SPIKE_PORT_OFFSET
from common.errors import INTERRUPTED
from common.settings import Settings
from common.telemetry import configure_logging

app = typer.Typer()


@app.command()
def answers(
    minutes: Annotated[float, typer.Option(min=0.1, help="Minutes to measure.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Measure the API's response times beside a running ./souk demo.

    Sends a few requests a second, as shoppers and sellers do. The orders that it places stay in the shop.
    Ctrl-C stops the run and shows the figures up to then.
    """
    configure_logging("bench")
    console = Console(stderr=as_json)
    result = bench_answers.run(Settings.load(), minutes, console)
    output(result, bench_answers.show, console, as_json)
    if result.stopped:
        raise typer.Exit(INTERRUPTED)


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
    configure_logging("bench")
    console = Console(stderr=as_json)
    result = bench_gateway.run(
        Settings.load(), bench_gateway.GatewayBenchPlan(rounds, seconds, port), console
    )
    output(result, bench_gateway.show, console, as_json)
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
    as_json: AsJson = False,
) -> None:
    """Measure whether checkout still works while the shop gets five times the load that it can take.

    Starts a temporary platform, fills a small shop, and audits all stores at the end. Use the machine for
    nothing else meanwhile. The exit code is 1 if a goal was missed.
    """
    configure_logging("bench")
    console = Console(stderr=as_json)
    plan = bench_spike.SpikeBenchPlan(times, seconds, calm_seconds, processes)
    result = bench_spike.run(Settings.load(), plan, port_offset, console)
    output(result, bench_spike.show, console, as_json, missed=result.missed)
    if result.missed:
        raise typer.Exit(1)


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
    configure_logging("bench")
    console = Console(stderr=as_json)
    plan = bench_recommendations.RecommendationsBenchPlan(
        shoppers, tries, listings, answers, load_seconds, rounds
    )
    result = bench_recommendations.run(Settings.load(), plan, port_offset, console)
    output(result, bench_recommendations.show, console, as_json)
    if result.missed:
        raise typer.Exit(1)
