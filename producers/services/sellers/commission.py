"""Which commission rule applies to an order line, how much it takes, and how other services hear of a rule.

The function `commissions_bp` of the orders service has the same rules for checkouts; a test compares the two.
It reads that service's copy of the rules: a checkout in the moment in which a rule is added may still have
the rule of before, as the frozen commission of its lines says.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from common.money import divide_half_up
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import narrowed

MAX_BP = 10_000
"""All of a line, in basis points."""

MAX_BOUND_MINOR = 10_000_000_000_000
"""The highest minimum or maximum of a rule: the highest gross amount of a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A commission rule as a seller sees it."""

    category: str | None
    rate_bp: int
    minimum_minor: int | None
    maximum_minor: int | None
    currency: str | None
    """The currency of minimum and maximum. They apply to lines in this currency only."""
    valid_from: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionRuleResponse(Term):
    """A commission rule."""

    rule_id: str
    seller_id: str | None
    reason: str
    author: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionRule(CommissionRuleResponse):
    """What the marketplace keeps of a line: by default, in a category, or of a seller."""

    position: int
    """Rules are numbered in the order in which they were added."""

    @property
    def scope(self) -> tuple[str | None, str | None]:
        """The seller and the category for which the rule is. Rules of one scope supersede each other."""
        return self.seller_id, self.category


@dataclass(frozen=True, slots=True)
class CommissionResponse:
    """What a seller pays: one rate for all lines, or a default and rates by category."""

    seller: Term | None
    default: Term | None
    categories: list[Term]
    announced: list[Term]


_PRIVATE = {"reason", "author", "created_at"}


def emit_rule(tx: Transaction, rule: CommissionRule) -> None:
    """Tell other services of a rule that was added. Its reason and its author are of this service alone."""
    public = {name: value for name, value in asdict(rule).items() if name not in _PRIVATE}
    tx.emit("commission_rule_added", **public)


def rules_in_force(rules: Iterable[CommissionRule], at: datetime) -> list[CommissionRule]:
    """Return the newest rule of each scope that is valid at `at`."""
    newest: dict[tuple[str | None, str | None], CommissionRule] = {}
    for rule in sorted(rules, key=lambda rule: (rule.valid_from, rule.position)):
        if rule.valid_from <= at:
            newest[rule.scope] = rule
    return list(newest.values())


def choose_rule(
    rules: Iterable[CommissionRule], seller_id: str, category: str | None, at: datetime
) -> CommissionRule | None:
    """Return the rule for a line: the seller's, else the category's, else the default; None without any."""
    in_force = {rule.scope: rule for rule in rules_in_force(rules, at)}
    by_category = None if category is None else in_force.get((None, category))
    return in_force.get((seller_id, None)) or by_category or in_force.get((None, None))


def commission_of(rules: Sequence[CommissionRule], seller_id: str, now: datetime) -> CommissionResponse:
    """Return what a seller pays. `rules` are those that may apply to its lines.

    A rule of the seller applies to all its lines, so the default and the categories are left out then.
    """
    terms = {rule.scope: narrowed(Term, rule) for rule in rules_in_force(rules, now)}
    own = terms.get((seller_id, None))
    by_category = [term for (_, category), term in sorted(terms.items(), key=str) if category is not None]
    later = sorted((rule for rule in rules if rule.valid_from > now), key=lambda rule: rule.valid_from)
    return CommissionResponse(
        seller=own,
        default=None if own else terms.get((None, None)),
        categories=[] if own else by_category,
        announced=[narrowed(Term, rule) for rule in later if not own or rule.seller_id == seller_id],
    )


def effective_bp(rule: CommissionRule, currency: str, gross_minor: int) -> int:
    """Return the basis points that a rule takes of a line, rounded half up, from 0 to 10,000.

    The minimum and the maximum of a rule are amounts: small lines pay a higher rate, large ones a lower rate.
    """
    rate_bp = rule.rate_bp
    if rule.currency == currency and gross_minor > 0:
        if rule.maximum_minor is not None:
            rate_bp = min(rate_bp, _share_bp(rule.maximum_minor, gross_minor))
        if rule.minimum_minor is not None:
            rate_bp = max(rate_bp, _share_bp(rule.minimum_minor, gross_minor))
    return min(rate_bp, MAX_BP)


def _share_bp(amount_minor: int, gross_minor: int) -> int:
    return divide_half_up(MAX_BP * amount_minor, gross_minor)
