"""Checks that apply to the query parameters of every route."""

from collections import Counter

from fastapi import Request

from serving.problems import RepeatedParameter


async def reject_repeated_parameters(request: Request) -> None:
    """Refuse a query parameter that is given twice. Without this, the last value would win silently.

    Raises:
        RepeatedParameter: a parameter is given more than once.
    """
    for name, times in Counter(name for name, _ in request.query_params.multi_items()).items():
        if times > 1:
            raise RepeatedParameter(f"{name} is given {times} times. Give it once.")
