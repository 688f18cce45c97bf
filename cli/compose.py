"""`./souk compose`: writes `.env` for `docker-compose.yml`."""

from common.errors import UserError
from common.settings import ROOT
from local import compose_env

FILE = ROOT / ".env"


def command() -> None:
    """Write `.env` with what docker-compose.yml needs: passwords, and the addresses of its profiles' servers.

    Values that it has stay. Run it again after a change of COMPOSE_PROFILES.
    """
    try:
        changes = compose_env.complete(FILE)
    except OSError as error:
        raise UserError(f"{FILE} can't be written ({error.strerror})") from error
    removed = f", {len(changes.removed)} removed" if changes.removed else ""
    print(f"{FILE}: {len(changes.added)} variables added{removed}. Next: docker compose up --build --wait")
