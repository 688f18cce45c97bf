"""Compares our item-item model with implicit's, tuned in the same way, on public data."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
from implicit.utils import ParameterWarning
from rich.console import Console
from rich.table import Table
from scipy.sparse import csr_array, csr_matrix

from bench.recommenders.published_results import TASKS, command_line
from jobs.recommenders.auto.comparison import EvaluationOptions, ModelComparison, compare
from jobs.recommenders.auto.plan import SearchPlan
from jobs.recommenders.auto.search import choose
from jobs.recommenders.base import Model
from jobs.recommenders.evaluation.loaders import files as input_files
from jobs.recommenders.evaluation.loaders.dataset import Dataset
from jobs.recommenders.evaluation.metrics import parse_metrics
from jobs.recommenders.interactions import Interactions
from jobs.recommenders.item_weights import ItemWeights
from jobs.recommenders.models.item_item import ItemItem

_WEIGHTINGS = {"cosine": CosineRecommender, "tfidf": TFIDFRecommender, "bm25": BM25Recommender}


@dataclass
class ImplicitItemItem(ItemWeights):
    """`implicit.nearest_neighbours`, which has neither `decay` nor `trend`: they stay at 1 and 0."""

    NAME = "implicit_item_item"
    SPACE: ClassVar[dict[str, tuple[Any, ...]]] = {
        "weighting": ("cosine", "tfidf", "bm25"),
        "neighbours": (500, 100, 30),
    }

    weighting: str = "cosine"
    neighbours: int = 500

    def _item_weights(self, log: Interactions) -> csr_array:
        model = _WEIGHTINGS[self.weighting](K=self.neighbours)
        model.fit(csr_matrix(log.affinity), show_progress=False)
        found = csr_array(model.similarity)
        return csr_array((found.data.astype(np.float32), found.indices, found.indptr), shape=found.shape)


class PlainItemItem(ItemItem):
    """Our item-item model without two features that implicit's lacks: the decay of events, and the trend."""

    NAME = "plain_item_item"
    SPACE: ClassVar[dict[str, tuple[Any, ...]]] = {
        name: ItemItem.SPACE[name] for name in ("weighting", "neighbours")
    }


MODELS: Sequence[type[Model]] = (ItemItem, PlainItemItem, ImplicitItemItem)
"""Models that are compared with each other: ours first, implicit's last."""

FILES = tuple(each.name for each in fields(input_files.InputFiles) if each.name != "protocol")


def run(data: Path, names: Sequence[str], budget_s: float, console: Console) -> Mapping[str, ModelComparison]:
    """Tune each model for `budget_s` seconds on the training part, then judge all on the same cases.

    Returns the comparison of each task, by name.

    Raises:
        UserError: a file of the data sets is missing.
    """
    warnings.simplefilter("ignore", ParameterWarning)  # implicit warns that it converts its own matrices
    models = {model.NAME: model for model in MODELS}
    comparisons = {}
    for name in names:
        with command_line(TASKS[name], data) as arguments:
            options = dict(zip(arguments[::2], arguments[1::2], strict=True))
            dataset = _dataset(options)
        evaluation = EvaluationOptions(
            models, parse_metrics(options["--metrics"]), repeats=dataset.repeats, seed=0
        )
        plan = SearchPlan.of(dataset, evaluation, budget_s)
        best = []
        for model in MODELS:
            with console.status(f"{name}: tuning {model.NAME}"):
                own_plan = replace(plan, models={model.NAME: model})
                best.append(choose(own_plan, lambda *_: None).best.candidate)
        with console.status(f"{name}: judging"):
            comparisons[name] = compare(dataset, best, evaluation, lambda _: None)
    return comparisons


def show(comparisons: Mapping[str, ModelComparison], console: Console) -> None:
    """Print a row for each model: figures, by how much ours is better, and the seconds to fit and to rank."""
    table = Table("data", "model", "figures", "ours minus this model (95 %)", "fit, s", "rank, s")
    for task, comparison in comparisons.items():
        for judged in comparison.evaluations:
            figures = ", ".join(f"{name} {figure.mean:.4f}" for name, figure in judged.figures["all"].items())
            differences = comparison.differences.get(str(judged.candidate), {})
            intervals = [value.interval for value in differences.values()]
            shown = ", ".join(f"{each.mean:+.4f} ({each.low:+.4f} to {each.high:+.4f})" for each in intervals)
            seconds = f"{judged.fit_s:.1f}", f"{judged.ask_s:.1f}"
            table.add_row(task, str(judged.candidate), figures, shown, *seconds)
    console.print(table)


def _dataset(options: Mapping[str, str]) -> Dataset:
    """Read the data set that the options of `./souk evaluate` name."""
    files: dict[str, Any] = {file: Path(options[f"--{file}"]) for file in FILES if f"--{file}" in options}
    protocol = options.get("--protocol", "")
    named = input_files.InputFiles(**files, protocol=protocol)
    return input_files.load_dataset(named, options.get("--columns", ""))
