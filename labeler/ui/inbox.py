"""Messages of the worker that wait for their turn: behind the frame that a person waits for, and all at once."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labeler.project.open import Project, Received
    from labeler.ui.status_line import StatusLine


BEHIND = 0.1
"""Seconds behind a frame in which nothing is merged: it would be drawn at once, and in the way of who types on, whose
next frame shows it as well."""
QUIET = 3.0
"""Seconds without a key after which nobody types: a person takes about two for an answer."""
PATIENCE = 0.5
"""Seconds that messages wait for frames at most."""


class Inbox:
    """The messages, and what the status line is told of them.

    Parameters
    ----------
    project
        What they are merged into. Of its notices, those there are by now are known.
    status
        The line that says progress, notes and trouble.
    """

    def __init__(self, project: Project, status: StatusLine) -> None:
        self._project, self._status = project, status
        self._messages: deque[object] = deque()
        # those of the start are in the status line: later ones alone are said
        self._noticed = len(project.notices)
        self._frame_at = -BEHIND
        self._came_at = 0.0  # the first of those that wait

    def put(self, message: object) -> bool:
        """Keep a message; whether it is the only one."""
        if is_first := self.is_empty:
            self._came_at = time.monotonic()
        self._messages.append(message)
        return is_first

    def note_frame(self) -> None:
        """Note that a question was painted just now."""
        self._frame_at = time.monotonic()

    @property
    def pause(self) -> float:
        """Seconds until the next moment at which the messages may be merged; 0 = now."""
        return max(self._frame_at + BEHIND - time.monotonic(), 0.0)

    @property
    def is_overdue(self) -> bool:
        """Whether what is there has waited long enough."""
        return not self.is_empty and time.monotonic() - self._came_at > PATIENCE

    @property
    def is_empty(self) -> bool:
        """Whether all were merged."""
        return not self._messages

    def merge(self) -> Received:
        """Merge all of them in order, of which there is at least one.

        Returns the effect of the last, `changed` where any of them changed something.
        """
        effects = []
        while self._messages:
            effects.append(self._merged(self._messages.popleft()))
        return replace(effects[-1], changed=any(effect.changed for effect in effects))

    def rest(self, quiet: float) -> None:
        """Let save what was put off, a step at a time, where nobody has typed for a while."""
        if quiet > QUIET:
            self._project.save_derived()

    def _merged(self, message: object) -> Received:
        received, status = self._project.engine.receive(message), self._status
        if received.progress is not None:
            status.progress = received.progress if received.progress.what else None
        elif received.changed or received.failed:
            status.progress = None
        if received.failed:
            status.trouble = received.note
        notices = self._project.notices
        new, self._noticed = notices[self._noticed :], len(notices)
        texts = [*new, *([received.note] if received.note and not received.failed else [])]
        if texts:
            status.note(" · ".join(dict.fromkeys(texts)))  # an offer is both, said once
        return received
