"""The format of published models: what is packed comes back, and what is damaged is recognised."""

from datetime import UTC, datetime
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.published_model.keys import Description, Layout, UnreadableDescription, bucket_of
from schemas.published_model.product_ids import PIECE_BYTES, ProductIds
from schemas.published_model.rows import DamagedRow, Neighbour, Row, pack_row, unpack_row
from schemas.published_model.weights import UnusableWeights, pack_weights, unpack_weights

CATALOGUE = 2**32
SCORES = st.floats(1e-30, 1e30)
NEIGHBOURS = st.lists(st.builds(Neighbour, st.integers(0, CATALOGUE - 1), SCORES), max_size=40)
ROWS = st.builds(Row, NEIGHBOURS, NEIGHBOURS)
DESCRIPTION = Description(
    "v1", "item_item", datetime(2026, 1, 1, tzinfo=UTC), 3, 2, 32, 0.8, ProductIds.of("abc").checksum(), 1, 1
)


CODES = st.integers(0, CATALOGUE - 1)
NEAR_SCORES = st.lists(st.builds(Neighbour, CODES, st.floats(0.5, 8_000)), max_size=40)


@given(st.builds(Row, NEAR_SCORES, NEAR_SCORES))
def test_neighbours_come_back_in_order_with_scores_within_a_twentieth_of_a_percent(row: Row) -> None:
    found = unpack_row(pack_row(row, "v1"), "v1", CATALOGUE)

    for unpacked, given_list in zip(found, row, strict=True):
        assert [one.code for one in unpacked] == [one.code for one in given_list]
        assert [one.score for one in unpacked] == pytest.approx([one.score for one in given_list], rel=5e-4)


@given(ROWS)
def test_the_best_neighbour_is_kept_and_no_score_is_zero_or_infinite(row: Row) -> None:
    found = unpack_row(pack_row(row, "v1"), "v1", CATALOGUE)

    for unpacked, given_list in zip(found, row, strict=True):
        assert all(0 < one.score < inf for one in unpacked)
        assert {one.code for one in unpacked} <= {one.code for one in given_list}
        largest = max((one.score for one in given_list), default=0.0)
        assert max((one.score for one in unpacked), default=0.0) == pytest.approx(largest, rel=1e-6)


@given(ROWS, st.data())
def test_a_row_with_a_changed_byte_or_cut_short_is_damaged(row: Row, data: st.DataObject) -> None:
    packed = pack_row(row, "v1")
    at = data.draw(st.integers(0, len(packed) - 1))
    changed = bytes([*packed[:at], packed[at] ^ data.draw(st.integers(1, 255)), *packed[at + 1 :]])

    for damaged in (changed, packed[:at], packed + b"\0"):
        with pytest.raises(DamagedRow):
            unpack_row(damaged, "v1", CATALOGUE)


@given(ROWS)
def test_a_row_of_another_version_is_not_read(row: Row) -> None:
    with pytest.raises(DamagedRow, match="another version"):
        unpack_row(pack_row(row, "v1"), "v2", CATALOGUE)


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_be_damaged(junk: bytes) -> None:
    with pytest.raises(DamagedRow):
        unpack_row(junk, "v1", CATALOGUE)


def test_a_code_beyond_the_catalogue_is_damage() -> None:
    packed = pack_row(Row([Neighbour(3, 1.0)]), "v1")

    with pytest.raises(DamagedRow, match="not in the catalogue"):
        unpack_row(packed, "v1", products=3)


@pytest.mark.parametrize("score", [0.0, -1.0, float("nan"), float("inf")])
def test_a_score_that_orders_nothing_is_not_packed(score: float) -> None:
    with pytest.raises(ValueError, match="not above 0 and finite"):
        pack_row(Row([Neighbour(1, score)]), "v1")


@given(st.lists(st.text(max_size=40)))
def test_ids_come_back_in_their_order(ids: list[str]) -> None:
    packed = ProductIds.of(ids)
    found = ProductIds.from_pieces(list(packed.pieces()))

    assert [found[code] for code in range(len(found))] == ids
    assert found.checksum() == packed.checksum()


def test_many_ids_are_several_pieces_of_bounded_size() -> None:
    ids = [f"product-{number:06}" for number in range(200_000)]
    pieces = list(ProductIds.of(ids).pieces())

    assert len(pieces) == 3
    assert max(map(len, pieces)) < 1.2 * PIECE_BYTES
    found = ProductIds.from_pieces(pieces)
    assert (len(found), found[0], found[199_999]) == (200_000, ids[0], ids[-1])


def test_the_same_text_cut_into_other_ids_is_another_catalogue() -> None:
    assert ProductIds.of(["ab", "c"]).checksum() != ProductIds.of(["a", "bc"]).checksum()


@given(st.lists(st.text(min_size=1, max_size=9), min_size=1), st.data())
def test_a_piece_that_is_cut_short_is_refused(ids: list[str], data: st.DataObject) -> None:
    [piece] = ProductIds.of(ids).pieces()

    with pytest.raises(ValueError, match="product ids"):
        ProductIds.from_pieces([piece[: data.draw(st.integers(0, len(piece) - 1))]])


def test_a_description_comes_back() -> None:
    assert Description.unpack(DESCRIPTION.pack()) == DESCRIPTION


PACKED = DESCRIPTION.pack()


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        PACKED[:-4],
        PACKED.replace(b'"decay":0.8', b'"decay":7'),
        PACKED.replace(b'"rows":2', b'"rows":-2'),
        PACKED.replace(b'"rows":2', b'"rows":"2"'),
    ],
)
def test_no_damaged_description_is_used(packed: bytes) -> None:
    with pytest.raises(UnreadableDescription):
        Description.unpack(packed)


def test_a_model_of_another_format_is_named_as_one() -> None:
    with pytest.raises(UnreadableDescription, match="another format"):
        Description.unpack(DESCRIPTION.pack().replace(b'"format":1', b'"format":2'))


@given(st.text(max_size=30), st.integers(1, 2_000))
def test_a_product_has_one_bucket_and_all_keys_are_known(product_id: str, buckets: int) -> None:
    layout = Layout(buckets, 2)

    assert 0 <= bucket_of(product_id, buckets) < buckets
    assert layout.rows_key_of("v1", product_id) in set(layout.keys("v1"))
    assert Layout.unpack(layout.pack()) == layout


@pytest.mark.parametrize(
    "weights",
    [{}, {"home": {"item_neighbours": 0.5, "trained_neighbours": 1}}, {"cart": {"similar_content": 2.0}}],
)
def test_weights_come_back(weights: dict[str, dict[str, float]]) -> None:
    assert unpack_weights(pack_weights(weights)) == weights


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"[]",
        b'{"bath": {"item_neighbours": 1}}',
        b'{"home": 3}',
        b'{"home": {}}',
        b'{"home": {"guess": 1}}',
        b'{"home": {"item_neighbours": -1}}',
        b'{"home": {"item_neighbours": 0}}',
        b'{"home": {"item_neighbours": "1"}}',
        b'{"home": {"item_neighbours": true}}',
    ],
)
def test_weights_that_say_nothing_are_refused(packed: bytes) -> None:
    with pytest.raises(UnusableWeights):
        unpack_weights(packed)
