"""Error responses of the pages of people."""

from common.errors import PartUnavailable
from common.problems import Problem


class AccountUnavailable(Problem, PartUnavailable):
    """The services that keep people and orders do not answer."""

    status, kind, title = 503, "account-unavailable", "Your account is not available"
    retry_after_s = 2

    def __init__(self) -> None:
        super().__init__("Your account can't be shown right now. Nothing is lost: try again in a moment.")


class LookAsUnavailable(Problem):
    """Nobody may look around as somebody else here."""

    status, kind, title = 403, "look-as-unavailable", "This is no demo"

    def __init__(self) -> None:
        super().__init__(
            "Sessions of the demo can be opened only on the machine on which it runs, at its loopback "
            "address, and only as long as nobody has registered. Sign in instead."
        )


class LookAsRefused(Problem):
    """The form names no role of the demo."""

    status, kind, title = 422, "bad-body", "This body can't be used"

    def __init__(self) -> None:
        super().__init__("Choose a shopper, a seller, an analyst or an administrator on the start page.")


class NoSellerYet(Problem):
    """Nobody sells anything yet, so that nobody can look around as a seller."""

    status, kind, title = 409, "no-seller", "There is no seller yet"

    def __init__(self) -> None:
        super().__init__(
            "No seller has registered or sold anything yet. `./souk demo` starts a simulated marketplace."
        )
