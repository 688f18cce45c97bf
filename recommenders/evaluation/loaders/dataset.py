"""A data set for evaluation: a log, test cases, and the validation splits of the log."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from recommenders.evaluation.cases import Cases, EvaluationSplit
from recommenders.histories import Ints
from recommenders.interactions import Interactions
from recommenders.vocabulary import Codes

REPEATS = 0.02
"""Lists may show products of the history if at least this share of the log's events repeat a product."""


@dataclass(frozen=True)
class Dataset:
    """A log to fit the final model on, and the test cases that evaluate this model once, at the end.

    `validation_splits` maps a seed to the splits that settings are chosen on, cut from the log alone. `split`
    describes how the test cases were held out. `order` describes the order of the events, and what its check
    found. `notes` are remarks for the reader, for example about unknown ids.

    `confirmation_splits` maps a seed to other random splits, which the last stage of a search uses together;
    None means the same splits. Settings that only fit the first splits by chance don't win on these.

    `sellers` is the seller of each product, int32 [products], -1 if unknown. `visits` is the visit of each
    case, int64 [cases], or None if each case belongs to a different shopper.
    """

    log: Interactions
    cases: Cases
    split: str
    validation_splits: Callable[[int], Sequence[EvaluationSplit]]
    notes: Sequence[str] = ()
    confirmation_splits: Callable[[int], Sequence[EvaluationSplit]] | None = None
    sellers: Codes | None = None
    visits: Ints | None = None
    order: str = "by time"

    @property
    def repeats(self) -> bool:
        """Whether lists should show products of the history, because the log has many repeats."""
        return self.log.repeat_share >= REPEATS
