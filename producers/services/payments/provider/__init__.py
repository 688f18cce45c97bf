"""The interface to a payment provider, and a simulated provider with its own tables."""

from producers.services.payments.provider.api import (
    ChargeOutcome,
    ChargeRequest,
    Provider,
    ProviderUnavailable,
)

__all__ = ["ChargeOutcome", "ChargeRequest", "Provider", "ProviderUnavailable"]
