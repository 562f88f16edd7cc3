"""Ask the engine without waiting for it: a screen goes on, and takes the results as they come."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from textual.screen import Screen

from labeler.core.errors import EngineError
from labeler.core.types import IndexArray
from labeler.project.reply import PendingReply

Result = TypeVar("Result")


def ask(
    screen: Screen[Any],
    pending: PendingReply[Result],
    take: Callable[[Result], Awaitable[None] | None],
    failed: Callable[[EngineError], None] = lambda error: None,
) -> None:
    """Hand each result of a request to `take`, unless the screen was left meanwhile.

    `failed` gets the reason where there is none; the status line tells it in any case.
    """
    # the application's, not the screen's: what is taken may close the screen, which would wait for its own workers
    screen.app.run_worker(_hear(screen, pending, take, failed), name="asked")


def as_indices(indices: Sequence[int]) -> IndexArray:
    """Return indices in the form that the engine takes."""
    return np.array(indices, dtype=np.int64)


async def _hear(
    screen: Screen[Any],
    pending: PendingReply[Result],
    take: Callable[[Result], Awaitable[None] | None],
    failed: Callable[[EngineError], None],
) -> None:
    try:
        async for result in pending:
            # the rest of the results is not waited for either
            if not screen.app.is_running or screen not in screen.app.screen_stack:
                return
            taken = take(result)
            if inspect.isawaitable(taken):
                await taken
    except EngineError as error:
        if screen.app.is_running and screen in screen.app.screen_stack:
            failed(error)
