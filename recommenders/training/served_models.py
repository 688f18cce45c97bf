"""The models of which the platform serves neighbours.

Their neighbours are the model, or nearly so, and they relate products whatever their popularity. Others
predict the next view as well by ranking popular products higher, which are clicked less when recommended
(docs/recommendations.md, "The blend").
"""

from recommenders.base import Model
from recommenders.models.als import ALS
from recommenders.models.item_item import ItemItem
from recommenders.models.ridge import Ridge
from recommenders.models.transitions import Transitions

SERVED_MODELS: dict[str, type[Model]] = {model.NAME: model for model in (ItemItem, Ridge, ALS, Transitions)}
