"""`./souk evaluate` from files to table, card and model."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from cli.__main__ import build
from cli.evaluate import save_model
from common.errors import UserError
from recommenders.evaluation.loaders.files import InputFiles, load_dataset
from recommenders.model_selection.model_card import DatasetStats, ModelCard
from recommenders.registry import load


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    tmp_path, rng = tmp_path_factory.mktemp("files"), np.random.default_rng(2)
    users, items = rng.integers(0, 40, 800), np.minimum(rng.geometric(0.2, 800), 19)
    times = np.arange(800) * 3_600
    attributes = {"item": list(range(20)), "seller": ["x", "y"] * 10, "colour": ["red", "blue"] * 10}
    tables = {
        "train": {"uid": users[:700], "item": items[:700], "time": times[:700]},
        "test": {"uid": users[700:], "item": items[700:]},
        "attributes": attributes,
    }
    for name, columns in tables.items():
        pyarrow.parquet.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    return {name: tmp_path / f"{name}.parquet" for name in tables}


def evaluate(*arguments: object) -> Any:
    return CliRunner().invoke(build("evaluate"), ["evaluate", *map(str, arguments)], prog_name="souk")


def given_files(files: dict[str, Path]) -> list[object]:
    return ["--interactions", files["train"], "--test", files["test"], "--columns", "user=uid"]


@pytest.fixture(scope="module")
def asked(files: dict[str, Path]) -> list[object]:
    """The arguments of an evaluation of `popularity`."""
    options = ["--metrics", "recall@5,ndcg@3", "--model", "popularity", "--budget", 1, "--json"]
    return [*given_files(files), "--attributes", files["attributes"], *options]


@dataclass(frozen=True)
class Saved:
    """What an evaluation printed, and the folder of its model."""

    output: str
    folder: Path

    @property
    def card(self) -> Any:
        return json.loads(self.output)


@pytest.fixture(scope="module")
def saved(asked: list[object], tmp_path_factory: pytest.TempPathFactory) -> Saved:
    """One evaluation, for all tests that ask for nothing else: each takes seconds."""
    folder = tmp_path_factory.mktemp("saved") / "model"
    shown = evaluate(*asked, "--save", folder)
    assert shown.exit_code == 0, shown.output
    return Saved(shown.stdout, folder)


def test_a_model_is_judged_saved_and_told_of(saved):
    card = saved.card
    judged = card["judged"][0]
    assert judged["candidate"]["model"] == "popularity"
    assert set(judged["figures"]["all"]) == {"recall@5", "ndcg@3"}
    assert 0 < judged["figures"]["all"]["recall@5"]["low"] <= judged["figures"]["all"]["recall@5"]["mean"]
    assert judged["reach"]["sellers_seen"] == 1.0
    assert card["searched"]["cuts"].keys() == {"the newest tenth", "the newest fifth"}
    assert card["data"]["events"] == 700
    assert json.loads((saved.folder / "card.json").read_text()) == card
    assert "# popularity" in (saved.folder / "card.md").read_text()
    assert load(saved.folder).product_count == 20


def test_the_table_has_the_model_and_what_it_is_compared_with(files):
    shown = evaluate(*given_files(files), "--model", "auto", "--budget", 1, "--metrics", "hit@5")

    assert shown.exit_code == 0, shown.output
    assert "hit@5" in shown.output
    assert "popularity" in shown.output
    assert re.search(r"0\.\d{4} ± 0\.\d{4}", shown.output)


def test_the_same_seed_writes_the_same_figures(saved, asked):
    first, second = (json.loads(each)["judged"][0] for each in (saved.output, evaluate(*asked).stdout))

    assert first["candidate"] == second["candidate"]
    assert first["figures"] == second["figures"]


def test_lists_of_more_than_there_is_are_judged(files):
    shown = evaluate(
        *given_files(files), "--model", "popularity", "--budget", 1,
        "--metrics", "recall@500", "--repeats", "--json",
    )  # fmt: skip

    assert json.loads(shown.stdout)["judged"][0]["figures"]["all"]["recall@500"]["mean"] == 1.0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "name one log: --interactions FILE"),
        (["--model", "magic"], "there is no model 'magic'"),
        (["--metrics", "taste@5"], "'taste@5' is not a metric"),
        (["--save", "."], "exists already"),
    ],
)
def test_a_mistake_is_one_line(arguments, says):
    shown = evaluate(*arguments)

    assert isinstance(shown.exception, UserError)
    assert says in str(shown.exception)
    assert "\n" not in str(shown.exception)


LOG = Path("log.parquet")


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (InputFiles(interactions=LOG, sessions=LOG), "name one log"),
        (InputFiles(interactions=LOG, cases=LOG), "--cases goes with --sessions"),
        (InputFiles(sequences=LOG, test=LOG), "--test goes with --interactions"),
        (InputFiles(sessions=LOG), "--sessions goes with --cases"),
        (InputFiles(interactions=LOG, test=LOG, protocol="time"), "name one of them"),
        (InputFiles(interactions=LOG, protocol="new-items"), "no protocol 'new-items' for this log"),
        (InputFiles(sequences=LOG, protocol="new-items"), "needs --attributes"),
    ],
)
def test_files_that_do_not_go_together_are_refused(files, says):
    with pytest.raises(UserError, match=says):
        load_dataset(files, "")


@pytest.mark.parametrize(("where", "writes"), [(np, "save"), (Path, "write_text")])
def test_a_run_that_is_stopped_while_it_saves_leaves_no_model(saved, tmp_path, monkeypatch, where, writes):
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    data = DatasetStats(700, 40, 20, 0.5, None, None)
    card = ModelCard(data, "by time", "none", 1, False, (), None, (), {}, 0, 100.0)
    model, folder = load(saved.folder), tmp_path / "saved"
    monkeypatch.setattr(where, writes, stop)

    with pytest.raises(KeyboardInterrupt):
        save_model(folder / "model", model, card)

    assert not list(folder.iterdir())
