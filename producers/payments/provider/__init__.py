"""The payment provider: an external system with its own data."""

from producers.payments.provider.api import ChargeOutcome, ChargeRequest, Provider, ProviderUnavailable

__all__ = ["ChargeOutcome", "ChargeRequest", "Provider", "ProviderUnavailable"]
