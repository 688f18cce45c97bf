"""Every model, by name."""

from pathlib import Path
from typing import Any

from common.errors import UserError
from jobs.recommenders import storage
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

MODELS: dict[str, type[Model]] = {
    model.NAME: model
    for model in (Popularity, ItemItem, Ridge, GraphFilter, ALS, Transitions, SessionKNN, Repeat, Content)
}


def build(name: str, settings: dict[str, Any] | None = None) -> Model:
    """A model by its name, not fitted yet.

    Raises:
        UserError: there is no such model, or it has no such setting.
    """
    if name not in MODELS:
        raise UserError(f"there is no model {name!r}: choose from {', '.join(MODELS)}")
    try:
        return MODELS[name](**(settings or {}))
    except TypeError as error:
        raise UserError(f"model {name} does not take these settings: {error}") from error


def load(directory: Path) -> Model:
    """The model that was saved into a directory.

    Raises:
        UserError: no whole model of this version is there.
    """
    stored = storage.load(directory)
    if stored.name not in MODELS:
        raise UserError(f"{directory} holds a model {stored.name!r} that is not known: train it anew")
    return MODELS[stored.name].restored(stored)
