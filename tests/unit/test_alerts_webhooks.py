"""Webhooks are sent over https, and signed as Standard Webhooks describes."""

import pytest

from producers.kit.http.public_hosts import UrlRefused
from producers.services.alerts.webhooks import new_webhook_secret, parse_webhook_url, signed_headers


def test_a_webhook_needs_https_except_for_development():
    with pytest.raises(UrlRefused, match="must begin with https://"):
        parse_webhook_url("http://hooks.example.com/", allows_internal=False)

    assert parse_webhook_url("http://localhost:9000/", allows_internal=True).scheme == "http"


def test_the_signature_is_that_of_the_specification():
    # The example of the libraries of standardwebhooks.com.
    headers = signed_headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_each_secret_is_another_one_of_256_bits():
    first, second = new_webhook_secret(), new_webhook_secret()

    assert first != second
    assert first.startswith("whsec_")
    assert len(first) == len("whsec_") + 44
