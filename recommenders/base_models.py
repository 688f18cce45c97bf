"""All models except the hybrid, by name. A hybrid combines several of them."""

from recommenders.base import Model
from recommenders.models.als import ALS
from recommenders.models.content import Content
from recommenders.models.graph_filter import GraphFilter
from recommenders.models.item_item import ItemItem
from recommenders.models.popularity import Popularity
from recommenders.models.repeat import Repeat
from recommenders.models.ridge import Ridge
from recommenders.models.session_knn import SessionKNN
from recommenders.models.transitions import Transitions

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
