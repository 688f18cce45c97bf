"""Asks recommenders for candidates until enough of them pass the rules of the shop."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from serving.catalogue.cards import ProductCardLoader
from serving.recommendations.recommender import Proposal, RecommendationRequest, Recommender
from serving.recommendations.rules.checks import offer_to_show, refusal
from serving.recommendations.rules.context import RuleContext
from serving.recommendations.rules.draft import Candidate
from serving.recommendations.rules.limits import Counts

SPARE_CARDS = 4
"""The number of cards that are read beyond the requested number, in case some products are sold out."""

BOOST_DEPTH = 4
"""While a boost or a pin may bring a product up, so many times the requested number of candidates is read."""

DEEPER, DEEPEST = 8, 800
"""If too few products pass, the last recommender is asked for eight times as many, repeatedly, up to 800."""


@dataclass
class Candidates:
    """The candidates so far, best first, with the proposal of each, and how many of them a list may have."""

    ranked: list[Candidate] = field(default_factory=list)
    proposals: dict[str, Proposal] = field(default_factory=dict)
    passing: int = 0
    _counts: Counts = field(default_factory=Counts)

    def add(self, proposal: Proposal, source: str, cards: ProductCardLoader, context: RuleContext) -> None:
        """Add a proposed product, whose card is loaded."""
        card = offer_to_show(cards.offers(proposal.product_id), context)
        rank = len(self.ranked) + 1
        self.ranked.append(Candidate(proposal.product_id, card, source, proposal.score, rank))
        self.proposals[proposal.product_id] = proposal
        if card and refusal(card, context) is None and self._counts.refusal(card, context.rules) is None:
            self._counts.add(card)
            self.passing += 1


async def collect(
    request: RecommendationRequest, n: int, recommenders: Sequence[Recommender], context: RuleContext
) -> Candidates:
    """Return candidates in the order of the recommenders, of which `n` or more pass the rules if there are.

    Raises:
        RedisUnavailable: Redis does not answer.
    """
    found = Candidates()
    for recommender in recommenders:
        if await _take(request, n, n, recommender, context, found):
            return found
    wanted = DEEPER * n
    while wanted // DEEPER < DEEPEST:
        before = len(found.ranked)
        wanted = min(wanted, DEEPEST)
        if await _take(request, n, wanted, recommenders[-1], context, found) or len(found.ranked) == before:
            return found
        wanted *= DEEPER
    return found


async def _take(
    request: RecommendationRequest,
    n: int,
    wanted: int,
    recommender: Recommender,
    context: RuleContext,
    found: Candidates,
) -> bool:
    """Add what a recommender proposes; return whether enough candidates pass."""
    enough = n * BOOST_DEPTH if context.rules.looks_deeper else n
    proposals = [
        one
        for one in await recommender.propose(request, wanted)
        if one.product_id not in found.proposals and one.product_id not in request.excluded
    ]
    # Few products are sold out, so the first slice is usually enough.
    step = enough + SPARE_CARDS
    for start in range(0, len(proposals), step):
        checked = proposals[start : start + step]
        await request.cards.load(_needed(checked))
        for one in checked:
            if one.product_id not in found.proposals:
                found.add(one, recommender.strategy, request.cards, context)
        if found.passing >= enough:
            return True
    return False


async def read_extras(
    product_ids: Iterable[str], cards: ProductCardLoader, context: RuleContext
) -> Mapping[str, Candidate]:
    """Return products that the rules may show although no recommender proposed them, by id.

    Raises:
        RedisUnavailable: Redis does not answer.
    """
    wanted = list(product_ids)
    await cards.load(wanted)
    return {each: Candidate(each, offer_to_show(cards.offers(each), context)) for each in wanted}


def _needed(proposals: Sequence[Proposal]) -> list[str]:
    """Return the proposed products, and the seeds that their reasons name."""
    because = {one.because_of for one in proposals if one.kind == "similar" and one.because_of}
    return [*(one.product_id for one in proposals), *because]
