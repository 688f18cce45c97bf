"""What the platform does at night: it trains a model, and learns the weights of the sources."""

from collections.abc import Mapping, Sequence

from bench.arms.log import InteractionLog, ShownLog
from bench.arms.shop import PublishedModel, Shop
from common.errors import UserError
from jobs.recommenders.auto.candidates import Candidate
from jobs.recommenders.evaluation.metrics import Metric
from jobs.training.blend_weights import learn_weights
from jobs.training.child import DAYS, METRIC
from jobs.training.neighbour_rows import ServedModel, similar_content
from jobs.training.served_models import SERVED_MODELS
from jobs.training.train import NO_MODEL_IN_USE, TrainingOptions, train
from producers.simulator.world.world import World
from schemas.published_model.product_ids import ProductIds
from schemas.published_model.rows import Neighbour
from serving.recommendations.scoring import Neighbours


class Nights:
    """Trains as part `training` does, with one difference: only the first training searches.

    Later ones fit the chosen model and settings on all events until then.
    """

    def __init__(self, world: World, budget_s: float, model: str = "") -> None:
        self._world, self._budget_s = world, budget_s
        self.chosen: Candidate | None = Candidate.of(SERVED_MODELS[model], {}) if model else None
        self.reasons: Mapping[str, str] = {}

    def train(self, shop: Shop, interactions: InteractionLog, shown: ShownLog, now_s: float) -> None:
        """Publish a model, if there is enough to learn from, and the weights of the sources."""
        served = self._fit(interactions)
        if served is not None:
            shop.model = published(served)
        learned = learn_weights(shown.items(now_s), shop.weights)
        shop.weights, self.reasons = learned.weights, learned.reasons

    def _fit(self, interactions: InteractionLog) -> ServedModel | None:
        """Return the model of this night; None while the log is too short to choose one."""
        data = interactions.training_data(self._world)
        if self.chosen is not None:
            return ServedModel.of(self.chosen.build(SERVED_MODELS).fit(data.log), similar_content(data.log))
        options = TrainingOptions(SERVED_MODELS, Metric.parse(METRIC), DAYS, self._budget_s, seed=0)
        try:
            trained = train(data, NO_MODEL_IN_USE, options, lambda: 0.0, lambda *_: None)
        except UserError:  # as the platform: the outcome is `too_little`
            return None
        assert trained.model is not None, "there is no champion to lose to"
        self.chosen = Candidate.of(type(trained.model), trained.model.settings)
        return ServedModel.of(trained.model, trained.content)


def published(served: ServedModel) -> PublishedModel:
    """Return the rows that readers of a published model get."""
    trained: dict[str, Neighbours] = {}
    content: dict[str, Neighbours] = {}
    for product, row in served.rows():
        trained[product] = _by_id(row.trained, served.ids)
        content[product] = _by_id(row.content, served.ids)
    return PublishedModel(served.name, trained, content, served.trained.decay)


def _by_id(neighbours: Sequence[Neighbour], ids: ProductIds) -> Neighbours:
    return {ids[each.code]: each.score for each in neighbours}
