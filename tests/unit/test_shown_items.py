"""Rows of ClickHouse become the items from which weights are learned."""

import pyarrow as pa

from common.settings import ROOT
from recommenders.training.blend_weights import learn_weights
from recommenders.training.training_data import shown_items_of
from schemas.events import all_events
from schemas.published_model.weights import BLENDED, DEFAULT_WEIGHTS, SURFACES

TYPES = pa.schema(
    {
        "list": pa.uint64(),
        "visitor": pa.uint64(),
        "surface": pa.string(),
        "position": pa.int32(),
        **dict.fromkeys(BLENDED, pa.float64()),
        "popularity": pa.float64(),
        "clicked": pa.uint8(),
        "bought": pa.uint8(),
    }
)


def test_each_source_has_its_column_of_scores_in_the_order_of_the_weights() -> None:
    rows = pa.table(
        {
            "bought": [0, 1],
            "clicked": [0, 1],
            "popular_in_category": [0.4, 0.6],
            "similar_content": [0.3, 0.0],
            "trained_neighbours": [0.2, 0.5],
            "item_neighbours": [0.1, 1.0],
            "popularity": [7.5, 0.0],
            "position": [1, 12],
            "surface": ["home", "product"],
            "visitor": [4, 3],
            "list": [1, 2],
        }
    ).select(TYPES.names)

    shown = shown_items_of(rows.cast(TYPES))

    assert shown.lists.tolist() == [1, 2]
    assert shown.visitors.tolist() == [4, 3]
    assert shown.surfaces.tolist() == ["home", "product"]
    assert shown.positions.tolist() == [1, 12]
    assert shown.scores.tolist() == [[0.1, 0.2, 0.3, 0.4], [1.0, 0.5, 0.0, 0.6]]
    assert shown.popularity.tolist() == [7.5, 0.0]
    assert shown.clicked.tolist() == shown.bought.tolist() == [False, True]


def test_the_score_of_every_blended_source_is_logged_and_read() -> None:
    (items,) = (field for field in all_events()["recommendation_answered"].fields if field["name"] == "items")
    query = (ROOT / "recommenders/training/shown_items.sql").read_text(encoding="utf-8")

    assert {field["name"] for field in items["type"]["items"]["fields"]} >= set(BLENDED)
    for source in BLENDED:
        assert f"ifNull(item.{source}, 0) AS {source}" in query
        assert f"one.{source}" in query


def test_without_a_shown_list_the_weights_in_use_stay() -> None:
    learned = learn_weights(shown_items_of(TYPES.empty_table()), DEFAULT_WEIGHTS)

    assert learned.weights == DEFAULT_WEIGHTS
    too_few = "kept: 0 clicks and 0 pairs to learn from, of at least 300 each"
    assert learned.reasons == dict.fromkeys(SURFACES, too_few)
