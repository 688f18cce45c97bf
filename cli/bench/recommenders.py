"""Benchmarks of recommenders, which need no platform."""

import json
from os.path import relpath
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.bench.output import AsJson
from common.errors import UserError
from common.settings import ROOT
from serving.recommendations.scoring import SUPPORT

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

app = typer.Typer()


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
    as_json: AsJson = False,
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


def _selected_tasks(only: list[str] | None) -> list[str]:
    from bench.recommenders import published_results

    tasks = published_results.TASKS
    if unknown := [name for name in only or () if name not in tasks]:
        raise UserError(f"there is no data set {unknown[0]!r}: choose from {', '.join(tasks)}")
    return only or list(tasks)
