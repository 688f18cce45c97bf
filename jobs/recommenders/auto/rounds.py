"""What each stage of a search tries, the most promising first, given what was found so far."""

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
"""What was found so far of a size, best first."""

EXPLORED = 40
"""Candidates of each model; few spaces have more that are worth it."""

NARROWED = 24
REFINED = 3
CONFIRMED = 6
HYBRIDS_PER_ROUND = 4
"""Hybrids near the best that are tried before the best is looked for anew."""

MEMBERS = 4
OTHER_SIZES = (3, 5, 2)
"""How many members a hybrid has first, and then."""


def explore(models: Models, seed: int) -> Iterator[list[Candidate]]:
    """Every model as it is, then settings at random."""
    singles = {name: model for name, model in models.items() if name != Hybrid.NAME} or models
    every = sample_candidates(singles, EXPLORED * len(singles), seed)
    yield every[: len(singles)]
    yield every[len(singles) :]


def narrow(leaders: Leaders) -> Iterator[list[Candidate]]:
    """The best of each model, then the next best."""
    yield select_promoted(leaders(), NARROWED, 0)


def refine(leaders: Leaders, models: Models) -> Iterator[list[Candidate]]:
    """What is one step away from the best, again and again."""
    yield from _unseen(
        leaders,
        lambda: [
            near for one in leaders()[:REFINED] for near in neighbouring_candidates(one.candidate, models)
        ],
        EXPLORED,
    )


def combine(leaders: Leaders, models: Models, log: Interactions) -> Iterator[list[Candidate]]:
    """Hybrids of four: a learned order and the sum; other orders and sizes; what is near the best.

    Orders are learned from few histories first, the best of them then from many. First of all what is held
    out to learn from as the log's cuts are: after a cut in new visits where there are visits, else the last
    event of each shopper.
    """
    members = complementary_models(leaders())
    if Hybrid.NAME not in models or len(members) < min(OTHER_SIZES):
        return
    first, *others = ("cut", "last", "random") if log.sessions is not None else ("last", "random", "cut")
    yield [hybrid_candidate(members[:MEMBERS], order) for order in (first, "sum")]
    best = str(dict(_best_hybrid(leaders()).settings)["order"])
    sizes = [size for size in OTHER_SIZES if size <= len(members)]
    yield [
        *([hybrid_candidate(members[:MEMBERS], best, MANY_HISTORIES)] if best != "sum" else []),
        *(hybrid_candidate(members[:MEMBERS], order) for order in others),
        *(hybrid_candidate(members[:size], best) for size in sizes),
    ]
    yield from _unseen(
        leaders, lambda: neighbouring_hybrids(_best_hybrid(leaders()), members, models), HYBRIDS_PER_ROUND
    )


def confirm(leaders: Leaders) -> Iterator[list[Candidate]]:
    """The best of all, and the best of other models beside them."""
    yield select_promoted(leaders(), CONFIRMED, CONFIRMED // 2)


def _unseen(
    leaders: Leaders, near: Callable[[], Sequence[Candidate]], limit: int
) -> Iterator[list[Candidate]]:
    """Near candidates that were not tried yet, at most so many at once, until there is none."""
    while True:
        seen = {each.candidate for each in leaders()}
        found = [each for each in dict.fromkeys(near()) if each not in seen]
        if not found:
            return
        yield found[:limit]


def _best_hybrid(leaders: Sequence[TrialResult]) -> Candidate:
    return next(each.candidate for each in leaders if each.candidate.model == Hybrid.NAME)
