"""The garbage collector while a program loads: it finds nothing then, and reads all that is loaded again and again."""

from __future__ import annotations

import gc

LOADING = 200_000
"""New objects between two collections while code is loaded; Python's own number is 700. Until the first frame there are
about 180 collections of 50 ms together, which free next to nothing."""

_usual: list[tuple[int, int, int]] = []


def begin() -> None:
    """Collect seldom from here on.

    The application ends it with its first frame. Commands never do: what they leave behind in circles is little, and
    once in 200,000 objects it is collected all the same.
    """
    _usual.append(gc.get_threshold())
    gc.set_threshold(LOADING)


def end() -> None:
    """Collect as usual again, but nothing of what is loaded: it stays as long as the program runs.

    Without :func:`begin` nothing changes.
    """
    if _usual:
        gc.freeze()
        gc.set_threshold(*_usual.pop())
