"""The benchmark of recommenders, which needs no platform."""

from os.path import relpath
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.bench.output import AsJson
from common.errors import UserError
from common.settings import ROOT

DATA = ROOT.parent / "shared" / "data"
DataDirectory = Annotated[
    Path, typer.Option(help="Directory of the public data sets.", show_default=relpath(DATA, ROOT))
]
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


def _selected_tasks(only: list[str] | None) -> list[str]:
    from bench.recommenders import published_results

    tasks = published_results.TASKS
    if unknown := [name for name in only or () if name not in tasks]:
        raise UserError(f"there is no data set {unknown[0]!r}: choose from {', '.join(tasks)}")
    return only or list(tasks)
