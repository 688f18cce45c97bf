"""Loads the commerce services that `schemas/services.toml` names. Each one is a folder like the others."""

from importlib import import_module

from producers.kit.service import ROOM, Service
from schemas import services

if unlisted := {path.parent.name for path in ROOM.glob("*/service.py")} - services.SERVICES.keys():
    raise services.WrongServices(f"{services.FILE.name} has no service {', '.join(sorted(unlisted))}")

SERVICES: dict[str, Service] = {
    name: import_module(f"producers.services.{name}.service").SERVICE for name in services.SERVICES
}
"""All commerce services by name."""
