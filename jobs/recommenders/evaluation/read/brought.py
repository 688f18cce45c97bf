"""What was brought to be judged on: a log, the cases of the test, and how to cut a validation off the log."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jobs.recommenders.evaluation.cases import Cases, Trial
from jobs.recommenders.histories import Ints
from jobs.recommenders.interactions import Interactions
from jobs.recommenders.vocabulary import Codes

REPEATS = 0.02
"""Lists may show what a shopper knows where at least this share of a log's events repeat a product."""


@dataclass(frozen=True)
class Brought:
    """A log that the final model is fitted on, and the cases that it is judged with, once, at the end.

    `cuts` makes the trials that settings are chosen with, from the log alone. `split` says how the cases were
    cut; `notes` what the reader should know: ids that training never saw, shoppers left out; `sellers` is the
    seller of each product, int32 [products], -1 where none is known; `visits` the visit of each case, int64
    [cases], None where each case is of another shopper.
    """

    log: Interactions
    cases: Cases
    split: str
    cuts: Callable[[int], Sequence[Trial]]
    notes: Sequence[str] = ()
    sellers: Codes | None = None
    visits: Ints | None = None

    @property
    def repeats(self) -> bool:
        """Whether shoppers of the log come back to products so often that lists should show them again."""
        return self.log.repeat_share >= REPEATS
