"""Judges the strategies of recommendations by the clicks on random lists in ClickHouse."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

import clickhouse
from common.experiments.definition import DEFAULT_STRATEGY
from recommenders.experiments.judgement import ExploredLog, difference, judge, winner

_SQL = Path(clickhouse.__file__).parent / "queries" / "explored_places.sql"

DAYS = 28
"""The newest days of the log that are read."""

MAX_PLACES = 100_000
"""The newest places that are read, so that the memory is bounded however many visitors the shop has."""

MAX_PLACES_OF_VISITOR = 1_000
"""The newest places of a visitor that are read. People have fewer; the clicks of a robot must not decide."""


def read_explored_log(
    client: Client,
    end: datetime,
    days: float = DAYS,
    most: int = MAX_PLACES,
    most_of_visitor: int = MAX_PLACES_OF_VISITOR,
) -> ExploredLog:
    """Return the random lists of the last `days` days before `end` that came into view, the newest first.

    At most `most` places are read, and at most `most_of_visitor` of each visitor.

    Raises:
        clickhouse_connect.driver.exceptions.Error: ClickHouse rejects the query or is unavailable.
    """
    period = {"period_start": end - timedelta(days=days), "period_end": end}
    parameters = {**period, "most": most, "most_of_visitor": most_of_visitor}
    return ExploredLog.of(list(client.query(_SQL.read_text(), parameters).named_results()))


def judged_on_log(log: ExploredLog, champion: str = DEFAULT_STRATEGY) -> Mapping[str, Any]:
    """Return each strategy's click rate, its difference from the champion's, and which would have won.

    `winner` is None if the log can't tell. Without random lists, `strategies` is empty.
    """
    return {
        "champion": champion,
        "places": len(log.clicks),
        "strategies": {
            name: {
                **asdict(judge(log, name)),
                "difference": asdict(difference(log, name, champion)) if champion in log.strategies else None,
                "winner": winner(log, name, champion) if champion in log.strategies else None,
            }
            for name in log.strategies
        },
    }
