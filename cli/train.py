"""`./souk train`: trains a recommender on the platform's own facts, and publishes it if it is not worse."""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Annotated

import typer
from redis import Redis
from rich.console import Console

from cli.evaluate import progress, show
from common.clock import system_clock
from common.errors import INTERRUPTED
from common.ids import new_id
from common.nights import night_turn
from common.settings import ROOT, Settings
from recommenders.evaluation.metrics import Metric
from recommenders.training.model_registry import ModelRegistry
from recommenders.training.run import train_once
from recommenders.training.train import SERVED_MODELS, TrainingOptions
from recommenders.training.training_data import MAX_EVENTS
from recommenders.training.training_log import TrainingStart

HOUR_S = 3_600.0


def command(
    budget: Annotated[float, typer.Option(min=1, help="Seconds to tune.")] = 600,
    days: Annotated[
        float, typer.Option(min=0.01, help="Newest days, on which the old and the new model are compared.")
    ] = 2,
    metric: Annotated[str, typer.Option(help="Metric of the comparison.")] = "ndcg@20",
    every: Annotated[
        float, typer.Option(min=0, help="Hours from one training to the next; 0 trains once.")
    ] = 0,
    most: Annotated[
        int, typer.Option(min=1_000, help="Maximum number of newest events to learn from.")
    ] = MAX_EVENTS,
    seed: Annotated[
        int, typer.Option(min=0, help="The same seed gives the same trials in the same order.")
    ] = 0,
    roll_back: Annotated[bool, typer.Option("--roll-back", help="Use the previous model again.")] = False,
) -> None:
    """Train on the facts in ClickHouse within a time limit. Ctrl-C leaves the model in use unchanged.

    The new model is served unless it is worse than the one in use. The platform trains by itself every night.
    Ten million events need at most 8 GB of memory (three models: 1.8 GB measured). --most reduces it.
    """
    settings, console = Settings.load(), Console(soft_wrap=True)
    options = TrainingOptions(SERVED_MODELS, Metric.parse(metric), days, budget, seed)
    with Redis.from_url(settings.redis) as redis:
        registry = ModelRegistry(settings.home / "models", redis)
        if roll_back:
            console.print(f"in use: {registry.roll_back()}")
            return
        if every:
            arguments = {"budget": budget, "days": days, "metric": metric, "most": most, "seed": seed}
            repeat(lambda: _train_in_child_process(arguments), every * HOUR_S, time.monotonic, time.sleep)
            return
        with night_turn(settings.home) as is_turn, progress(console) as on_progress:
            if not is_turn:
                console.print("an audit or a training is running, too: both take longer", style="yellow")
            start = TrainingStart(new_id(), system_clock(), "requested")
            trained = train_once(settings, registry, options, most, start, on_progress, system_clock)
    show(trained.card, console)
    console.print(f"{'published' if trained.model else 'kept the model in use'}: {trained.reason}")
    for surface, reason in trained.weight_reasons.items():
        console.print(f"weights of {surface}: {reason}")


def repeat(
    train: Callable[[], int], period_s: float, clock: Callable[[], float], pause: Callable[[float], None]
) -> None:
    """Train once every `period_s`, even after a failed training. Return when a training was interrupted.

    `train` returns its exit code, `clock` seconds.
    """
    while True:
        began_s = clock()
        if train() == INTERRUPTED:
            return
        pause(max(0.0, period_s - (clock() - began_s)))


def _train_in_child_process(options: Mapping[str, object]) -> int:
    """Train once in a child process, and return its exit code. The child prints its own errors.

    Its memory is freed at its end, and each training measures its own peak memory.
    """
    arguments = [f"--{name}={value}" for name, value in options.items()]
    return subprocess.run(
        [sys.executable, "-P", "-m", "cli", "train", *arguments], cwd=ROOT, check=False
    ).returncode
