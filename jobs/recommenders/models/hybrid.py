"""Several models together: their candidates, in an order that is learned from what was held out."""

import json
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from common.errors import UserError
from jobs.recommenders.base import Model
from jobs.recommenders.base_models import BASE_MODELS
from jobs.recommenders.fit_cache import FitCache
from jobs.recommenders.histories import Floats, Histories
from jobs.recommenders.interactions import Interactions
from jobs.recommenders.ranking import RankedLists, exclude, top_k
from jobs.recommenders.reranking import trees
from jobs.recommenders.reranking.features import features, interest
from jobs.recommenders.reranking.split import HoldOutMethod, RerankingSplit
from jobs.recommenders.storage import StoredModel

SEED = 0
HISTORIES_AT_ONCE = 250
"""Histories whose features are in memory at once while learning."""


@dataclass
class Hybrid(Model):
    """The `candidates` best by Σ s(m) / |s(m)| over the members m, then in the order of boosted trees.

    `members` is a JSON object of model names and their settings. The size |s| of a member's scores is their
    root mean square over the products. `order` is `sum` (nothing is learned), or what is held out of
    `learned_from` histories to learn from: the `last` event, one after a `cut` in new visits, or some at
    `random`. The members that the order is learned with never saw what is held out; those that answer are
    fitted on the whole log. Hybrids that are given one `cache` fit the members that they share once.
    Source of the two stages: Covington, Adams and Sargin, Deep Neural Networks for YouTube Recommendations,
    RecSys 2016.
    """

    NAME = "hybrid"
    SPACE: ClassVar[dict[str, tuple[Any, ...]]] = {
        "members": (
            '{"graph_filter": {}, "ridge": {}}',
            '{"transitions": {}, "session_knn": {}, "item_item": {"decay": 0.7}, "repeat": {}}',
            '{"graph_filter": {"decay": 0.8}, "ridge": {"decay": 0.8}, "transitions": {"decay": 0.7}}',
            '{"ridge": {"decay": 0.8}, "transitions": {}, "session_knn": {}, "repeat": {}, "popularity": {}}',
        ),
        "order": ("sum", "cut", "last", "random"),
        "learned_from": (10_000, 2_500),
    }

    members: str = '{"transitions": {}, "session_knn": {}, "item_item": {"decay": 0.7}, "repeat": {}}'
    order: str = "cut"
    candidates: int = 120
    rounds: int = 120
    learned_from: int = 10_000

    def __post_init__(self) -> None:
        if self.order not in ("sum", "cut", "last", "random"):
            raise UserError(f"order {self.order!r} is not known: choose from sum, cut, last, random")
        self._members = _built(self.members)
        self.cache = FitCache()

    @property
    def member_models(self) -> list[Model]:
        """The members."""
        return list(self._members.values())

    @property
    def learns(self) -> bool:
        """Whether the order is learned."""
        return self.order != "sum"

    def _learn(self, log: Interactions) -> dict[str, NDArray[Any]]:
        order = self._learned_order(log)
        self._members = self._fitted(log)
        of_members = {
            f"{name}.{array}": values
            for name, member in self._members.items()
            for array, values in member.arrays.items()
        }
        return of_members | order | {"interest": interest(log)}

    def _learned_order(self, log: Interactions) -> dict[str, NDArray[Any]]:
        if not self.learns:
            return {}
        method: HoldOutMethod = self.order  # type: ignore[assignment]
        held = self.cache.hold_out(log, self.learned_from, method)
        if held is None:
            return {}
        self._members = self._fitted(held.log)
        known, labels = self._examples(held)
        if labels.all() or not labels.any():
            return {}
        return trees.learn(known, labels, self.rounds, SEED)

    def _fitted(self, log: Interactions) -> dict[str, Model]:
        return {name: self.cache.fit(member, log) for name, member in self._members.items()}

    def _examples(self, held: RerankingSplit) -> tuple[Floats, NDArray[np.bool_]]:
        """Features and labels of the candidates of every history of which one is a target."""
        repeated = held.histories.matrix(held.log.product_count).multiply(
            held.targets.matrix(held.log.product_count)
        )
        known, labels, interesting = [], [], interest(held.log)
        for start in range(0, len(held.histories), HISTORIES_AT_ONCE):
            histories, targets = (
                each[start : start + HISTORIES_AT_ONCE] for each in (held.histories, held.targets)
            )
            scores, total = self._summed(histories)
            if not repeated.nnz:
                exclude(total, histories)
            chosen = top_k(total, min(self.candidates, held.log.product_count), held.log.popularity).products
            wanted = np.zeros(total.shape, np.bool_)
            wanted[targets.rows, targets.products] = True
            found = np.take_along_axis(wanted, np.maximum(chosen, 0), axis=1) & (chosen >= 0)
            useful = np.repeat(found.any(axis=1), chosen.shape[1]) & (chosen >= 0).ravel()
            every = features(scores, np.maximum(chosen, 0), histories, interesting)
            known.append(every[useful])
            labels.append(found.ravel()[useful])
        return np.concatenate(known), np.concatenate(labels)

    def _summed(self, histories: Histories) -> tuple[list[Floats], Floats]:
        """The scores of each member, and their sum on one scale."""
        scores = [member.scores(histories) for member in self._members.values()]
        sizes = [np.sqrt(np.mean(np.square(each), axis=1, keepdims=True)) for each in scores]
        total = sum((each / np.maximum(size, 1e-12) for each, size in zip(scores, sizes, strict=True)))
        return scores, np.asarray(total, np.float32)

    def scores(self, histories: Histories) -> Floats:
        """Candidates by the learned order, above 0; below it the others, by the sum over the members.

        Of an empty history there is only the sum.
        """
        return self._scored(histories, None)

    def _block(self, histories: Histories, k: int, excluded: Histories | None) -> RankedLists:
        return top_k(self._scored(histories, excluded), k, self.popularity)

    def _scored(self, histories: Histories, excluded: Histories | None) -> Floats:
        scores, total = self._summed(histories)
        if excluded is not None:
            exclude(total, excluded)
        learned = histories.lengths > 0  # nothing was learned of whoever did nothing yet
        if "tree_starts" not in self.arrays or not learned.any():
            return total
        chosen = top_k(total, min(self.candidates, self.product_count), self.popularity).products
        there = (chosen >= 0) & learned[:, None]
        chosen = np.maximum(chosen, 0)
        log_odds = trees.predict(self.arrays, features(scores, chosen, histories, self.arrays["interest"]))
        total /= 1.0 + np.abs(np.where(np.isfinite(total), total, 0.0)).max()
        total -= 1.0
        rows, places = np.nonzero(there)
        total[rows, chosen[there]] = 1.0 / (1.0 + np.exp(-log_odds.reshape(chosen.shape)[rows, places]))
        return total

    @property
    def history_decay(self) -> float:
        """The smallest of the members: a hybrid of a visit follows the visit."""
        return min(member.history_decay for member in self._members.values())

    @classmethod
    def from_stored(cls, stored: StoredModel) -> Self:
        """The model that was saved, its members among its arrays.

        Raises:
            UserError: its settings are not those of this model.
        """
        model = super().from_stored(stored)
        for name, member in model._members.items():
            member.vocabulary = model.vocabulary
            member.arrays = {
                array.removeprefix(f"{name}."): values
                for array, values in stored.arrays.items()
                if array.startswith(f"{name}.")
            }
        return model


def _built(members: str) -> dict[str, Model]:
    """The models that the JSON object names, not fitted yet."""
    try:
        return {name: BASE_MODELS[name](**settings) for name, settings in json.loads(members).items()}
    except KeyError as error:
        raise UserError(f"a hybrid has no member {error}: choose from {', '.join(BASE_MODELS)}") from error
    except (json.JSONDecodeError, AttributeError, TypeError) as error:
        raise UserError(f'members must be like {{"ridge": {{"decay": 0.8}}}}: {error}') from error
