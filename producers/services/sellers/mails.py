"""The text of the mail that invites a person to the staff of a seller."""

from dataclasses import dataclass

from common.principal import StaffRole


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to one address."""

    to: str
    subject: str
    text: str


def staff_invitation(to: str, seller_name: str, role: StaffRole, link: str) -> Mail:
    """Invite a person to the staff of a seller. The text is the same whether or not they have an account."""
    return Mail(
        to,
        f"Join the staff of {seller_name}",
        f"{seller_name} invites you to its staff, with the role {role}. Follow this link to accept or to "
        f"refuse. It works once, for 7 days:\n\n{link}\n\nYou need an account with this e-mail address; if "
        "you have none yet, the page leads you to the registration. If you don't know this seller, ignore "
        "this mail: nothing was changed.\n",
    )
