"""How often a process that serves looks for garbage.

Reference counts free nearly all that a request makes. Each look at the young goes through every object of the
requests under way, which are no garbage (a fifth of the live simulator's time); a full one goes through all
modules.
"""

import gc

YOUNG = 10_000
"""Objects made, less those freed, before the young are looked at; Python's own is 700."""


def look_rarely() -> None:
    """Leave what is there by now alone for good, and look at what comes when `YOUNG` more objects are there.

    Called once, after everything is imported and built.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
