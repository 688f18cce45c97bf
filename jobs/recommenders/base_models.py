"""All models except the hybrid, by name. A hybrid combines several of them."""

from jobs.recommenders.base import Model
from jobs.recommenders.models.als import ALS
from jobs.recommenders.models.content import Content
from jobs.recommenders.models.graph_filter import GraphFilter
from jobs.recommenders.models.item_item import ItemItem
from jobs.recommenders.models.popularity import Popularity
from jobs.recommenders.models.repeat import Repeat
from jobs.recommenders.models.ridge import Ridge
from jobs.recommenders.models.session_knn import SessionKNN
from jobs.recommenders.models.transitions import Transitions

BASE_MODELS: dict[str, type[Model]] = {
    model.NAME: model
    for model in (
        Popularity,
        ItemItem,
        Ridge,
        GraphFilter,
        ALS,
        Transitions,
        SessionKNN,
        Repeat,
        Content,
    )
}
