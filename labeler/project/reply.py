"""A reply of the engine that is not there yet."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Generator
from typing import Any, Generic, TypeVar

from labeler.core.errors import EngineError

Result = TypeVar("Result")


class PendingReply(Generic[Result]):
    """The results of one request, as they come.

    Awaited, it is the last of them; iterated over (``async for``), it is each of them. A key's turn must do neither:
    the engine may take its time, and keys do not wait for it.

    Raises
    ------
    EngineError
        When awaited or iterated over: it was not done, and why.
    """

    def __init__(self) -> None:
        self.results: deque[Result] = deque()  # that nobody took yet
        self.is_done = False
        self._error: EngineError | None = None
        self._news = asyncio.Event()

    def put(self, result: Result, *, is_last: bool) -> None:
        """Take a result in; where the event loop runs."""
        self.results.append(result)
        self.is_done = is_last
        self._news.set()

    def fail(self, error: EngineError) -> None:
        """Say that no more is to come, and why."""
        self.is_done, self._error = True, error
        self._news.set()

    def __await__(self) -> Generator[Any, None, Result]:
        return self._last().__await__()

    async def __aiter__(self) -> AsyncIterator[Result]:
        while True:
            while self.results:
                yield self.results.popleft()
            if self._error is not None:
                raise self._error
            if self.is_done:
                return
            self._news.clear()  # between the last look and this nothing is awaited, so no result is missed
            await self._news.wait()

    async def _last(self) -> Result:
        results = [result async for result in self]
        return results[-1]
