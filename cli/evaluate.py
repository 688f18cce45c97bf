"""`./souk evaluate`: tunes, selects and evaluates recommenders on the user's own files."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from clickhouse.client import connect
from common.errors import UserError
from common.settings import Settings
from recommenders.base import Model
from recommenders.evaluation.cases import Dataset
from recommenders.evaluation.loaders import files as input_files
from recommenders.evaluation.loaders.interactions import split
from recommenders.evaluation.metrics import parse_metrics
from recommenders.model_selection.baselines import ModelSelection, select_best_model, select_named_model
from recommenders.model_selection.comparison import EvaluationOptions, compare
from recommenders.model_selection.model_card import (
    ModelCard,
    as_json,
    as_markdown,
    card_notes,
    format_interval,
)
from recommenders.model_selection.search import OnProgress, SearchPlan
from recommenders.registry import MODELS
from recommenders.storage import atomic_directory
from recommenders.training.run import peak_memory_mb
from recommenders.training.training_data import read_training_data

AUTO = "auto"
BUDGET_S = 600.0
BASELINE_BUDGET_S = 30.0
"""Seconds to tune the baselines of a named model."""


def command(
    interactions: Annotated[
        Path | None, typer.Option(help="A log: columns user, item, optionally time or position, weight.")
    ] = None,
    test: Annotated[Path | None, typer.Option(help="Interactions to test on: columns user, item.")] = None,
    sessions: Annotated[Path | None, typer.Option(help="Sessions: columns session, position, item.")] = None,
    cases: Annotated[
        Path | None, typer.Option(help="Test sessions: columns prefix (a list), target.")
    ] = None,
    sequences: Annotated[Path | None, typer.Option(help="Sequences: columns user, position, item.")] = None,
    protocol: Annotated[
        str, typer.Option(help=f"What to hold out without a test file: {', '.join(input_files.PROTOCOLS)}.")
    ] = "",
    from_clickhouse: Annotated[
        bool, typer.Option("--from-clickhouse", help="Use the platform's own events, not a file.")
    ] = False,
    ordered: Annotated[
        bool, typer.Option("--ordered", help="The rows of --interactions are in time order, without a time.")
    ] = False,
    attributes: Annotated[Path | None, typer.Option(help="Item attributes: column item, any others.")] = None,
    columns: Annotated[str, typer.Option(help="Your column names: user=uid,item=sku,time=at.")] = "",
    metrics: Annotated[
        str, typer.Option(help="Metrics to report; auto selects by their mean.")
    ] = "recall@20,ndcg@20",
    model: Annotated[str, typer.Option(help=f"{AUTO}, or one of: {', '.join(MODELS)}.")] = AUTO,
    budget: Annotated[
        float | None,
        typer.Option(min=1, help=f"Seconds to tune; default: {BUDGET_S:g} for {AUTO}, else no tuning."),
    ] = None,
    repeats: Annotated[
        bool | None,
        typer.Option(help="Whether to recommend products the user knows; default: as in the log."),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="The same seed gives the same trials in the same order.")
    ] = 0,
    save: Annotated[Path | None, typer.Option(help="A new directory for the model and its card.")] = None,
    as_json_: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Evaluate a model on your own files against popularity and the best baseline, ranking all products.

    Settings are chosen on the training part alone. The test part is used once, at the end.
    """
    files = input_files.InputFiles(
        interactions, test, sessions, cases, sequences, attributes, protocol, ordered
    )
    chosen_metrics = parse_metrics(metrics)
    if model not in (AUTO, *MODELS):
        raise UserError(f"there is no model {model!r}: choose {AUTO} or one of {', '.join(MODELS)}")
    if save is not None and save.exists():
        raise UserError(f"{save} exists already: choose another directory for --save, or remove it")
    console = Console(stderr=as_json_)
    with progress(console) as on_progress:
        on_progress(0, 1, "reading")
        dataset = _platform_dataset(files) if from_clickhouse else input_files.load_dataset(files, columns)
        options = EvaluationOptions(
            MODELS, chosen_metrics, dataset.repeats if repeats is None else repeats, seed
        )
        selection = _select(model, budget, dataset, options, on_progress)
        comparison = compare(dataset, selection.candidates, options, lambda doing: on_progress(0, 1, doing))
    card = ModelCard.of(dataset, comparison, selection.search_summary, options, peak_memory_mb())
    if save is not None:
        save_model(save, comparison.model, card)
    if as_json_:
        print(as_json(card))
    else:
        show(card, console)


def _platform_dataset(files: input_files.InputFiles) -> Dataset:
    """Return the platform's facts, split by the protocol; by default, the newest are held out."""
    if files != input_files.InputFiles(protocol=files.protocol):
        raise UserError(
            "--from-clickhouse can't be combined with a file: it reads the products from ClickHouse, too"
        )
    with connect(Settings.load()) as reader:
        training_data = read_training_data(reader)
    return replace(
        split(training_data.log, "by time", files.protocol or "time"), sellers=training_data.sellers
    )


def _select(
    model: str, budget_s: float | None, dataset: Dataset, options: EvaluationOptions, on_progress: OnProgress
) -> ModelSelection:
    plan = SearchPlan.of(dataset, options, budget_s or BUDGET_S)
    if model == AUTO:
        return select_best_model(plan, on_progress)
    return select_named_model(model, budget_s is not None, plan, BASELINE_BUDGET_S, on_progress)


@contextmanager
def progress(console: Console) -> Iterator[OnProgress]:
    """Show a progress bar, and remove it at the end."""
    columns = (TextColumn("{task.description:<48}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        bar = shown.add_task("", total=None)
        yield lambda done, of, doing: shown.update(bar, completed=done, total=of, description=doing)


def show(card: ModelCard, console: Console) -> None:
    """Print the table of all models, then the notes of the card."""
    names = list(card.judged[0].figures["all"])
    table = Table("model", "part", *names, "coverage", "fit, s", title=f"{card.cases:,} cases: {card.split}")
    for judged in card.judged:
        for part, figures in judged.figures.items():
            first = part == "all"
            model_cells = (f"{judged.reach.coverage:.3f}", f"{judged.fit_s:,.1f}") if first else ("", "")
            metric_cells = [format_interval(figures[name]) for name in names]
            table.add_row(judged.candidate.model if first else "", part, *metric_cells, *model_cells)
    console.print(table)
    for line in card_notes(card):
        console.print(f"• {line}", highlight=False, markup=False, soft_wrap=True)


def save_model(directory: Path, model: Model, card: ModelCard) -> None:
    """Write a model and its card into a new directory, which is not there until all of it is."""
    with atomic_directory(directory) as unfinished:
        model.save(unfinished)
        (unfinished / "card.json").write_text(as_json(card))
        (unfinished / "card.md").write_text(as_markdown(card))
