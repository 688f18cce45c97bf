"""`./souk users create-admin`: makes the first administrator of a copy."""

from typing import Annotated

import typer

from common.settings import Settings
from local.commerce_request import commerce_request

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def users() -> None:
    """Manage the people of this copy. Administrators do the rest on the pages under /admin."""


@app.command("create-admin")
def create_admin(email: Annotated[str, typer.Argument(help="The person's e-mail address.")]) -> None:
    """Make a person an administrator, and print a link with which they choose a password.

    The link works once, for an hour. If it has ended, this command prints a new one. A person who has a
    password keeps it.
    """
    settings = Settings.load()
    made = commerce_request(settings, "POST", "/v1/people", {"email": email, "role": "admin"})
    if made["reset_link"] is None:
        print(f"{made['email']} is an administrator now, and signs in at {settings.public}/sign-in")
    else:
        print(f"{made['email']} is an administrator now. Choose a password within an hour:")
        print(made["reset_link"])
