"""The link to the engine: a worker that is told of every answer and asked for what a screen shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar, overload

from labeler.core.errors import EngineError
from labeler.core.requests import signature
from labeler.core.text import counted
from labeler.core.types import Progress, Round, Snapshot
from labeler.project.reply import PendingReply
from labeler.session.session import Session
from labeler.worker import protocol
from labeler.worker.client import WorkerClient

PUT_OFF_FROM = 20_000
"""Instances from which on what can be made anew is saved when nobody types: a million take half a second."""

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Received:
    """The effect of a message of the worker, for the screen: redraw if `changed`, else show progress or a note."""

    changed: bool = False
    progress: Progress | None = None
    note: str = ""
    failed: bool = False


class EngineLink:
    """The worker of one open project, once started.

    Parameters
    ----------
    session
        What it is told of, and what its rounds are merged into.
    notices
        Takes what a person must be told.
    opening
        Makes the message that opens the pool, by the options in force.
    encoded
        Takes note of what reading the pool brought.
    """

    def __init__(
        self,
        session: Session,
        notices: list[str],
        opening: Callable[[], protocol.Open],
        encoded: Callable[[protocol.Ready], None],
    ) -> None:
        self._session, self._notices, self._opening, self._encoded = session, notices, opening, encoded
        self._client: WorkerClient | None = None
        self._pending: dict[int, PendingReply[Any]] = {}
        self._numbers = count(1)
        # the revision of the closing round in force, and which merge it was
        self._closed: tuple[int, int] | None = None
        self.is_ready = False

    def start(self, post: Callable[[Any], None]) -> None:
        """Start the worker; `post` gets its messages, from another thread. Hand each to :meth:`receive`."""
        opening = self._opening()
        self._client = WorkerClient(opening, post, Path(opening.recipe.cache) / "worker.log")
        if self._session.state.answers:  # or the first questions would be those of a pool without answers
            self.changed()

    def end(self) -> None:
        """End the worker; :meth:`start` makes another, by the options in force. Takes a moment: from any thread."""
        if self._client is not None:
            self._client.close()

    def changed(self) -> None:
        """Tell the engine that the session moved; never blocks."""
        if self._client is not None:
            # something was taken back just now: what spread from it is on the screen still
            urgent = self._session.state.voided_at == self._session.state.revision
            self._client.send(protocol.Answered(self._session.snapshot(), urgent))

    @overload
    def request(
        self,
        method: Callable[Concatenate[Any, Snapshot, Arguments], Iterator[Progress | Result]],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> PendingReply[Result]: ...

    @overload
    def request(
        self,
        method: Callable[Concatenate[Any, Snapshot, Arguments], Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> PendingReply[Result]: ...

    def request(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> PendingReply[Any]:
        """Ask for what a method of the engine returns for the session as it is now; never blocks.

        The method stands for its name and its types, as in ``request(Engine.similar, index=3, size=25, skip=shown)``;
        all that may be asked for is marked as requestable in :mod:`labeler.core.protocols`.

        Raises
        ------
        EngineError
            It may not be asked for.
        """
        asked = signature(method.__name__)
        arguments = asked.arguments(*args, **kwargs)
        pending: PendingReply[Any] = PendingReply()
        if self._client is None:
            # failed, not raised: whoever awaits it hears of it there
            pending.fail(EngineError("the engine does not run yet", "wait until the pool is read"))
            return pending
        number = next(self._numbers)
        self._pending[number] = pending
        self._client.send(protocol.Request(asked.name, [number], self._session.snapshot(), arguments))
        return pending

    def receive(self, message: Any) -> Received:
        """Merge what the worker sent; called where the session lives, which is where the event loop runs."""
        if isinstance(message, Progress):
            return Received(progress=message)
        if isinstance(message, protocol.Ready):
            self._encoded(message)
            if self._client is not None:  # a worker that takes this one's place begins with what was pinned by it
                self._client.opening = self._opening()
            self.is_ready = True
            self.changed()
            pool = self._session.pool
            return Received(changed=True, note=f"ready: {counted(len(pool), pool.noun)} read and compared")
        if isinstance(message, protocol.QueueReady):
            return Received(changed=self._session.merge_queue(message.queue, message.revision))
        if isinstance(message, protocol.RoundReady):
            changed = self._merged(message.round)
            return Received(changed=changed, note=" · ".join(self._session.round_notes) if changed else "")
        if isinstance(message, protocol.Reply):
            return self._replied(message)
        if isinstance(message, protocol.Offer):
            self._notices.append(message.text)
            return Received(note=message.text)
        if isinstance(message, protocol.Failed):
            return self._failed(message)
        return Received()

    # -- the closing round ---------------------------------------------------------------------------------------

    @property
    def is_closed(self) -> bool:
        """Whether the session answers from the closing round of what was said so far."""
        return self._closed is not None and self._closed == self._merged_now()

    def _merged_now(self) -> tuple[int, int]:
        return self._session.state.revision, self._session.machine_labels.n_merged

    def _close(self, closing: Round) -> None:
        """Take a closing round; what advises while a person answers stays the live round's, where it is as new."""
        live = self._session.machine_labels.sent
        if live is not None and live.revision == closing.revision:
            closing = replace(closing, advice=live.advice, queue=live.queue, facts=closing.facts | live.facts)
        if closing.revision == self._session.state.revision and self._merged(closing):
            self._closed = self._merged_now()

    def _merged(self, round_: Round) -> bool:
        return self._session.merge_round(round_, put_off=len(self._session.pool) >= PUT_OFF_FROM)

    # -- inside --------------------------------------------------------------------------------------------------

    def _replied(self, reply: protocol.Reply) -> Received:
        if reply.name == "closing":  # whoever asked for it, what is said from now on rests on it
            self._close(reply.result)
        for number in reply.numbers:
            pending = self._pending.pop(number, None) if reply.is_last else self._pending.get(number)
            if pending is not None:
                pending.put(reply.result, is_last=reply.is_last)
        return Received(changed=reply.is_last and signature(reply.name).is_job)  # what was being done is done

    def _failed(self, failure: protocol.Failed) -> Received:
        # another worker knows of nothing that was requested
        lost = list(self._pending) if failure.has_ended or failure.fatal else failure.numbers
        for number in lost:
            pending = self._pending.pop(number, None)
            if pending is not None:
                pending.fail(EngineError(failure.message, failure.hint))
        hint = f" ({failure.hint})" if failure.hint else ""
        return Received(note=f"{failure.message}{hint}", failed=failure.fatal)
