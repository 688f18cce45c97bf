"""Generates the candidates of each stage of a search in rounds, the most promising first."""

from collections.abc import Callable, Iterator, Sequence

from recommenders.interactions import Interactions
from recommenders.model_selection.candidates import (
    MANY_HISTORIES,
    Candidate,
    Models,
    TrialResult,
    best_of_each_model,
    complementary_models,
    hybrid_candidate,
    neighbouring_candidates,
    neighbouring_hybrids,
    relative_results,
    sample_candidates,
    select_promoted,
)
from recommenders.models.hybrid import Hybrid

Leaders = Callable[[], Sequence[TrialResult]]
"""Returns the trials so far that used the current sample size, best first."""

EXPLORED_PER_MODEL = 40
"""Candidates per model in the stage `explore`, and per round in the stage `refine`."""

MAX_NARROW = 24
"""Candidates in the stage `narrow`."""

REFINED_LEADERS = 3
"""The stage `refine` changes the settings of this many leaders."""

EXTENDED_LEADERS = 12
"""The stage `extend` changes the settings of this many leaders."""

MAX_WITHOUT_GAIN = 100
"""The stage `extend` ends after this many trials that were not better than the best one before."""

MAX_CONFIRM = 6
"""Candidates in the stage `confirm`, if not more models are competitive."""

COMPETITIVE = 0.7
"""The smallest result of a model relative to the best one with which the model may still turn out best."""

PROMISING = 0.98
"""The smallest result of the best hybrid relative to the best candidate to search among its neighbours."""

HYBRIDS_PER_ROUND = 4
"""Neighbours of the best hybrid that run before the best hybrid is determined again."""

MEMBERS = 4
OTHER_SIZES = (3, 5, 2)
"""The numbers of members in the first hybrids, and in later hybrids."""


def explore(models: Models, seed: int, ordered: bool) -> Iterator[list[Candidate]]:
    """Yield every model with its default settings, then candidates with random settings."""
    singles = {name: model for name, model in models.items() if name != Hybrid.NAME} or models
    every = sample_candidates(singles, EXPLORED_PER_MODEL * len(singles), seed, ordered)
    yield every[: len(singles)]
    yield every[len(singles) :]


def narrow(leaders: Leaders) -> Iterator[list[Candidate]]:
    """Yield the best candidate of each competitive model, then the next best candidates."""
    required, promoted = competitive(leaders()), select_promoted(leaders(), MAX_NARROW, 0)
    yield required
    yield [each for each in promoted if each not in required]


def refine(leaders: Leaders, models: Models, ordered: bool) -> Iterator[list[Candidate]]:
    """Yield the neighbours of the best candidates until all of them have run."""
    yield from _untried(
        leaders,
        lambda: [
            near
            for leader in leaders()[:REFINED_LEADERS]
            for near in neighbouring_candidates(leader.candidate, models, ordered)
        ],
        EXPLORED_PER_MODEL,
    )


def combine(leaders: Leaders, models: Models, log: Interactions) -> Iterator[list[Candidate]]:
    """Yield hybrids: first with four members, then with other orders and sizes, then neighbours of the best.

    The first round has the order `sum` and one learned order: `every` for logs with sessions, `random` for
    logs without an order, else `last`. If there is no time for either, the next round has the sum of two
    models. Orders are learned from few histories. If a learned order wins, it is also learned from many.
    """
    members = complementary_models(leaders())
    if Hybrid.NAME not in models or len(members) < min(OTHER_SIZES):
        return
    first, *other_orders = _orders(log)
    yield [hybrid_candidate(members[:MEMBERS], order) for order in (first, "sum")]
    if _best_hybrid(leaders()) is None:
        yield [hybrid_candidate(members[: min(OTHER_SIZES)], "sum")]
    best = _best_hybrid(leaders())
    if best is None:
        return
    best_order = str(dict(best.settings)["order"])
    yield [
        *([hybrid_candidate(members[:MEMBERS], best_order, MANY_HISTORIES)] if best_order != "sum" else []),
        *(hybrid_candidate(members[:MEMBERS], order) for order in other_orders),
        *(hybrid_candidate(members[:size], best_order) for size in OTHER_SIZES if size <= len(members)),
    ]
    yield from _untried(
        leaders, lambda: _near_promising_hybrid(leaders(), members, models, log.ordered), HYBRIDS_PER_ROUND
    )


def extend(leaders: Leaders, models: Models, seed: int, ordered: bool) -> Iterator[list[Candidate]]:
    """Yield neighbours of the best candidate of each model and of the best candidates, then random ones.

    The stage ends early if it no longer finds better candidates: more trials would only fit the same cases.
    """
    singles = {name: model for name, model in models.items() if name != Hybrid.NAME}

    def near() -> list[Candidate]:
        best = [each for each in leaders() if each.candidate.model in singles]
        starts = [*competitive(best), *(each.candidate for each in best[:EXTENDED_LEADERS])]
        return [
            each
            for start in dict.fromkeys(starts)
            for each in neighbouring_candidates(start, models, ordered)
        ]

    if not leaders() or not singles:
        return
    sampled = sample_candidates(singles, EXPLORED_PER_MODEL * len(singles), seed, ordered)
    names = {each.model for each in competitive(leaders())}
    best, tried = leaders()[0].candidate, len(leaders())
    for candidates in _untried(
        leaders, lambda: [*near(), *(each for each in sampled if each.model in names)]
    ):
        if leaders()[0].candidate != best:
            best, tried = leaders()[0].candidate, len(leaders())
        if len(leaders()) - tried >= MAX_WITHOUT_GAIN:
            return
        yield candidates


def confirm(leaders: Leaders) -> Iterator[list[Candidate]]:
    """Yield the best candidates overall, and the best candidate of every other competitive model.

    If there is no time for all, the next rounds have only three and two of them: the best one, and the best
    single model. Hybrids that are worse than the best single model can't win, and are left out.
    """
    finalists = _without_beaten_hybrids(leaders())
    singles = [each.candidate for each in finalists if each.candidate.model != Hybrid.NAME]
    best = select_promoted(finalists, MAX_CONFIRM, MAX_CONFIRM // 2)
    ranked = list(dict.fromkeys([*best[:1], *singles[:1], *best, *competitive(finalists)]))
    yield from (ranked[:count] for count in (len(ranked), 3, 2))


def competitive(leaders: Sequence[TrialResult]) -> list[Candidate]:
    """Return the best candidate of each model whose result is at least `COMPETITIVE` of the best one."""
    shares = dict(zip((each.candidate for each in leaders), relative_results(leaders), strict=True))
    return [each for each in best_of_each_model(leaders) if shares[each] >= COMPETITIVE]


def _orders(log: Interactions) -> tuple[str, ...]:
    """Return the orders to learn, the most suitable one first."""
    if not log.ordered:
        return ("random",)
    return ("every", "cut", "last", "random") if log.sessions is not None else ("last", "random", "cut")


def _untried(
    leaders: Leaders, near: Callable[[], Sequence[Candidate]], limit: int | None = None
) -> Iterator[list[Candidate]]:
    """Yield at most `limit` results of `near` per round (None: all), until all of them have run."""
    while True:
        tried = {each.candidate for each in leaders()}
        untried = [each for each in dict.fromkeys(near()) if each not in tried]
        if not untried:
            return
        yield untried[:limit]


def _best_hybrid(leaders: Sequence[TrialResult]) -> Candidate | None:
    return next((each.candidate for each in leaders if each.candidate.model == Hybrid.NAME), None)


def _without_beaten_hybrids(leaders: Sequence[TrialResult]) -> list[TrialResult]:
    names = [each.candidate.model for each in leaders]
    first_single = next((place for place, name in enumerate(names) if name != Hybrid.NAME), len(names))
    return [each for place, each in enumerate(leaders) if place < first_single or names[place] != Hybrid.NAME]


def _near_promising_hybrid(
    leaders: Sequence[TrialResult], members: Sequence[Candidate], models: Models, ordered: bool
) -> list[Candidate]:
    """Return the neighbours of the best hybrid, or none if it is worse than the best single model."""
    best = _best_hybrid(leaders)
    shares = dict(zip((each.candidate for each in leaders), relative_results(leaders), strict=True))
    if best is None or shares[best] < PROMISING * max(shares.values()):
        return []
    return neighbouring_hybrids(best, members, models, ordered)
