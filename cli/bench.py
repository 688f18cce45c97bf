"""`./souk bench WHAT`: how fast, how fresh and how big the platform is on this machine."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench import answers as bench_answers
from bench import recommendations as bench_recommendations
from bench import report
from bench import sales as bench_sales
from bench import simulator as bench_simulator
from bench import spine as bench_spine
from common.errors import STOPPED, UserError
from common.settings import ROOT, Settings
from common.telemetry import configure_logging

OF_RECOMMENDATIONS, OF_SPINE = 23_000, 23_100
"""Port offsets of the copies that are measured: beyond those of tests, and with every port below those that
the system takes for outgoing connections (32,768 on)."""

app = typer.Typer(no_args_is_help=True)


@app.callback()
def bench() -> None:
    """Measure speed and memory beside a peer in the same run."""


@app.command()
def spine(
    events: Annotated[int, typer.Option(min=50, help="Events to fill the topics with.")] = 1_000_000,
    rate: Annotated[int, typer.Option(min=1, help="Events a second, for freshness.")] = 1_000,
    seconds: Annotated[int, typer.Option(min=1, help="How long to measure freshness.")] = 30,
    port_offset: Annotated[int, typer.Option(help="Ports of the copy that is measured.")] = OF_SPINE,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure Kafka → Flink → ClickHouse beside ClickHouse's own Kafka engine, freshness and memory.

    Starts a copy of the platform of its own and stops it at the end. Leave the machine alone meanwhile.
    """
    configure_logging("bench")
    console = Console(stderr=as_json)
    plan = bench_spine.Plan(events, rate, seconds, port_offset)
    measured = bench_spine.run(Settings.load(), plan, console)
    if as_json:
        print(report.as_json(measured))
    else:
        report.show(measured, console)


@app.command()
def simulator(
    events: Annotated[int, typer.Option(min=50_000, help="Events of the history that is made.")] = 600_000,
    seed: Annotated[int, typer.Option(min=0, help="Whose history.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure how fast the simulator makes a history, beside a plain stream of orders. Starts nothing."""
    measured = bench_simulator.run(events, seed)
    if as_json:
        print(bench_simulator.as_json(measured))
    else:
        bench_simulator.show(measured, Console())


@app.command()
def recommendations(
    shoppers: Annotated[int, typer.Option(min=1, help="Shoppers who view a product.")] = 500,
    tries: Annotated[int, typer.Option(min=1, help="Products that sell out.")] = 1_000,
    answers: Annotated[int, typer.Option(min=1, help="Answers to time.")] = 2_000,
    port_offset: Annotated[
        int, typer.Option(help="Ports of the copy that is measured.")
    ] = OF_RECOMMENDATIONS,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure how soon a view changes the next answer, and whether what is sold out is gone after a second.

    Starts a copy of the platform of its own and stops it at the end. Leave the machine alone meanwhile.
    Ends with 1 where something was shown that had been sold out for that long.
    """
    configure_logging("bench")
    console = Console(stderr=as_json)
    plan = bench_recommendations.Plan(shoppers, tries, answers)
    measured = bench_recommendations.run(Settings.load(), plan, port_offset, console)
    if as_json:
        print(json.dumps(asdict(measured), indent=2))
    else:
        bench_recommendations.show(measured, console)
    if measured.shown_sold_out:
        raise typer.Exit(1)


@app.command()
def sales(
    answers: Annotated[int, typer.Option(min=1, help="Answers to time.")] = 500,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure what a seller's sales cost on the running platform, with what it holds."""
    console = Console(stderr=as_json)
    measured = bench_sales.run(Settings.load(), answers, console)
    if as_json:
        print(json.dumps(asdict(measured), indent=2))
    else:
        bench_sales.show(measured, console)


@app.command()
def answers(
    minutes: Annotated[float, typer.Option(min=0.1, help="How long to ask.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure how soon the API answers somebody on another machine, beside a running ./souk demo.

    It asks as real shoppers and sellers would, a few times a second, and goes before all others where the
    system permits it. Its orders are orders like any other. Ctrl-C shows what was seen by then.
    """
    configure_logging("bench")
    console = Console(stderr=as_json)
    measured = bench_answers.run(Settings.load(), minutes, console)
    if as_json:
        print(json.dumps(asdict(measured), indent=2))
    else:
        bench_answers.show(measured, console)
    if measured.stopped:
        raise typer.Exit(STOPPED)


@app.command()
def recommenders(
    data: Annotated[Path, typer.Option(help="Where the public data sets are.")] = ROOT.parent
    / "shared"
    / "data",
    only: Annotated[list[str] | None, typer.Option(help="Run only this data set; may be repeated.")] = None,
    budget: Annotated[float, typer.Option(min=1, help="Seconds to tune on each data set.")] = 1_800,
    timed: Annotated[str, typer.Option(help="Models whose answers to time.")] = "item_item,session_knn",
    answers: Annotated[int, typer.Option(min=100, help="Answers to time of each.")] = 5_000,
    simulated_events: Annotated[
        int, typer.Option(help="Events of a marketplace whose best ranking is known; 0: none.")
    ] = 400_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed chooses the same models.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print the figures for a page.")] = False,
) -> None:
    """Measure recommenders on public data beside what is published, and how soon they answer."""
    # Imported here: the other benchmarks need no peer, which comes with the packages of the tests.
    try:
        import implicit  # noqa: F401
    except ModuleNotFoundError as error:
        raise UserError(
            "implicit, the peer, is not installed: run `./souk test` once, which does it"
        ) from error
    from bench import published
    from bench import recommenders as bench_recommenders
    from jobs.recommenders.registry import MODELS

    models = [name for name in timed.split(",") if name]
    if unknown := [name for name in models if name not in MODELS]:
        raise UserError(f"there is no model {unknown[0]!r}: choose from {', '.join(MODELS)}")
    names = only or list(published.TASKS)
    if unknown := [name for name in names if name not in published.TASKS]:
        raise UserError(f"there is no data set {unknown[0]!r}: choose from {', '.join(published.TASKS)}")
    console = Console(stderr=as_json or as_markdown)
    plan = bench_recommenders.Plan(data, names, budget, models, answers, simulated_events, seed)
    measured = bench_recommenders.run(plan, console)
    if as_json:
        print(bench_recommenders.as_json(measured))
    elif as_markdown:
        print(bench_recommenders.as_markdown(measured))
    else:
        bench_recommenders.show(measured, console)
