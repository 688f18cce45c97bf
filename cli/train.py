"""`./souk train`: choose a recommender on the platform's own facts, and publish it if it is not worse."""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Annotated

import typer
from redis import Redis
from rich.console import Console

from cli.evaluate import peak_memory_mb, progress, show
from clickhouse.client import connect
from common.clock import Clock, system_clock
from common.errors import INTERRUPTED, UserError
from common.settings import ROOT, Settings
from jobs.recommenders.auto.candidates import Candidate
from jobs.recommenders.evaluation.metrics import Metric
from jobs.recommenders.registry import MODELS
from jobs.training.cards import record
from jobs.training.model_registry import ModelRegistry
from jobs.training.train import NO_MODEL_IN_USE, NoChampion, TrainingOptions, TrainingResult, train
from jobs.training.training_data import MAX_EVENTS, read_training_data

HOUR_S = 3_600.0


def command(
    budget: Annotated[float, typer.Option(min=1, help="Seconds to tune.")] = 600,
    days: Annotated[float, typer.Option(min=0.01, help="Newest days that decide between old and new.")] = 2,
    metric: Annotated[str, typer.Option(help="What decides.")] = "ndcg@20",
    every: Annotated[float, typer.Option(min=0, help="Train again every so many hours; 0: once.")] = 0,
    most: Annotated[int, typer.Option(min=1_000, help="Newest events to learn from.")] = MAX_EVENTS,
    seed: Annotated[int, typer.Option(min=0, help="The same seed tries the same in the same order.")] = 0,
    roll_back: Annotated[bool, typer.Option("--roll-back", help="Go back to the model before.")] = False,
) -> None:
    """Train on the facts in ClickHouse within a time; Ctrl-C leaves the model in use as it is.

    Memory: 8 GB at most for ten million events (seen: three models of so many, 1.8 GB); --most lowers it.
    """
    settings, console = Settings.load(), Console(soft_wrap=True)
    options = TrainingOptions(MODELS, Metric.parse(metric), days, budget, seed)
    with Redis.from_url(settings.redis) as redis:
        registry = ModelRegistry(settings.home / "models", redis)
        if roll_back:
            console.print(f"in use: {registry.roll_back()}")
            return
        if every:
            arguments = {"budget": budget, "days": days, "metric": metric, "most": most, "seed": seed}
            repeat(lambda: _in_a_process(arguments), every * HOUR_S, time.monotonic, time.sleep)
            return
        train_once(settings, registry, options, most, console, system_clock)


def repeat(
    train: Callable[[], int], period_s: float, clock: Callable[[], float], pause: Callable[[float], None]
) -> None:
    """Train once every period, whether the last time failed or not; ends when a training was stopped.

    `train` returns its exit code, `clock` seconds.
    """
    while True:
        began_s = clock()
        if train() == INTERRUPTED:
            return
        pause(max(0.0, period_s - (clock() - began_s)))


def _in_a_process(options: Mapping[str, object]) -> int:
    """One training, which says itself what went wrong; all its memory is free after it, and counted anew."""
    arguments = [f"--{name}={value}" for name, value in options.items()]
    return subprocess.run(
        [sys.executable, "-P", "-m", "cli", "train", *arguments], cwd=ROOT, check=False
    ).returncode


def train_once(
    settings: Settings,
    registry: ModelRegistry,
    options: TrainingOptions,
    most: int,
    console: Console,
    clock: Clock,
) -> TrainingResult:
    """Train, record the card, publish if the new model is not worse, and show the card.

    The card is recorded before anything is published, so none that is in use lacks its card; and again after.

    Raises:
        PartUnavailable: ClickHouse or Redis does not answer.
        UserError: there is too little to learn from.
    """
    champion = _champion(registry, console)
    with progress(console) as on_progress:
        on_progress(0, 1, "reading the facts")
        with connect(settings) as reader:
            training_data = read_training_data(reader, most)
        trained = train(training_data, champion, options, peak_memory_mb, on_progress)
    trained_at = clock()
    version = trained_at.strftime("%Y%m%dT%H%M%S")
    with connect(settings, admin=True) as admin:
        record(admin, version, trained_at, trained, published=False)
        if trained.model is not None:
            registry.publish(trained.model, version)
            record(admin, version, trained_at, trained, published=True)
    show(trained.card, console)
    console.print(f"{'published' if trained.model else 'kept the model in use'}: {trained.reason}")
    return trained


def _champion(registry: ModelRegistry, console: Console) -> Candidate | NoChampion:
    """The model in use as a candidate, or why there is none that this version can compare with."""
    version = registry.in_use()
    if version is None:
        return NO_MODEL_IN_USE
    try:
        model = registry.model(version)
    except UserError as error:
        absent = NoChampion(f"the model in use can't be compared with: {error}")
        console.print(absent.reason, style="yellow", markup=False)
        return absent
    return Candidate.of(type(model), model.settings)
