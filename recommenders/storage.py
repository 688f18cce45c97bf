"""Stores fitted models on disk: a JSON file and a memory-mapped `.npy` file per array. No pickle."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from common.errors import UserError


@contextmanager
def atomic_directory(directory: Path) -> Iterator[Path]:
    """Yield a temporary path beside `directory`, which the caller creates and fills.

    At the end, the temporary path is renamed to `directory`. If the caller fails, it is removed.

    Raises:
        UserError: the directory exists already.
    """
    if directory.exists():
        raise UserError(f"{directory} exists already: choose another directory, or remove it")
    directory.parent.mkdir(parents=True, exist_ok=True)
    temporary = directory.with_name(f".{directory.name}.{os.getpid()}")
    try:
        yield temporary
        temporary.rename(directory)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


FORMAT = 1
"""The version of the file format. Increase it when older code can't read what newer code writes."""

DESCRIPTION = "model.json"


@dataclass(frozen=True)
class StoredModel:
    """The stored form of a model: its name, its settings, the ids of its products, and its named arrays."""

    name: str
    settings: Mapping[str, Any]
    product_ids: tuple[str | int, ...]
    arrays: Mapping[str, NDArray[Any]]


def save(directory: Path, stored: StoredModel) -> None:
    """Write a model atomically.

    Raises:
        UserError: the directory exists already.
    """
    with atomic_directory(directory) as temporary:
        temporary.mkdir()
        for name, array in stored.arrays.items():
            np.save(temporary / f"{name}.npy", array, allow_pickle=False)
        description = {
            "format": FORMAT,
            "model": stored.name,
            "settings": stored.settings,
            "arrays": sorted(stored.arrays),
            "product_ids": stored.product_ids,
        }
        (temporary / DESCRIPTION).write_bytes(orjson.dumps(description, option=orjson.OPT_INDENT_2))


def load(directory: Path) -> StoredModel:
    """Read a model. Its arrays are memory-mapped copy-on-write: writes stay private to this process.

    Raises:
        UserError: the directory holds no model, the model is incomplete, or it has another `FORMAT`.
    """
    try:
        description = orjson.loads((directory / DESCRIPTION).read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise UserError(f"{directory} holds no model: name the directory of a saved model") from error
    if description.get("format") != FORMAT:
        raise UserError(
            f"the model in {directory} has format {description.get('format')}, not {FORMAT}: train it again"
        )
    try:
        arrays = {
            name: np.asarray(np.load(directory / f"{name}.npy", mmap_mode="c", allow_pickle=False))
            for name in description["arrays"]
        }
        product_ids = tuple(description["product_ids"])
        return StoredModel(description["model"], description["settings"], product_ids, arrays)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"the model in {directory} is incomplete ({error}): train it again") from error
