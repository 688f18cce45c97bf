"""`./souk compose`: writes `.env` for `docker-compose.yml`."""

from common.errors import UserError
from common.settings import ROOT
from local import compose_env

FILE = ROOT / ".env"


def command() -> None:
    """Write `.env` with the passwords and profiles of docker-compose.yml. Values that it has stay."""
    try:
        added = compose_env.complete(FILE)
    except OSError as error:
        raise UserError(f"{FILE} can't be written ({error.strerror})") from error
    print(f"{FILE}: {len(added)} variables added. Next: docker compose up --build --wait")
