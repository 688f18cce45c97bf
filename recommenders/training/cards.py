"""Records the model card of every training in ClickHouse."""

from dataclasses import asdict
from datetime import datetime

import orjson
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error as ClickHouseError

from common.errors import PartUnavailable
from recommenders.model_selection.model_card import as_json
from recommenders.training.blend_weights import LearnedWeights
from recommenders.training.off_policy import judged_on_log, read_explored_log
from recommenders.training.train import TrainingResult
from recommenders.training.training_log import TrainingStart

COLUMNS = ("version", "trained_at", "model", "published", "reason", "card")


def record(
    admin: Client,
    version: str,
    trained_at: datetime,
    trained: TrainingResult,
    learned: LearnedWeights,
    start: TrainingStart,
    published: bool,
) -> None:
    """Insert a row into `model_cards`. It replaces a row of the same version.

    The card also has `off_policy`: how the strategies of recommendations do on the random lists of the log,
    and which would have won; `model_clicks`: how the model and the one in use order what was clicked on
    random lists, null if there are too few; `blend_weights`: the weights of the sources from now on, and for
    each surface why they were learned or kept; and `training`: its id, and what started it.

    Raises:
        PartUnavailable: ClickHouse rejects the row or is unavailable.
    """
    chosen = trained.card.judged[0].candidate.model
    try:
        off_policy = judged_on_log(read_explored_log(admin, trained_at))
        more = {
            "off_policy": off_policy,
            "model_clicks": None if trained.clicks is None else asdict(trained.clicks),
            "blend_weights": asdict(learned),
            "training": asdict(start),
        }
        card = orjson.dumps({**orjson.loads(as_json(trained.card)), **more}).decode()
        row = (version, trained_at, chosen, published, trained.reason, card)
        admin.insert("model_cards", [row], column_names=COLUMNS)
    except ClickHouseError as error:
        reason = " ".join(str(error).split())
        raise PartUnavailable(f"ClickHouse did not take the model's card: {reason}") from error
