from hypothesis import given
from hypothesis import strategies as st

from producers.services.loyalty.model import MINOR_A_POINT, earned

AMOUNTS = st.integers(0, 2**53)


@given(AMOUNTS, AMOUNTS)
def test_paying_at_once_earns_no_less_than_paying_in_two(one: int, other: int) -> None:
    assert 0 <= earned(one + other) - earned(one) - earned(other) <= 1


@given(AMOUNTS)
def test_no_more_is_earned_than_was_paid_for(amount: int) -> None:
    assert earned(amount) * MINOR_A_POINT <= amount
