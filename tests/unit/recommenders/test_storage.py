"""A model is saved completely or not at all, and an unreadable one gives an error of one line."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest

from common.errors import UserError
from recommenders import storage
from recommenders.registry import load

STORED = storage.StoredModel("popularity", {}, ("a", 1), {"popularity": np.ones(2, np.float32)})
FORMER_ALS = {"factors": 64, "regularisation": 0.003, "unobserved": 0.1, "scaling": 1.0, "iterations": 12}


def test_what_was_saved_is_mapped_not_read(tmp_path: Path) -> None:
    storage.save(tmp_path / "m", STORED)

    again = storage.load(tmp_path / "m")
    assert (again.name, again.settings, again.product_ids) == ("popularity", {}, ("a", 1))
    assert isinstance(again.arrays["popularity"].base, np.memmap)
    again.arrays["popularity"][0] = 7.0
    assert storage.load(tmp_path / "m").arrays["popularity"].tolist() == [1.0, 1.0]


def test_an_interrupted_save_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(orjson, "dumps", interrupted)
    with pytest.raises(KeyboardInterrupt):
        storage.save(tmp_path / "m", STORED)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(tmp_path: Path) -> None:
    storage.save(tmp_path / "m", STORED)

    with pytest.raises(UserError, match="exists already"):
        storage.save(tmp_path / "m", STORED)


def test_arrays_of_objects_are_never_pickled(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        storage.save(tmp_path / "m", storage.StoredModel("m", {}, (), {"x": np.array([{}], object)}))
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_whole_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no model"):
        storage.load(tmp_path)
    storage.save(tmp_path / "m", STORED)
    (tmp_path / "m" / "popularity.npy").write_bytes(b"half")
    with pytest.raises(UserError, match="is incomplete"):
        storage.load(tmp_path / "m")


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"format": 0}, "has format 0, not 1"), ({"model": "gone"}, "unknown model 'gone'"),
     ({"settings": {"colour": 1}}, "has unknown settings")],
)  # fmt: skip
def test_a_model_of_another_version_is_told(changed: dict[str, object], message: str, tmp_path: Path) -> None:
    storage.save(tmp_path / "m", STORED)
    description = tmp_path / "m" / storage.DESCRIPTION
    description.write_bytes(orjson.dumps(orjson.loads(description.read_bytes()) | changed))

    with pytest.raises(UserError, match=message):
        load(tmp_path / "m")


@pytest.mark.parametrize(
    ("model", "settings"),
    [("als", FORMER_ALS), ("hybrid", {"members": json.dumps({"als": FORMER_ALS, "repeat": {}})})],
)
def test_a_model_with_settings_of_the_former_als_is_told(
    model: str, settings: dict[str, object], tmp_path: Path
) -> None:
    storage.save(tmp_path / "m", replace(STORED, name=model, settings=settings))

    with pytest.raises(UserError, match=f"the saved model {model} has unknown settings: train it again"):
        load(tmp_path / "m")
