"""The rules that keep a product out of a list, whoever proposes it. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from serving.kit.offers import Offer, card_order, choose_offer
from serving.recommendations.rules.context import (
    ActiveRules,
    Candidate,
    Draft,
    Effect,
    RuleContext,
    RuleName,
    category_key,
)

DAY_S = timedelta(days=1).total_seconds()


def in_stock(card: Offer, _context: RuleContext) -> bool:
    """Return whether a unit is available. Stock that was never counted is available."""
    return not card.sold_out


def deliverable(card: Offer, context: RuleContext) -> bool:
    """Return whether the shop can sell the offer and its seller can send it.

    The seller still lists it, is not suspended, and sells in the shop's currency, in which the cart pays.
    """
    return (
        card.listed
        and card.seller_id not in context.suspended
        and (context.currency is None or card.currency == context.currency)
    )


def unrestricted(card: Offer, context: RuleContext) -> bool:
    """Return whether the category may be shown: on the page of a product of the same category, always."""
    category = category_key(card.category)
    return category not in context.rules.restricted or category == context.page_category


def not_blocked(card: Offer, context: RuleContext) -> bool:
    """Return whether no block names the product, its seller or its category."""
    return not context.rules.blocks.match(card)


def not_just_bought(card: Offer, context: RuleContext) -> bool:
    """Return whether the visitor has not bought the product, or may need it again.

    A product of a consumable category may be shown again as many days after its last purchase as shoppers
    usually wait. Another product is not shown while its purchase is known.
    """
    bought_at = context.bought.get(card.product_id)
    if bought_at is None:
        return True
    category, rules = category_key(card.category), context.rules
    if category not in rules.consumables:
        return False
    days = rules.intervals.days(card.product_id, category, rules.repurchase_days)
    return context.now_s - bought_at >= days * DAY_S


def not_of_page_group(card: Offer, context: RuleContext) -> bool:
    """Return whether the product is no variant of that of the page, which shows its variants itself."""
    return not card.group_id or card.group_id != context.page_group


Check = Callable[[Offer, RuleContext], bool]

CHECKS: Mapping[RuleName, Check] = {
    "in_stock": in_stock,
    "deliverable": deliverable,
    "restricted_category": unrestricted,
    "block": not_blocked,
    "just_bought": not_just_bought,
    "one_per_group": not_of_page_group,
}
"""The checks in their order."""


def refusal(card: Offer | None, context: RuleContext) -> RuleName | None:
    """Return the first rule that keeps an offer out; None if all let it pass."""
    if card is None:
        return "deliverable"
    return next((rule for rule, check in CHECKS.items() if not check(card, context)), None)


def offer_to_show(offers: Sequence[Offer], context: RuleContext) -> Offer | None:
    """Return the best offer of a product that no check keeps out; if there is none, its best offer.

    If one seller is blocked, suspended or sold out, the product is shown with the offer of another.
    """
    best = choose_offer(offers)
    if len(offers) < 2 or refusal(best, context) is None:
        return best
    return min((each for each in offers if refusal(each, context) is None), key=card_order, default=best)


def keep_passing(draft: Draft, context: RuleContext) -> Draft:
    """Remove the candidates that a check keeps out; the others keep their order."""
    kept: list[Candidate] = []
    removed: list[Effect] = []
    for each in draft.ranked:
        rule = refusal(each.card, context)
        if rule is None:
            kept.append(each)
        else:
            removed.append(Effect(rule, "removed", each.product_id))
    return Draft(kept, draft.placed, (*draft.effects, *removed))


def due_again(bought: Mapping[str, float], now_s: float, rules: ActiveRules) -> set[str]:
    """Return the products that the visitor bought so long ago that a consumable one may be shown again.

    It is empty if no category is consumable. `not_just_bought` checks the category, which needs the card, and
    the interval of that category.
    """
    if not rules.consumables:
        return set()
    least_days = rules.intervals.least_days
    return {
        product
        for product, at in bought.items()
        if now_s - at >= least_days(product, rules.repurchase_days) * DAY_S
    }
