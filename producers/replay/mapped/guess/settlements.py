"""Recognises settlements: lists of what a marketplace or a bank paid out, with fees, which are no orders."""

from producers.replay.mapped.column_roles import plain, role_of, words
from producers.replay.mapped.guess.profile import FileProfile
from producers.replay.mapped.guess.vocabulary import name_score

_PAID_OUT = words(
    "payout payouts settlement disbursement deposit repasse repasses liquidacao liquidacion auszahlung "
    "versement reversement transfer funds uitbetaling accredito saque retiro"
)


def settlement_reason(file: FileProfile) -> str | None:
    """Return why a file is a settlement, or None: it has fees and what is left of them, and names a "
    "payout."""
    names = [plain(column.name) for column in file.columns]
    found = [set(name.split()) for name in names]
    pays_out = any(tokens & _PAID_OUT for tokens in found)
    has_fees = any(role_of(column.name) == "fee" for column in file.columns)
    has_net = any(
        "net" in tokens or "netto" in tokens or "liquido" in tokens or "neto" in tokens for tokens in found
    )
    has_lines = any(name_score("product", column.name) for column in file.columns) and any(
        name_score("quantity", column.name) or role_of(column.name) == "quantity" for column in file.columns
    )
    if has_lines or (not (pays_out and (has_fees or has_net)) and not (has_fees and has_net)):
        return None
    return (
        "looks like a settlement: it lists payments, fees and payouts, not what was sold. Export the"
        " orders with their "
        "lines instead"
    )
