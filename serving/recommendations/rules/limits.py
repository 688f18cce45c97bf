"""At most n products of a seller and m of a category in a list. Pure."""

from collections import Counter
from collections.abc import Iterable

from serving.kit.offers import Offer
from serving.recommendations.rules.context import ActiveRules, RuleContext
from serving.recommendations.rules.draft import Candidate, Draft, Effect, Placed, RuleName
from serving.recommendations.rules.targets import category_key


class Counts:
    """The products of each seller and category in a list. A product without a category counts in none."""

    def __init__(self, placed: Iterable[Placed] = ()) -> None:
        self._of_seller: Counter[str] = Counter()
        self._of_category: Counter[str] = Counter()
        for each in placed:
            if each.candidate.card:
                self.add(each.candidate.card)

    def add(self, card: Offer) -> None:
        """Count an offer."""
        self._of_seller[card.seller_id] += 1
        if category := category_key(card.category):
            self._of_category[category] += 1

    def refusal(self, card: Offer, rules: ActiveRules) -> RuleName | None:
        """Return the limit that another offer would exceed; None if there is room for it."""
        if self._of_seller[card.seller_id] >= rules.max_per_seller:
            return "max_per_seller"
        category = category_key(card.category)
        if category and self._of_category[category] >= rules.max_per_category:
            return "max_per_category"
        return None


def may_have_any(placed: Iterable[Placed], n: int, rules: ActiveRules) -> bool:
    """Return whether a list may have any `n` of these products, whichever they are."""
    cards = [each.candidate.card for each in placed if each.candidate.card]
    of_seller = Counter(card.seller_id for card in cards)
    of_category = Counter(category for card in cards if (category := category_key(card.category)))
    most = min(n, max(of_seller.values(), default=0)), min(n, max(of_category.values(), default=0))
    return most[0] <= rules.max_per_seller and most[1] <= rules.max_per_category


def limit(draft: Draft, context: RuleContext) -> Draft:
    """Remove ranked products beyond the limits. Products with a place of their own count first."""
    counts = Counts(draft.placed.values())
    kept: list[Candidate] = []
    removed: list[Effect] = []
    for each in draft.ranked:
        if each.card is None:
            continue
        rule = counts.refusal(each.card, context.rules)
        if rule is None:
            counts.add(each.card)
            kept.append(each)
        else:
            removed.append(Effect(rule, "removed", each.product_id))
    return Draft(kept, draft.placed, (*draft.effects, *removed))
