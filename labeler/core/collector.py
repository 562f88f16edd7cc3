"""Python's garbage collector, kept from what people wait for: loading, and the frame behind a key.

While a program loads it finds nothing, and reads all that is loaded again and again. A full collection reads every
object there is, most of them cells of pictures: 45 ms of processor time on the demo, in the midst of a key's frame.
"""

from __future__ import annotations

import gc

LOADING = 200_000
"""New objects between two collections while code is loaded; Python's own number is 700. Until the first frame there are
about 180 collections of 50 ms together, which free next to nothing."""

NEVER = 1 << 30
"""Collections of the middle generation before Python makes a full one by itself."""
DUE, OVERDUE = 10, 200
"""As many before one is due, which is Python's own number, and before it is made whether anybody waits or not."""

_usual: list[tuple[int, int, int]] = []
_waits_for_rest: list[bool] = []  # whether full collections are left to :func:`rest`


def begin() -> None:
    """Collect seldom from here on.

    The application ends it with its first frame. Commands never do: what they leave behind in circles is little, and
    once in 200,000 objects it is collected all the same.
    """
    _usual.append(gc.get_threshold())
    gc.set_threshold(LOADING)


def end() -> None:
    """Collect as usual again, but nothing of what is loaded: it stays as long as the program runs.

    Full collections wait for :func:`rest`. Without :func:`begin` nothing changes.
    """
    if _usual:
        gc.freeze()
        young, middle, _ = _usual.pop()
        gc.set_threshold(young, middle, NEVER)
        _waits_for_rest[:] = [True]


def rest(*, is_idle: bool) -> bool:
    """Make a full collection where one is due and nobody waits, or is overdue; whether one was made. Call it often."""
    due = gc.get_count()[2] if _waits_for_rest else 0
    if due < (DUE if is_idle else OVERDUE):
        return False
    gc.collect()
    return True
