"""Generates the candidates of each stage of a search in rounds, the most promising first."""

from collections.abc import Callable, Iterator, Sequence

from jobs.recommenders.auto.candidates import (
    MANY_HISTORIES,
    Candidate,
    Models,
    hybrid_candidate,
    neighbouring_candidates,
    neighbouring_hybrids,
    sample_candidates,
)
from jobs.recommenders.auto.trials import TrialResult, complementary_models, select_promoted
from jobs.recommenders.interactions import Interactions
from jobs.recommenders.models.hybrid import Hybrid

Leaders = Callable[[], Sequence[TrialResult]]
"""Returns the trials so far that used the current sample size, best first."""

EXPLORED_PER_MODEL = 40
"""Candidates per model in the stage `explore`, and per round in the stage `refine`."""

MAX_NARROW = 24
"""Candidates in the stage `narrow`."""

REFINED_LEADERS = 3
"""The stage `refine` changes the settings of this many leaders."""

MAX_CONFIRM = 6
"""Candidates in the stage `confirm`."""

HYBRIDS_PER_ROUND = 4
"""Neighbours of the best hybrid that run before the best hybrid is determined again."""

MEMBERS = 4
OTHER_SIZES = (3, 5, 2)
"""The numbers of members in the first hybrids, and in later hybrids."""


def explore(models: Models, seed: int) -> Iterator[list[Candidate]]:
    """Yield every model with its default settings, then candidates with random settings."""
    singles = {name: model for name, model in models.items() if name != Hybrid.NAME} or models
    every = sample_candidates(singles, EXPLORED_PER_MODEL * len(singles), seed)
    yield every[: len(singles)]
    yield every[len(singles) :]


def narrow(leaders: Leaders) -> Iterator[list[Candidate]]:
    """Yield the best candidate of each model, then the next best candidates."""
    yield select_promoted(leaders(), MAX_NARROW, 0)


def refine(leaders: Leaders, models: Models) -> Iterator[list[Candidate]]:
    """Yield the neighbours of the best candidates until all of them have run."""
    yield from _untried(
        leaders,
        lambda: [
            near
            for leader in leaders()[:REFINED_LEADERS]
            for near in neighbouring_candidates(leader.candidate, models)
        ],
        EXPLORED_PER_MODEL,
    )


def combine(leaders: Leaders, models: Models, log: Interactions) -> Iterator[list[Candidate]]:
    """Yield hybrids: first with four members, then with other orders and sizes, then neighbours of the best.

    The first round has the order `sum` and one learned order: `cut` for logs with sessions, else `last`.
    Orders are learned from few histories. If a learned order wins, it is also learned from many histories.
    """
    members = complementary_models(leaders())
    if Hybrid.NAME not in models or len(members) < min(OTHER_SIZES):
        return
    first, *other_orders = (
        ("cut", "last", "random") if log.sessions is not None else ("last", "random", "cut")
    )
    yield [hybrid_candidate(members[:MEMBERS], order) for order in (first, "sum")]
    best_order = str(dict(_best_hybrid(leaders()).settings)["order"])
    sizes = [size for size in OTHER_SIZES if size <= len(members)]
    yield [
        *([hybrid_candidate(members[:MEMBERS], best_order, MANY_HISTORIES)] if best_order != "sum" else []),
        *(hybrid_candidate(members[:MEMBERS], order) for order in other_orders),
        *(hybrid_candidate(members[:size], best_order) for size in sizes),
    ]
    yield from _untried(
        leaders, lambda: neighbouring_hybrids(_best_hybrid(leaders()), members, models), HYBRIDS_PER_ROUND
    )


def confirm(leaders: Leaders) -> Iterator[list[Candidate]]:
    """Yield the best candidates overall, and the best candidates of other models."""
    yield select_promoted(leaders(), MAX_CONFIRM, MAX_CONFIRM // 2)


def _untried(
    leaders: Leaders, near: Callable[[], Sequence[Candidate]], limit: int
) -> Iterator[list[Candidate]]:
    """Yield at most `limit` results of `near` per round, until all of them have run."""
    while True:
        tried = {each.candidate for each in leaders()}
        untried = [each for each in dict.fromkeys(near()) if each not in tried]
        if not untried:
            return
        yield untried[:limit]


def _best_hybrid(leaders: Sequence[TrialResult]) -> Candidate:
    return next(each.candidate for each in leaders if each.candidate.model == Hybrid.NAME)
