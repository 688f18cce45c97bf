"""Whether what a person made still works: only as long as they may make it.

An API key, an invitation, an alert and a report outlive the request that made them. Each stores its maker
and when it was made, and whoever uses it asks here first. What its maker may do now decides, by the policy of
the route that makes such a thing. So it ends with a suspension, a lost role, a removal from the staff of a
seller, an erasure and the end of the demo, and none of these places has a list of things to end.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from common.access_policy import AccessPolicy, NotAllowed, NotYours, SignInRequired
from common.principal import Principal, platform
from producers.kit.http.peers import Peers

USERS = "users"

_PLATFORM = platform("").subject


@dataclass(frozen=True, slots=True)
class Made:
    """What somebody made for a seller. `maker` is the subject of a principal; None if they were erased."""

    maker: str | None
    made_at: datetime
    seller_id: str


@dataclass(frozen=True, eq=False)
class Makers:
    """Asks the users service, by `peers`, what people may do now."""

    peers: Peers

    async def find(self, made: Made, policy: AccessPolicy) -> Principal | None:
        """Return the maker of a thing with what they may do now; None if it does not work any more.

        `policy` is that of the route that makes such a thing. A process of the platform is always allowed
        what its policy says.

        Raises:
            ServiceNotReady: the users service does not answer, so nothing is known.
        """
        return _who_may_still(made, policy, await self._rights(made.maker))

    async def find_ended(self, things: Sequence[Made], policy: AccessPolicy) -> list[Made]:
        """Return the things that do not work any more; see `find`. It asks once for each maker."""
        makers = {made.maker for made in things}
        rights = {maker: await self._rights(maker) for maker in makers}
        return [made for made in things if _who_may_still(made, policy, rights[made.maker]) is None]

    async def _rights(self, maker: str | None) -> Any:
        """Return what users says that a maker may do; None if they may do nothing now."""
        if maker is not None and maker.startswith(_PLATFORM):
            return {"principal": platform(maker.removeprefix(_PLATFORM)).claims(), "since": None}
        if maker is None or person_id(maker) != maker:
            return None
        return await self.peers.find(USERS, f"/v1/people/{maker}/rights")


def _who_may_still(made: Made, policy: AccessPolicy, rights: Any) -> Principal | None:
    if rights is None:
        return None
    if rights["since"] is not None and made.made_at <= datetime.fromisoformat(rights["since"]):
        return None
    maker = Principal.from_claims(rights["principal"])
    try:
        policy.authorize(maker, {str(policy.seller_parameter): made.seller_id})
    except (SignInRequired, NotAllowed, NotYours):
        return None
    return maker


def person_id(subject: str) -> str | None:
    """Return the id of the person whom the subject of a principal names; None if it names no person."""
    with suppress(ValueError):
        return str(UUID(subject))
    return None
