"""One training: search on the older days, a duel on the newest, and a fit on all of it if that was won."""

from collections.abc import Callable
from dataclasses import dataclass

from common.errors import UserError
from jobs.recommenders.auto.candidates import Candidate, Models
from jobs.recommenders.auto.card import Card
from jobs.recommenders.auto.comparison import Asked, Compared, compare
from jobs.recommenders.auto.contest import best_of_all
from jobs.recommenders.auto.search import OnProgress, Plan
from jobs.recommenders.base import Model
from jobs.recommenders.evaluation.cases import Trial, shoppers_held_out
from jobs.recommenders.evaluation.metrics import Metric
from jobs.recommenders.evaluation.read.brought import Brought
from jobs.recommenders.evaluation.read.interactions import cuts
from jobs.recommenders.interactions import DAY_S, Interactions
from jobs.training.facts import Facts


@dataclass(frozen=True)
class Terms:
    """How to train: `days` newest days decide the duel, `budget_s` seconds go into the search."""

    models: Models
    metric: Metric
    days: float
    budget_s: float
    seed: int


@dataclass(frozen=True)
class Absent:
    """Why there is no model in use that could be compared with."""

    reason: str


NONE_IN_USE = Absent("there was no model in use")


@dataclass(frozen=True)
class Trained:
    """The challenger, fitted on all events if it won, None if it did not; and the card of the duel."""

    model: Model | None
    card: Card
    reason: str


def train(
    facts: Facts,
    champion: Candidate | Absent,
    terms: Terms,
    memory_mb: Callable[[], float],
    on_progress: OnProgress,
) -> Trained:
    """Search, duel, fit.

    Both sides of the duel are fitted on what came before the newest days: what is judged is the choice of
    model and settings, and neither has seen the days that it is judged on.

    Raises:
        UserError: the events are of too few days, or no model can be fitted on them.
    """
    trial = newest_days(facts.log, terms.days)
    brought = Brought(
        trial.log, trial.cases, trial.name, lambda seed: cuts(trial.log, seed), sellers=facts.sellers
    )
    asked = Asked(terms.models, [terms.metric], brought.repeats, terms.seed)
    contest = best_of_all(Plan.of(brought, asked, terms.budget_s), on_progress)
    challenger, *baselines = contest.candidates
    in_use = [] if isinstance(champion, Absent) else [champion]
    judged = list(dict.fromkeys([challenger, *in_use, *baselines]))
    compared = compare(brought, judged, asked, lambda doing: on_progress(0, 1, doing))
    card = Card.of(brought, compared, contest.searched, asked, memory_mb())
    won, reason = verdict(challenger, champion, compared, terms.metric)
    if not won:
        return Trained(None, card, reason)
    on_progress(0, 1, f"fitting {challenger.model} on all events")
    return Trained(challenger.build(terms.models).fit(facts.log), card, reason)


def newest_days(log: Interactions, days: float) -> Trial:
    """The log before its newest `days`, and what its shoppers did in them.

    Raises:
        UserError: all events are of these days, or nobody came before and in them.
    """
    if log.times is None:
        raise UserError("the log has no times: the newest days can't be told")
    held = log.times > log.times.max() - days * DAY_S
    if held.all():
        raise UserError(f"all events are of the newest {days:g} days: wait, or set --days lower")
    trial = shoppers_held_out(log, held, f"the newest {days:g} days")
    if not len(trial.cases):
        raise UserError(f"nobody came before and in the newest {days:g} days: set --days otherwise")
    return trial


def verdict(
    challenger: Candidate, champion: Candidate | Absent, compared: Compared, metric: Metric
) -> tuple[bool, str]:
    """Whether the challenger is published, and why: a champion that is better on average keeps its place.

    Where both are as good, the newer model wins, since it knows the newest days.
    """
    if isinstance(champion, Absent):
        return True, champion.reason
    if champion == challenger:
        return True, "the same model and settings as in use, fitted on newer events"
    found = compared.differences[str(champion)][str(metric)].interval
    said = (
        f"{metric} {found.mean:+.4f} ({found.low:+.4f} to {found.high:+.4f}) against {champion.model} in use"
    )
    return found.mean >= 0, said
