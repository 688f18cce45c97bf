"""The content of a visitor's cart, from the changes of the cart and the purchases in Redis."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.recommendations.visitor_history import in_cart

NOW = 1_800_000_000
TAKEN_OUT = 0.0005


def test_what_was_taken_out_is_in_no_cart() -> None:
    changed = {"lamp": NOW + 0.123, "rug": NOW + 0.123 + TAKEN_OUT, "vase": float(NOW)}

    assert in_cart(changed, {}) == {"lamp": NOW, "vase": NOW}


@pytest.mark.parametrize(("bought_at", "held"), [(NOW - 1, {"lamp": NOW}), (NOW, {}), (NOW + 1, {})])
def test_what_was_bought_since_it_was_put_into_the_cart_is_not_in_it(
    bought_at: int, held: dict[str, int]
) -> None:
    """Times of purchases are whole seconds. A purchase in the same second counts as later."""
    assert in_cart({"lamp": NOW + 0.5}, {"lamp": bought_at, "rug": NOW}) == held


LATEST_MS = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp() * 1_000)


@given(st.integers(1, LATEST_MS), st.booleans())
def test_every_millisecond_says_which_of_the_two_it_was(moment_ms: int, taken_out: bool) -> None:
    """Redis stores a score as the double nearest to its decimal."""
    changed_s = float(f"{moment_ms // 1_000}.{moment_ms % 1_000:03}{5 if taken_out else 0}")

    assert in_cart({"lamp": changed_s}, {}) == ({} if taken_out else {"lamp": moment_ms // 1_000})
