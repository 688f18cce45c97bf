"""Every model, by name."""

from pathlib import Path

from common.errors import UserError
from recommenders import storage
from recommenders.base import Model
from recommenders.base_models import BASE_MODELS
from recommenders.models.hybrid import Hybrid

MODELS: dict[str, type[Model]] = {**BASE_MODELS, Hybrid.NAME: Hybrid}


def load(directory: Path) -> Model:
    """Load the model that was saved in a directory.

    Raises:
        UserError: the directory holds no complete model that this version can read.
    """
    stored = storage.load(directory)
    if stored.name not in MODELS:
        raise UserError(f"{directory} holds an unknown model {stored.name!r}: train it again")
    return MODELS[stored.name].from_stored(stored)
