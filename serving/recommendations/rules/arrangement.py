"""Puts ranked and placed products into one list. Pure."""

from collections import deque

from serving.recommendations.rules.draft import Draft, Placed


def arrange(draft: Draft, n: int) -> list[Placed]:
    """Return the first `n` products of a draft.

    If there are too few ranked products to fill the places before them, pinned and exposed products move up.
    A sponsored product has exactly its place: if the list does not reach it, the product is not shown.
    """
    places = {place: placed for place, placed in draft.placed.items() if place < n}
    ranked = deque(draft.ranked)
    shown: list[Placed] = []
    while len(shown) < n:
        movable = () if ranked else [place for place, each in places.items() if not each.sponsored]
        if fixed := places.pop(len(shown), None):
            shown.append(fixed)
        elif ranked:
            shown.append(Placed(ranked.popleft()))
        elif movable:
            shown.append(places.pop(min(movable)))
        else:
            break
    return shown
