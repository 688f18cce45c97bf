"""Bearer tokens of principals, which a test sends to the API as a process of the platform would."""

import time

from common.principal import Principal, platform
from common.principal_token import GATEWAY, PrincipalTokens
from common.settings import Settings

AN_HOUR_S = 3600

TESTS = platform("tests")


def bearer(settings: Settings, principal: Principal = TESTS) -> dict[str, str]:
    """Return the header of a principal, valid for an hour. `settings` needs the copy's secret only."""
    tokens = PrincipalTokens(settings, now=lambda: time.time() + AN_HOUR_S)
    return {"Authorization": f"Bearer {tokens.make(principal, GATEWAY)}"}
