"""The models of which the platform serves neighbours.

They relate products to each other whatever their popularity, and their neighbours are the model, or nearly so.
`graph_filter`, `session_knn`, `popularity` and hybrids of them predict the next view better where popular products
are viewed most, but what they show is clicked less (docs/recommenders.md, "The blend").
"""

from jobs.recommenders.base import Model
from jobs.recommenders.models.als import ALS
from jobs.recommenders.models.item_item import ItemItem
from jobs.recommenders.models.ridge import Ridge
from jobs.recommenders.models.transitions import Transitions

SERVED_MODELS: dict[str, type[Model]] = {model.NAME: model for model in (ItemItem, Ridge, ALS, Transitions)}
