"""The payment provider: an outside system that is reached over a network, and that keeps its own books."""

from producers.payments.provider.api import Asked, Outcome, Provider, ProviderUnavailable

__all__ = ["Asked", "Outcome", "Provider", "ProviderUnavailable"]
