"""One order of the history, as it is now."""

from dataclasses import dataclass

from producers.simulator.fate import Line


@dataclass
class Order:
    """An order on its way through the shop; `cause` is the event id of its order_placed."""

    order_id: str
    shopper_id: str
    placed_at: int
    cause: str
    lines: list[Line]
    method: str
    installments: int
    captured: bool = False
    to_deliver: int = 0

    @property
    def due_minor(self) -> int:
        """What is to be paid."""
        return sum(line.paid_minor for line in self.lines)
