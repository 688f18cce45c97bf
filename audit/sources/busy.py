"""What the sources raise if a store answers and has too much to do."""

from common.errors import PartUnavailable


class StoreBusy(PartUnavailable):
    """A store has refused a request, or ended a query at a limit, however often it was repeated."""
