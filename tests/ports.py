"""Ports for what a test starts: free, and claimed so that no other test session takes them, too."""

import random
import socket

from common.settings import LOOPBACK, PORTS

OFFSETS = range(11_000, 23_000)
"""Beyond the copies that people run, and with every port below those of outgoing connections (32,768 on)."""

_claims: list[socket.socket] = []
"""One for each claimed port, held until this process ends, however it ends."""


def free_offset() -> int:
    """A port offset at which every port of a copy is free, and which this process alone gets.

    A claim is a Unix socket of an abstract name, which is nowhere in the file system.
    """
    for offset in random.sample(OFFSETS, len(OFFSETS)):
        ports = [port + offset for port in PORTS.values()]
        claims = [claim for port in ports if (claim := _claim(port))]
        if len(claims) == len(ports) and all(map(_is_free, ports)):
            _claims.extend(claims)
            return offset
        for claim in claims:
            claim.close()
    raise AssertionError(f"no free ports at any offset from {OFFSETS.start} to {OFFSETS.stop}")


def _claim(port: int) -> socket.socket | None:
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0souk-test-port-{port}")
    except OSError:
        claim.close()
        return None
    return claim


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
