"""Fitted models on disk: one JSON file and one `.npy` an array, memory-mapped, never a pickle."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from common.errors import UserError
from jobs.recommenders.atomic_directory import atomic_directory

FORMAT = 1
"""Raised whenever what is written changes in a way that older code can't read."""

DESCRIPTION = "model.json"


@dataclass(frozen=True)
class StoredModel:
    """What is kept of a model: its name, its settings, the ids of its products, and its arrays by name."""

    name: str
    settings: Mapping[str, Any]
    product_ids: tuple[str | int, ...]
    arrays: Mapping[str, NDArray[Any]]


def save(directory: Path, stored: StoredModel) -> None:
    """Write a model, whole or not at all.

    Raises:
        UserError: something is there already.
    """
    with atomic_directory(directory) as beside:
        beside.mkdir()
        for name, array in stored.arrays.items():
            np.save(beside / f"{name}.npy", array, allow_pickle=False)
        description = {
            "format": FORMAT,
            "model": stored.name,
            "settings": stored.settings,
            "arrays": sorted(stored.arrays),
            "product_ids": stored.product_ids,
        }
        (beside / DESCRIPTION).write_bytes(orjson.dumps(description, option=orjson.OPT_INDENT_2))


def load(directory: Path) -> StoredModel:
    """Read a model; its arrays are mapped from their files, private to this process where it writes.

    Raises:
        UserError: no model is there, it is not whole, or another version of the platform wrote it.
    """
    try:
        found = orjson.loads((directory / DESCRIPTION).read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise UserError(f"{directory} holds no model: name a directory that a model was saved in") from error
    if found.get("format") != FORMAT:
        raise UserError(
            f"the model in {directory} has format {found.get('format')}, not {FORMAT}: train it anew"
        )
    try:
        arrays = {
            name: np.asarray(np.load(directory / f"{name}.npy", mmap_mode="c", allow_pickle=False))
            for name in found["arrays"]
        }
        return StoredModel(found["model"], found["settings"], tuple(found["product_ids"]), arrays)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"the model in {directory} is not whole ({error}): train it anew") from error
