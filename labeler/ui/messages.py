"""Messages that threads post to the application: they change nothing, handlers on the event loop do."""

from __future__ import annotations

from textual.message import Message


class Opened(Message):
    """The project is open, or cannot be opened."""

    bubble = False


class WorkerSaid(Message):
    """A message that arrived from the worker process; `what` is for ``Project.receive``."""

    bubble = False

    def __init__(self, what: object) -> None:
        super().__init__()
        self.what = what


class PictureReady(Message):
    """The strips of `index` are in the cache now (or it is known that there are none)."""

    bubble = False

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index
