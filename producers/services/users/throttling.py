"""Slows down guesses of passwords. An attempt counts as a failure until it has succeeded."""

from collections.abc import Mapping

from producers.kit.outbox.transaction import Transaction
from producers.services.users import sign_in_store
from producers.services.users.device_tokens import DeviceTokens
from producers.services.users.model import FREE_FAILURES, FREE_FAILURES_OF_ADDRESS
from producers.services.users.problems import TooManyAttempts

Subjects = Mapping[bytes, int]
"""Subject → the failures that cost it no delay."""


def sign_in_subjects(devices: DeviceTokens, email: str, device: bytes | None, address: str) -> Subjects:
    """Return the subjects of an attempt to sign in. On a device of the account, only the device counts."""
    if device is not None:
        return {devices.account_on_device(email, device): FREE_FAILURES}
    return {devices.account(email): FREE_FAILURES, devices.address(address): FREE_FAILURES_OF_ADDRESS}


def registration_subjects(devices: DeviceTokens, token_sha256: bytes, address: str) -> Subjects:
    """Return the subjects of an attempt to verify the e-mail address of a registration."""
    return {
        devices.registration(token_sha256): FREE_FAILURES,
        devices.address(address): FREE_FAILURES_OF_ADDRESS,
    }


async def begin_attempt(tx: Transaction, subjects: Subjects) -> None:
    """Count an attempt as failed. Concurrent attempts wait for each other, so that each is counted.

    Raises:
        TooManyAttempts: a subject must wait. The attempt is not counted.
    """
    throttles = await sign_in_store.lock_throttles(tx, dict(subjects))
    wait_s = max(each.wait(tx.now).total_seconds() for each in throttles)
    if wait_s > 0:
        raise TooManyAttempts(wait_s)
    await sign_in_store.save_throttles(tx, [each.failed(tx.now) for each in throttles])


async def attempt_succeeded(tx: Transaction, subjects: Subjects) -> None:
    """Count an attempt as succeeded."""
    throttles = await sign_in_store.lock_throttles(tx, dict(subjects))
    await sign_in_store.save_throttles(tx, [each.succeeded() for each in throttles])
