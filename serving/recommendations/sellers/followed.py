"""Reads which sellers the sender of a request follows."""

from fastapi import Request

from serving.commerce.commerce_client import CommerceClient
from serving.gateway.gateway import identity_of
from serving.problems import CommerceUnavailable


async def followed_sellers(request: Request) -> frozenset[str]:
    """Return the sellers that the sender follows; none for a guest or a process of the platform.

    Raises:
        CommerceUnavailable: the users service does not answer.
    """
    person = identity_of(request).signed_in
    if person is None or person.shopper_id is None:
        return frozenset()
    commerce: CommerceClient = request.app.state.commerce
    answer = await commerce.call(request, "GET", "/v1/me/followed_sellers")
    if not answer.is_success:
        raise CommerceUnavailable("The users service does not say which sellers you follow.")
    return frozenset(seller["seller_id"] for seller in answer.content["sellers"])
