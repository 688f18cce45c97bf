"""The model card: a report on the training data, the search, the test results and the cost of a model.

Source: Mitchell et al., Model Cards for Model Reporting, FAT* 2019.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from math import isnan

import numpy as np
import orjson

from recommenders.evaluation.cases import Dataset
from recommenders.evaluation.intervals import LEVEL, Interval, PairedDifference
from recommenders.interactions import Interactions
from recommenders.model_selection.candidates import Candidate
from recommenders.model_selection.comparison import EvaluationOptions, ModelComparison, ModelEvaluation
from recommenders.model_selection.search import SearchPlan, SearchResult


@dataclass(frozen=True)
class DatasetStats:
    """The size of the training log. Times are ISO 8601, or None if the log has no times."""

    events: int
    shoppers: int
    products: int
    repeat_share: float
    first_at: str | None
    last_at: str | None

    @classmethod
    def of(cls, log: Interactions) -> "DatasetStats":
        """Return the statistics of a log."""
        ends = (None, None) if log.times is None else (_moment(log.times.min()), _moment(log.times.max()))
        products = int((log.popularity > 0).sum())
        return cls(len(log), len(np.unique(log.shoppers)), products, log.repeat_share, *ends)


@dataclass(frozen=True)
class SearchSummary:
    """How the model and its settings were chosen."""

    metrics: Sequence[str]
    cuts: Mapping[str, float]
    """Validation split → the mean of the chosen model's metrics."""
    tried: int
    """The number of trials."""
    budget_s: float
    seconds: float
    cut_short: Sequence[str]
    """The stages that had too little time."""
    skipped: Mapping[str, str]
    """Model → the reason why it can't be fitted on this log."""

    @classmethod
    def of(cls, plan: SearchPlan, result: SearchResult, seconds: float) -> "SearchSummary":
        """Summarise a search that took `seconds`."""
        return cls(
            [str(metric) for metric in plan.metrics],
            dict(zip(result.split_names, result.best.means, strict=True)),
            len(result.trials),
            plan.budget_s,
            seconds,
            result.cut_short,
            result.skipped,
        )


@dataclass(frozen=True)
class ModelCard:
    """The card of a model. `judged` holds its evaluation, then those of the models to compare with.

    The fields are those of the JSON form: renaming one breaks the readers of saved cards.
    """

    data: DatasetStats
    split: str
    order: str
    """How the order of the events is known, and what its check found."""
    cases: int
    repeats: bool
    notes: Sequence[str]
    searched: SearchSummary | None
    judged: Sequence[ModelEvaluation]
    differences: Mapping[str, Mapping[str, PairedDifference]]
    seed: int
    peak_memory_mb: float

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        comparison: ModelComparison,
        searched: SearchSummary | None,
        options: EvaluationOptions,
        peak_memory_mb: float,
    ) -> "ModelCard":
        """Return the card of the first model of a comparison on `dataset`."""
        return cls(
            data=DatasetStats.of(dataset.log),
            split=dataset.split,
            order=dataset.order,
            cases=len(dataset.cases),
            repeats=options.repeats,
            notes=tuple(dataset.notes),
            searched=searched,
            judged=comparison.evaluations,
            differences=comparison.differences,
            seed=options.seed,
            peak_memory_mb=peak_memory_mb,
        )


def as_json(card: ModelCard) -> str:
    """Return the card as a JSON object. Figures without cases are null."""
    plain = asdict(card)
    for judged, written in zip(card.judged, plain["judged"], strict=True):
        candidate = judged.candidate
        written["candidate"] = {"model": candidate.model, "settings": dict(candidate.settings)}
    return orjson.dumps(plain, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY).decode()


def as_markdown(card: ModelCard) -> str:
    """Return the card as Markdown."""
    chosen = card.judged[0]
    data = card.data
    between = f", {data.first_at} to {data.last_at}" if data.first_at else ""
    lines = [
        f"# {chosen.candidate.model}",
        "",
        f"Settings: {_settings(chosen.candidate)}.",
        "",
        f"Fitted on {data.events:,} events of {data.shoppers:,} shoppers and {data.products:,} products"
        f"{between} in {chosen.fit_s:,.1f} s. Peak memory {card.peak_memory_mb:,.0f} MB. "
        f"Seed {card.seed}.",
        "",
        f"Evaluated on {card.cases:,} cases: {card.split}. All products are ranked. Lists "
        f"{'may' if card.repeats else 'do not'} show products of the shopper's history.",
        "",
        *_figures(card.judged),
        "",
        *(f"- {line}" for line in card_notes(card)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _figures(judged: Sequence[ModelEvaluation]) -> list[str]:
    names = list(judged[0].figures["all"])
    head = ["model", "part", *names, "coverage", "novelty, bits", "popularity lift"]
    rows = [head, ["---"] * len(head)]
    for each in judged:
        reach = (
            f"{each.reach.coverage:.3f}",
            f"{each.reach.novelty:.1f}",
            f"{each.reach.popularity_lift:+.1f}",
        )
        for part, figures in each.figures.items():
            shown = [format_interval(figures[name]) for name in names]
            rows.append([each.candidate.model, part, *shown, *(reach if part == "all" else ("",) * 3)])
    return [f"| {' | '.join(row)} |" for row in rows] + [
        "",
        f"Intervals have a confidence level of {LEVEL:.0%}.",
    ]


def format_interval(found: Interval) -> str:
    """Return a figure with half the width of its interval, `0.1912 ± 0.0032`, or a dash without cases."""
    return "–" if isnan(found.mean) else f"{found.mean:.4f} ± {(found.high - found.low) / 2:.4f}"


def card_notes(card: ModelCard) -> list[str]:
    """Return notes on the data, the comparisons and the search, one line each."""
    return [
        f"Order of the events: {card.order}",
        *card.notes,
        *_compared(card.differences),
        *_search(card.searched),
    ]


def _compared(differences: Mapping[str, Mapping[str, PairedDifference]]) -> list[str]:
    return [
        f"{metric} against {other}: {found.interval.mean:+.4f} "
        f"({found.interval.low:+.4f} – {found.interval.high:+.4f}), p = {found.p_value:.3f}"
        for other, by_metric in differences.items()
        for metric, found in by_metric.items()
    ]


def _search(searched: SearchSummary | None) -> list[str]:
    if searched is None:
        return ["Not tuned: the model has its default settings."]
    metrics = ("the mean of " if len(searched.metrics) > 1 else "") + " and ".join(searched.metrics)
    cut_short = (
        f" Stages with too little time: {', '.join(searched.cut_short)}." if searched.cut_short else ""
    )
    return [
        f"Chosen by {metrics} in {searched.tried:,} trials on validation splits of the training log. "
        f"They took {searched.seconds:,.0f} s of a budget of {searched.budget_s:,.0f} s.{cut_short}",
        *(f"Validation on {name}: {value:.4f}." for name, value in searched.cuts.items()),
        *(f"Model {name} can't be used here: {reason}." for name, reason in searched.skipped.items()),
    ]


def _settings(candidate: Candidate) -> str:
    return ", ".join(f"{name} {value}" for name, value in candidate.settings) or "none"


def _moment(seconds: np.int64) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()
