"""Names, passwords and verifiers of PostgreSQL's roles."""

import hashlib
import hmac
from base64 import b64decode
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from pydantic import SecretStr

from common.postgres_roles import READER, role_name, role_password, scram_verifier
from common.settings import Settings
from local.parts import postgres, registry

SECRETS = {"postgres_admin_password": SecretStr("p@ss /1"), "postgres_role_secret": SecretStr("s")}


def test_each_role_has_a_password_of_its_own_that_stays_the_same() -> None:
    passwords = {role_password("secret", role_name(schema)) for schema in ("orders", "payments", READER)}

    assert len(passwords) == 3
    assert role_password("secret", "souk_orders") in passwords
    assert role_password("another", "souk_orders") not in passwords


def test_a_verifier_proves_its_password_and_does_not_contain_it() -> None:
    verifier = scram_verifier("pencil")

    iterations, keys = verifier.removeprefix("SCRAM-SHA-256$").split(":", 1)[0], verifier.split("$")[2]
    salt = b64decode(verifier.split("$")[1].split(":")[1])
    salted = hashlib.pbkdf2_hmac("sha256", b"pencil", salt, int(iterations))
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    assert [b64decode(key) for key in keys.split(":")] == [
        stored,
        hmac.digest(salted, b"Server Key", "sha256"),
    ]
    assert "pencil" not in verifier
    assert scram_verifier("pencil") != verifier


@pytest.mark.parametrize(("schema", "role"), [("orders", "souk_orders"), (READER, "souk_reader")])
def test_a_service_connects_as_its_own_role(schema: str, role: str) -> None:
    settings = Settings(port_offset=3, postgres_role_secret=SECRETS["postgres_role_secret"])

    url = urlsplit(settings.postgres_as(schema))

    assert (url.username, url.password, url.port, url.path) == (role, role_password("s", role), 5435, "/souk")


def test_the_administrators_password_survives_its_url() -> None:
    url = urlsplit(Settings(postgres_admin_password=SECRETS["postgres_admin_password"]).postgres)

    assert (url.username, unquote(url.password or "")) == ("souk", "p@ss /1")


def test_a_server_of_ones_own_has_one_role_for_everything() -> None:
    settings = Settings(postgres_url="postgresql://me:p@db/shop")

    assert {settings.postgres, settings.postgres_as("orders"), settings.postgres_as(READER)} == {
        "postgresql://me:p@db/shop"
    }


def test_no_address_of_a_part_and_no_argument_has_a_password(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, **SECRETS)
    secret = role_password("s", role_name(registry.SCHEMA))

    server = postgres.part(settings)

    assert server.url == "postgresql://127.0.0.1:5432/souk"
    assert server.launch is not None
    assert not [word for word in server.launch.argv if "p@ss" in word or secret in word]
