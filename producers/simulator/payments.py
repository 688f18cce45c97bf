"""Draws payment methods."""

from random import Random

METHODS = ("credit_card", "pix", "boleto", "debit_card", "wallet")
_SHARES = (55, 25, 8, 7, 5)
DECLINED_SHARE = 0.03
DECLINE_REASONS = ("declined", "insufficient_funds", "expired_card")


def draw_payment_method(random: Random) -> tuple[str, int]:
    """Draw a method and a number of instalments. Only credit cards have several instalments."""
    method = random.choices(METHODS, _SHARES)[0]
    installments = random.choice((1, 1, 1, 2, 3, 4, 6, 10)) if method == "credit_card" else 1
    return method, installments
