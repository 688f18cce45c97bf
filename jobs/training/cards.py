"""Records the model card of every training in ClickHouse."""

from datetime import datetime

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error as ClickHouseError

from common.errors import PartUnavailable
from jobs.recommenders.auto.model_card import as_json
from jobs.training.train import TrainingResult

COLUMNS = ("version", "trained_at", "model", "published", "reason", "card")


def record(
    admin: Client, version: str, trained_at: datetime, trained: TrainingResult, published: bool
) -> None:
    """Insert a row into `model_cards`. It replaces a row of the same version.

    Raises:
        PartUnavailable: ClickHouse rejects the row or is unavailable.
    """
    chosen = trained.card.judged[0].candidate.model
    row = (version, trained_at, chosen, published, trained.reason, as_json(trained.card))
    try:
        admin.insert("model_cards", [row], column_names=COLUMNS)
    except ClickHouseError as error:
        reason = " ".join(str(error).split())
        raise PartUnavailable(f"ClickHouse did not take the model's card: {reason}") from error
