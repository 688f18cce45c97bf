import pytest

from serving.__main__ import share


@pytest.mark.parametrize(
    ("cores", "processes", "shares"),
    [
        ((0, 1), 2, [{0}, {1}]),
        ((3, 1, 5), 2, [{1, 5}, {3}]),
        ((4,), 2, [{4}, {4}]),
        ((0, 1), 3, [{0}, {1}, {0}]),
        ((0, 1), 1, [{0, 1}]),
    ],
)
def test_all_cores_are_shared_out(cores: tuple[int, ...], processes: int, shares: list[set[int]]) -> None:
    assert [share(cores, index, processes) for index in range(processes)] == shares
