"""The texts of the mails to people. Links are absolute, to the shop's pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

from common.money import format_money
from common.request_path import in_path
from producers.services.users.recommended_rows import RecommendedProduct, RecommendedRow

LOCALE = "en"

MailKind = Literal[
    "verification", "already_registered", "password_reset", "no_account", "email_change", "email_changed",
    "password_changed", "invitation", "recommendations",
]  # fmt: skip


ServiceMailKind = Literal["staff_invitation", "seller_alert", "seller_report"]
"""The mails that other services write."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to one address."""

    kind: MailKind | ServiceMailKind
    to: str
    subject: str
    text: str


class Mails:
    """Writes mails. `site` is the base URL of the shop's pages."""

    def __init__(self, site: str) -> None:
        self._site = site

    def reset_link(self, token: str) -> str:
        """Return the page on which the holder of a token chooses a password."""
        return f"{self._site}/reset?token={token}"

    def verification(self, to: str, token: str, then: str = "") -> Mail:
        """Ask for the verification of an e-mail address after a registration.

        `then` is the path of the page to open afterwards.
        """
        target = f"&{urlencode({'next': then})}" if then else ""
        return Mail(
            "verification",
            to,
            "Confirm your e-mail address",
            "Follow this link and type the password with which you registered. The link works once, for 24 "
            f"hours:\n\n{self._site}/verify?token={token}{target}\n\nIf you did not register, ignore this "
            "mail: without the password, nobody can confirm your address.\n",
        )

    def already_registered(self, to: str) -> Mail:
        """Tell a registered person that somebody registered with their address again."""
        return Mail(
            "already_registered",
            to,
            "You are registered already",
            "Somebody tried to register with this e-mail address, which has an account already. Sign in at"
            f"\n\n{self._site}/sign-in\n\nIf you have forgotten your password, choose a new one there. If it "
            "was not you, ignore this mail: nothing was changed.\n",
        )

    def password_reset(self, to: str, token: str) -> Mail:
        """Send the link with which a person chooses a new password."""
        return Mail(
            "password_reset",
            to,
            "Choose a new password",
            "Follow this link to choose a new password. It works once, for an hour, and ends all your "
            f"sessions:\n\n{self.reset_link(token)}\n\nIf you did not ask for it, ignore this mail: nothing "
            "was changed.\n",
        )

    def no_account(self, to: str) -> Mail:
        """Answer somebody who asked for a new password of an account that does not exist."""
        return Mail(
            "no_account",
            to,
            "There is no account with this address",
            "Somebody asked for a new password for this e-mail address, which has no account here. Perhaps "
            "you registered with another address, or you have not confirmed this one yet: then follow the "
            f"link in the mail that you got. To register now, go to\n\n{self._site}/sign-up\n",
        )

    def email_change(self, to: str, token: str) -> Mail:
        """Ask for the confirmation of a new e-mail address."""
        return Mail(
            "email_change",
            to,
            "Confirm your new e-mail address",
            "Follow this link and type the password of your account, to use this address from now on. The "
            f"link works once, for 24 hours:\n\n{self._site}/confirm_email?token={token}\n\nIf you did not "
            "ask for it, ignore this mail: without the password, nobody can confirm your address.\n",
        )

    def email_changed(self, to: str) -> Mail:
        """Tell the old address that the account has another one now."""
        return Mail(
            "email_changed",
            to,
            "Your e-mail address was changed",
            "Your account has another e-mail address now. If it was not you, write to the shop at once.\n",
        )

    def password_changed(self, to: str) -> Mail:
        """Tell a person that their password was changed."""
        return Mail(
            "password_changed",
            to,
            "Your password was changed",
            "Your password was changed, and your other sessions have ended. If it was not you, choose a new "
            f"one at\n\n{self._site}/sign-in\n",
        )

    def invitation(self, to: str, token: str) -> Mail:
        """Tell a person who was registered by the operator how to choose a password."""
        return Mail(
            "invitation",
            to,
            "Choose your password",
            "You have an account now. Follow this link to choose its password. It works once, for an hour:"
            f"\n\n{self.reset_link(token)}\n",
        )

    def recommendations(self, to: str, rows: Sequence[RecommendedRow], unsubscribe_token: str) -> Mail:
        """Show rows of recommended products, of which the first has the mail's subject as its title."""
        lines: list[str] = []
        for row in rows:
            lines += [row.title, ""]
            for each in row.products:
                price = format_money(each.price_minor, each.currency, LOCALE)
                lines += [f"{each.name or each.product_id}, {price}", self._product_link(row, each), ""]
            lines.append("")
        lines += [
            "You get this mail once a week because you agreed to it. End these mails:",
            f"{self._site}/unsubscribe?{urlencode({'token': unsubscribe_token})}",
        ]
        return Mail("recommendations", to, rows[0].title, "\n".join(lines) + "\n")

    def _product_link(self, row: RecommendedRow, product: RecommendedProduct) -> str:
        """Return the page of a product. The fragment tells its script which list led there."""
        referral = urlencode({"recommendation": row.recommendation_id, "position": product.position})
        return f"{self._site}/shop/products/{in_path(product.product_id)}#{referral}"
