"""The state of one order of the history."""

from dataclasses import dataclass
from typing import Any

from producers.simulator.order_lifecycle import SimulatedLine


@dataclass(frozen=True)
class HistoryReturn:
    """A return of an order; `lines` are records of `payment_refunded`."""

    return_id: str
    seller_id: str
    lines: list[dict[str, Any]]


@dataclass
class HistoryOrder:
    """The state of an order; `cause` is the event id of its order_placed."""

    order_id: str
    shopper_id: str
    placed_at: int
    cause: str
    lines: list[SimulatedLine]
    method: str
    installments: int
    captured: bool = False
    confirmed_at: int | None = None
    undelivered: int = 0

    @property
    def due_minor(self) -> int:
        """The amount to be paid."""
        return sum(line.paid_minor for line in self.lines)
