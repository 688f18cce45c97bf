"""Asks the sources of a strategy for candidates until enough of them pass the rules of the shop."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.published_model.weights import DISCOUNT, Weights
from serving.kit.offers import Offer
from serving.kit.product_cards import ProductCardLoader
from serving.recommendations.product_cache import InterestCache
from serving.recommendations.proposal import (
    OF_PRODUCTS,
    Because,
    Proposal,
    blend,
    discounted,
    weights_until_supported,
)
from serving.recommendations.recommender import (
    CANDIDATES,
    ItemNeighbours,
    RecommendationRequest,
    Recommender,
    ask_source,
)
from serving.recommendations.rules.checks import offer_to_show, refusal
from serving.recommendations.rules.context import Candidate, RuleContext, category_key
from serving.recommendations.rules.step import Counts
from serving.recommendations.schemas import AskedSource
from serving.recommendations.similar_attributes import SimilarAttributes
from serving.recommendations.strategies import Strategy

SPARE_CARDS = 4
"""The number of cards that are read beyond the requested number, in case some products are sold out."""

BOOST_DEPTH = 4
"""While a boost or a pin may bring a product up, so many times the requested number of candidates is read."""

DEEPER, DEEPEST = 8, 800
"""If too few products pass, the last source is asked for eight times as many, repeatedly, up to 800."""


@dataclass
class Candidates:
    """The candidates so far, best first, with the proposal and the main cause of each.

    `passing` is how many of them a list may have.

    `parts` is what each source that was asked did, and `blended` what each source proposed whose scores are
    added up.
    """

    ranked: list[Candidate] = field(default_factory=list)
    proposals: dict[str, Proposal] = field(default_factory=dict)
    causes: dict[str, Because] = field(default_factory=dict)
    passing: int = 0
    parts: dict[str, AskedSource] = field(default_factory=dict)
    blended: Mapping[str, Sequence[Proposal]] = field(default_factory=dict)
    _counts: Counts = field(default_factory=Counts)

    def add(self, proposal: Proposal, cause: Because, offers: Sequence[Offer], context: RuleContext) -> None:
        """Add a proposed product with its offers."""
        card = offer_to_show(offers, context)
        self.ranked.append(Candidate(proposal.product_id, card, proposal.score, len(self.ranked) + 1))
        self.proposals[proposal.product_id] = proposal
        self.causes[proposal.product_id] = cause
        if card and refusal(card, context) is None and self._counts.refusal(card, context.rules) is None:
            self._counts.add(card)
            self.passing += 1


class CandidateCollector:
    """Collects the candidates of one answer of at most `n` products."""

    def __init__(
        self,
        recommenders: Mapping[str, Recommender],
        request: RecommendationRequest,
        n: int,
        context: RuleContext,
        interest: InterestCache | None = None,
    ) -> None:
        self.found = Candidates()
        self._recommenders, self._interest = recommenders, interest
        self._request, self._n, self._context = request, n, context
        self._enough = n * BOOST_DEPTH if context.rules.looks_deeper else n
        self._asked: dict[tuple[str, int], Sequence[Proposal]] = {}

    async def collect(self, strategy: Strategy, weights: Weights, surface: str) -> Candidates:
        """Return the best of the blended sources, then of the fallbacks in turn, until `n` pass the rules.

        `weights` are the learned ones; a strategy may have others.

        Raises:
            RedisUnavailable: Redis does not answer.
        """
        blended = {each: await self._ask(each, self._n) for each in strategy.blended}
        used = await self._with_unsupported(strategy, blended, strategy.weights(weights, surface))
        self.found.blended = blended
        limit = max(CANDIDATES, 2 * self._n)
        if await self._take(await self._ranked(blended, used, limit)):
            return self.found
        for name in strategy.fallbacks:
            if await self._take(_relative(name, await self._ask(name, self._n))):
                return self.found
        if strategy.fallbacks:
            await self._look_deeper(strategy.fallbacks[-1])
        return self.found

    async def _with_unsupported(
        self, strategy: Strategy, blended: dict[str, Sequence[Proposal]], weights: Mapping[str, float]
    ) -> Mapping[str, float]:
        """Ask the source that counts until visits support the others, and return the weights of all."""
        source = strategy.until_supported
        alike = self._recommenders.get(source or "")
        if source is None or not isinstance(alike, SimilarAttributes):
            return weights
        lacking = await alike.lacking(self._request)
        if lacking == 0.0:
            return weights
        answered = [name for name, proposals in blended.items() if proposals]
        blended[source] = await self._ask(source, self._n)
        return weights_until_supported(weights, answered, ItemNeighbours.strategy, source, 1.0 - lacking)

    async def _ranked(
        self, blended: Mapping[str, Sequence[Proposal]], weights: Mapping[str, float], limit: int
    ) -> Sequence[Proposal]:
        exponent = weights.get(DISCOUNT, 0.0)
        if self._interest is None or exponent == 0.0:
            return blend(blended, weights, limit)
        every = blend(blended, weights, sum(map(len, blended.values())))
        popularity = await self._interest.of((one.product_id for one in every), self._request.cards.prefix)
        return discounted(every, popularity, exponent, limit)

    async def _look_deeper(self, name: str) -> None:
        wanted = DEEPER * self._n
        while wanted // DEEPER < DEEPEST:
            before, wanted = len(self.found.ranked), min(wanted, DEEPEST)
            proposals = _relative(name, await self._ask(name, wanted))
            if await self._take(proposals) or len(self.found.ranked) == before:
                return
            wanted *= DEEPER

    async def _ask(self, name: str, wanted: int) -> Sequence[Proposal]:
        """Return what a source proposes. A blended source that is also a fallback is asked once."""
        if (name, wanted) not in self._asked:
            proposals, part = await ask_source(self._recommenders[name], self._request, wanted)
            self.found.parts.setdefault(name, part)
            self._asked[name, wanted] = proposals
        return self._asked[name, wanted]

    def _is_wanted(self, product_id: str) -> bool:
        """Return whether no offer of a product, whose card is loaded, is in a category of substitutes."""
        substitutes = self._request.substitutes
        if not substitutes:
            return True
        categories = {category_key(each.category) for each in self._request.cards.offers(product_id)}
        return None not in categories and categories.isdisjoint(substitutes)

    def _is_in_its_category(self, product_id: str, cause: Because) -> bool:
        """Return whether a product, whose card is loaded, is in the category in which it is popular.

        After a restart, the job can read the change of a category before the listing. Then the product is
        still ranked in its old category. Cached rankings lag, too.
        """
        offers = self._request.cards.offers(product_id)
        return cause.kind != "category" or any(each.listed and each.category == cause.of for each in offers)

    def _offers(self, product_id: str) -> Sequence[Offer]:
        """Return the wanted offers of a product whose card is loaded."""
        offers, sellers = self._request.cards.offers(product_id), self._request.sellers
        return [each for each in offers if each.seller_id in sellers] if sellers else offers

    async def _take(self, proposals: Sequence[Proposal]) -> bool:
        """Add proposals, best first; return whether enough candidates pass."""
        found, cards = self.found, self._request.cards
        known = self._request.excluded
        usable = [
            one for one in proposals if one.product_id not in found.proposals and one.product_id not in known
        ]
        # Few products are sold out, so the first slice is usually enough.
        step = self._enough + SPARE_CARDS
        for start in range(0, len(usable), step):
            checked = [(one, one.main_cause()) for one in usable[start : start + step]]
            await cards.load(_needed(checked))
            for one, cause in checked:
                product_id = one.product_id
                is_new = product_id not in found.proposals
                if is_new and self._is_wanted(product_id) and self._is_in_its_category(product_id, cause):
                    found.add(one, cause, self._offers(product_id), self._context)
            if found.passing >= self._enough:
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


def _relative(name: str, proposals: Sequence[Proposal]) -> list[Proposal]:
    """Return the proposals of one source, each with its score relative to the best one."""
    best = max((one.score for one in proposals), default=0.0) or 1.0
    return [one._replace(sources={name: one.score / best}) for one in proposals]


def _needed(proposals: Sequence[tuple[Proposal, Because]]) -> list[str]:
    """Return the proposed products, and the seeds that their reasons name."""
    because = {cause.of for _, cause in proposals if cause.kind in OF_PRODUCTS and cause.of}
    return [*(one.product_id for one, _ in proposals), *because]
