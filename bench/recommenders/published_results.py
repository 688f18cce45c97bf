"""The public data sets that recommenders are evaluated on, and the best figures published for them."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from common.errors import UserError


@dataclass(frozen=True)
class PublishedGoal:
    """A figure to reach: the published one (None if none is comparable), the minimum and the aim."""

    published: float | None
    floor: float | None
    aim: float | None


@dataclass(frozen=True)
class EvaluationTask:
    """The options of one `./souk evaluate` run on a data set, and the goal of each metric."""

    title: str
    arguments: Mapping[str, str]
    """Option → value; a value that ends in `.parquet` is a file of the data sets."""
    goals: Mapping[str, PublishedGoal]
    source: str
    beaten: Sequence[str] = ()
    """Models whose intervals the chosen model must exceed, judged on the same cases."""
    matched: Sequence[str] = ()
    """Models of which the chosen one must match the best, each tuned within the same budget."""
    prepare: Callable[[pa.Table], pa.Table] | None = None
    """Changes the table of `--interactions` before it is evaluated."""


_BEAUTY = {
    "--sequences": "amazon_s3rec/beauty_sequences.parquet",
    "--attributes": "amazon_s3rec/beauty_item_attributes.parquet",
}

MOVIELENS = "movielens_1m/ratings.parquet"
FIRST_USER_WITHOUT_TIMES = 3_000
"""In the available copies of MovieLens 1M, users from this number on have no times."""

MATCHED_SHARE = 0.99
"""The smallest result of `auto` relative to that of the best single model."""

SHUFFLE_SEED = 1


def _with_times(ratings: pa.Table) -> pa.Table:
    """Return the ratings of the users whose ratings all have times."""
    return ratings.filter(pc.less(ratings["UserID"], FIRST_USER_WITHOUT_TIMES))


def _shuffled_without_times(ratings: pa.Table) -> pa.Table:
    """Return only who rated which film, in random order."""
    order = np.random.default_rng(SHUFFLE_SEED).permutation(len(ratings))
    return ratings.select(["UserID", "MovieID"]).take(order)


TASKS: dict[str, EvaluationTask] = {
    "gowalla": EvaluationTask(
        "Gowalla, the split of NGCF",
        {
            "--interactions": "lightgcn_gowalla/train.parquet",
            "--test": "lightgcn_gowalla/test.parquet",
        },
        {"recall@20": PublishedGoal(0.1920, 0.185, 0.194), "ndcg@20": PublishedGoal(0.1617, 0.151, 0.162)},
        "best known to us; LightGCN 0.1824 / 0.1547",
    ),
    "retailrocket": EvaluationTask(
        "Retailrocket sessions",
        {
            "--sessions": "retailrocket/sessions_train.parquet",
            "--cases": "retailrocket/sessions_test.parquet",
        },
        {"hit@20": PublishedGoal(0.5617, 0.57, 0.60), "mrr@20": PublishedGoal(0.2997, 0.30, 0.33)},
        "COTREC, CIKM 2021",
    ),
    "diginetica": EvaluationTask(
        "Diginetica sessions",
        {
            "--sessions": "diginetica/sessions_train.parquet",
            "--cases": "diginetica/sessions_test.parquet",
        },
        {"hit@20": PublishedGoal(0.5418, 0.54, 0.565), "mrr@20": PublishedGoal(0.1907, 0.19, 0.205)},
        "COTREC, CIKM 2021",
    ),
    "beauty": EvaluationTask(
        "Amazon Beauty, the last product of each user held out",
        _BEAUTY | {"--protocol": "leave-last"},
        {"hit@10": PublishedGoal(0.0605, 0.086, 0.100), "ndcg@10": PublishedGoal(0.0318, 0.053, 0.062)},
        "SASRec as commonly cited",
    ),
    "beauty-new": EvaluationTask(
        "Amazon Beauty, products hidden from training",
        _BEAUTY | {"--protocol": "new-items"},
        {"hit@10": PublishedGoal(0.009, 0.12, 0.17)},
        "popularity",
    ),
    "movielens": EvaluationTask(
        f"MovieLens 1M, users below {FIRST_USER_WITHOUT_TIMES:,}, the newest fifth",
        {
            "--interactions": MOVIELENS,
            "--protocol": "time",
            "--columns": "user=UserID,item=MovieID,time=Timestamp",
        },
        {"ndcg@10": PublishedGoal(None, None, None)},
        "ALS and popularity of the same cases",
        beaten=("als", "popularity"),
        prepare=_with_times,
    ),
    "movielens-untimed": EvaluationTask(
        "MovieLens 1M without times and shuffled, a random fifth of each user",
        {
            "--interactions": MOVIELENS,
            "--protocol": "random",
            "--columns": "user=UserID,item=MovieID",
        },
        {"recall@20": PublishedGoal(None, None, None), "ndcg@20": PublishedGoal(None, None, None)},
        "the best single model of the same cases",
        matched=("ridge", "graph_filter", "als", "item_item", "session_knn", "popularity"),
        prepare=_shuffled_without_times,
    ),
}


@contextmanager
def command_line(task: EvaluationTask, directory: Path) -> Iterator[list[str]]:
    """Yield the arguments of `./souk evaluate` for a task on the data sets of a directory.

    Raises:
        UserError: a file is missing.
    """
    with tempfile.TemporaryDirectory() as scratch:
        arguments = ["--metrics", ",".join(task.goals)]
        for option, value in task.arguments.items():
            is_file = value.endswith(".parquet")
            prepare = task.prepare if option == "--interactions" else None
            arguments += [option, str(_file(directory / value, prepare, Path(scratch))) if is_file else value]
        yield arguments


def _file(path: Path, prepare: Callable[[pa.Table], pa.Table] | None, scratch: Path) -> Path:
    """Return the file of a data set, or a prepared copy in the directory `scratch`."""
    if not path.is_file():
        raise UserError(f"{path} does not exist: name the directory of the data sets with --data")
    if prepare is None:
        return path
    prepared = scratch / path.name
    pyarrow.parquet.write_table(prepare(pyarrow.parquet.read_table(path)), prepared)
    return prepared
