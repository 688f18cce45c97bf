"""Combines several models: sums their scores, and reorders the best candidates by a learned ranking.

`FitCache` caches fitted models and split logs, so that hybrids with common members fit each member once.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from common.errors import UserError
from recommenders.base import Model
from recommenders.base_models import BASE_MODELS
from recommenders.histories import Floats, Histories
from recommenders.interactions import Interactions
from recommenders.ranking import RankedLists, exclude, top_k
from recommenders.reranking import (
    DECAYS,
    HoldOutMethod,
    RerankingSplit,
    decays,
    features,
    hold_out,
    interest,
    learn_trees,
    predict_trees,
)
from recommenders.storage import StoredModel

M = TypeVar("M", bound=Model)


_COLUMNS = 8
"""The size of a log and of its cached properties, in arrays of 8 bytes per event."""


@dataclass
class FitCache:
    """A least-recently-used cache of at most `max_bytes` bytes in total; with 0 bytes, nothing is cached."""

    max_bytes: int = 0
    _entries: OrderedDict[Hashable, tuple[Interactions, Any, int]] = field(default_factory=OrderedDict)

    def fit(self, model: M, log: Interactions) -> M:
        """Return a new model with the same settings, fitted on the log. `model` itself is not changed.

        Raises:
            UserError: as `Model.fit`.
        """

        def compute() -> tuple[M, int]:
            fitted = replace(model).fit(log)
            return fitted, sum(array.nbytes for array in fitted.arrays.values())

        return cast(M, self._cached(_model_key(model, log), log, compute))

    def hold_out(self, log: Interactions, limit: int, method: HoldOutMethod) -> RerankingSplit | None:
        """Call `reranking.hold_out` with a fixed seed, so that the same log always gives the same split.

        `limit` is the number of sequences to hold events out of.
        """

        def compute() -> tuple[RerankingSplit | None, int]:
            split = hold_out(log, limit, method, np.random.default_rng(SEED))
            return split, 0 if split is None else 8 * _COLUMNS * len(split.log)

        return cast(RerankingSplit | None, self._cached((method, limit, id(log)), log, compute))

    def cached_log(self, log: Interactions, limit: int, method: str) -> Interactions | None:
        """Return the log of the split that `hold_out` returned, or None if it is not in the cache."""
        entry = self._entries.get((method, limit, id(log)))
        return entry[1].log if entry and entry[1] else None

    def has_model(self, model: Model, log: Interactions) -> bool:
        """Return whether the cache holds a model with these settings, fitted on this log."""
        return _model_key(model, log) in self._entries

    def clear(self) -> None:
        """Forget everything, so that its memory is free."""
        self._entries.clear()

    def _cached(self, key: Hashable, log: Interactions, compute: Callable[[], tuple[Any, int]]) -> Any:
        if key not in self._entries:
            value, size = compute()
            if size >= self.max_bytes:
                return value
            # The entry references its log: no other log can get the id that is part of the key.
            self._entries[key] = (log, value, size)
            while sum(size for _, _, size in self._entries.values()) > self.max_bytes:
                self._entries.popitem(last=False)
        self._entries.move_to_end(key)
        return self._entries[key][1]


def _model_key(model: Model, log: Interactions) -> Hashable:
    return model.NAME, tuple(sorted(model.settings.items())), id(log)


SEED = 0
HISTORIES_AT_ONCE = 250
"""The number of histories whose features are in memory at once while learning."""

NEGATIVES = 40
"""The order is learned from a random sample of about this many candidates per history, and its targets."""


@dataclass
class Hybrid(Model):
    """Ranks products by Σ s(m) / |s(m)| over the members m, then reorders the best with boosted trees.

    `members` is a JSON object of model names and their settings. The size |s| of a member's scores is their
    root mean square over the products. If `order` is `sum`, there are no trees. Otherwise, `order` is the
    method of `reranking.hold_out` that gives the trees' training examples, from `learned_from`
    histories. To learn the order, the members are fitted on the log without the held-out events; then they
    are fitted again on the whole log. The trees have `rounds` boosting rounds and reorder the `candidates`
    best products. They learn from the targets and a sample of the other candidates, which changes the odds of
    all candidates by the same factor. Hybrids with the same `cache` fit common members once.

    On logs without an order, no event is the last one: `order` is `random` or `sum`, and both the members and
    the features that need an order are left out.

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
        "order": ("sum", "cut", "every", "last", "random"),
        "learned_from": (20_000, 10_000, 2_500),
    }

    members: str = '{"transitions": {}, "session_knn": {}, "item_item": {"decay": 0.7}, "repeat": {}}'
    order: str = "cut"
    candidates: int = 120
    rounds: int = 120
    learned_from: int = 10_000

    def __post_init__(self) -> None:
        if self.order not in self.SPACE["order"]:
            raise UserError(
                f"order {self.order!r} is not known: choose from {', '.join(self.SPACE['order'])}"
            )
        self._members = _build_members(self.members)
        self.cache = FitCache()

    @property
    def member_models(self) -> list[Model]:
        """The members, fitted if the hybrid is fitted."""
        return list(self._members.values())

    @property
    def learns(self) -> bool:
        """Whether the order of the candidates is learned."""
        return self.order != "sum"

    def drop_order(self) -> None:
        """Change the members' settings, leave out members that need an order, and learn from random events.

        Raises:
            UserError: all members need an order.
        """
        members = {name: each for name, each in self._members.items() if not each.NEEDS_ORDER}
        if not members:
            raise UserError("every member of the hybrid needs the order of events: choose other members")
        for each in members.values():
            each.drop_order()
        self._members = members
        self.members = members_text({name: each.settings for name, each in members.items()})
        if self.order != "sum":
            self.order = "random"

    def _learn(self, log: Interactions) -> dict[str, NDArray[Any]]:
        order = self._learn_order(log)
        self._members = self._fit_members(log)
        member_arrays = {
            f"{name}.{array}": values
            for name, member in self._members.items()
            for array, values in member.arrays.items()
        }
        return member_arrays | order | {"interest": interest(log), "decays": decays(log)}

    def _learn_order(self, log: Interactions) -> dict[str, NDArray[Any]]:
        if not self.learns:
            return {}
        split = self.cache.hold_out(log, self.learned_from, self.order)  # type: ignore[arg-type]
        if split is None:
            return {}
        self._members = self._fit_members(split.log)
        rows, labels = self._examples(split)
        return learn_trees(rows, labels, self.rounds, SEED) if labels.any() and not labels.all() else {}

    def _fit_members(self, log: Interactions) -> dict[str, Model]:
        return {name: self.cache.fit(member, log) for name, member in self._members.items()}

    def _examples(self, split: RerankingSplit) -> tuple[Floats, NDArray[np.bool_]]:
        """Return features and labels of candidates of each history with a target among its candidates."""
        repeated = split.histories.matrix(split.log.product_count).multiply(
            split.targets.matrix(split.log.product_count)
        )
        feature_rows, labels, interests = [], [], (interest(split.log), decays(split.log))
        rng, share = np.random.default_rng(SEED), NEGATIVES / self.candidates
        for start in range(0, len(split.histories), HISTORIES_AT_ONCE):
            histories, targets = (
                each[start : start + HISTORIES_AT_ONCE] for each in (split.histories, split.targets)
            )
            scores, total = self._sum_scores(histories)
            if not repeated.nnz:
                exclude(total, histories)
            chosen = top_k(
                total, min(self.candidates, split.log.product_count), split.log.popularity
            ).products
            is_target = np.zeros(total.shape, np.bool_)
            is_target[targets.rows, targets.products] = True
            found = np.take_along_axis(is_target, np.maximum(chosen, 0), axis=1) & (chosen >= 0)
            is_sampled = found | (rng.random(found.shape) < share)
            useful = np.repeat(found.any(axis=1), chosen.shape[1]) & (is_sampled & (chosen >= 0)).ravel()
            feature_rows.append(features(scores, np.maximum(chosen, 0), histories, *interests)[useful])
            labels.append(found.ravel()[useful])
        return np.concatenate(feature_rows), np.concatenate(labels)

    def _sum_scores(self, histories: Histories) -> tuple[list[Floats], Floats]:
        """Return the scores of each member, and the sum of these scores divided by their sizes."""
        scores = [member.scores(histories) for member in self._members.values()]
        sizes = [np.sqrt(np.mean(np.square(each), axis=1, keepdims=True)) for each in scores]
        total = sum((each / np.maximum(size, 1e-12) for each, size in zip(scores, sizes, strict=True)))
        return scores, np.asarray(total, np.float32)

    def scores(self, histories: Histories) -> Floats:
        """Return the trees' probabilities for the candidates, and negative scores for all other products.

        The others keep the order of their summed scores. Without trees, or for an empty history, all products
        have this order.
        """
        return self._rerank(histories, None)

    def _block(self, histories: Histories, k: int, excluded: Histories | None) -> RankedLists:
        return top_k(self._rerank(histories, excluded), k, self.popularity)

    def _rerank(self, histories: Histories, excluded: Histories | None) -> Floats:
        scores, total = self._sum_scores(histories)
        if excluded is not None:
            exclude(total, excluded)
        has_events = histories.lengths > 0  # the training examples have no empty history
        if "tree_starts" not in self.arrays or not has_events.any():
            return total
        chosen = top_k(total, min(self.candidates, self.product_count), self.popularity).products
        is_candidate = (chosen >= 0) & has_events[:, None]
        chosen = np.maximum(chosen, 0)
        history_decays = self.arrays.get("decays", np.array(DECAYS))  # models of version 0.1.0 have none
        rows = features(scores, chosen, histories, self.arrays["interest"], history_decays)
        log_odds = predict_trees(self.arrays, rows)
        total /= 1.0 + np.abs(np.where(np.isfinite(total), total, 0.0)).max()
        total -= 1.0
        at, places = np.nonzero(is_candidate)
        total[at, chosen[is_candidate]] = 1.0 / (1.0 + np.exp(-log_odds.reshape(chosen.shape)[at, places]))
        return total

    @property
    def history_decay(self) -> float:
        """The smallest decay of the members, so that recent events count as much as in any member."""
        return min(member.history_decay for member in self._members.values())

    @classmethod
    def from_stored(cls, stored: StoredModel) -> Self:
        """Build the model and its members from the stored form.

        Raises:
            UserError: the stored settings are not the settings of this model.
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


def members_text(settings: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the setting `members` for the settings of each model, by name."""
    return json.dumps(settings, sort_keys=True)


def _build_members(members: str) -> dict[str, Model]:
    """Return the models of a JSON object of names and settings, not fitted."""
    try:
        return {name: BASE_MODELS[name](**settings) for name, settings in json.loads(members).items()}
    except KeyError as error:
        raise UserError(f"a hybrid has no member {error}: choose from {', '.join(BASE_MODELS)}") from error
    except (json.JSONDecodeError, AttributeError, TypeError) as error:
        raise UserError(f'members must be like {{"ridge": {{"decay": 0.8}}}}: {error}') from error
