"""The words on quitting about the work of this session. Pure: from a session to lines."""

from __future__ import annotations

from labeler.core.text import counted
from labeler.core.types import Provenance
from labeler.session.pace import spoken, worked
from labeler.session.session import Session

_EXPORTED = (Provenance.HUMAN, Provenance.CONFIRMED, Provenance.IMPORTED, Provenance.PROPAGATED)


def keys_pressed(session: Session) -> int:
    """Keys of all sessions: those the journal tells of, and those since its last event."""
    return session.state.keys + (session.recorder.presses or 0)


def this_session(session: Session) -> str:
    """Labels given, keys pressed and time spent since the session was opened; breaks are no time spent."""
    began = session.began
    labels = session.state.answers.counts["label"] - began.labels
    keys = keys_pressed(session) - began.keys
    # below 0 where more answers of earlier sessions were taken back than given
    given = f"{counted(labels, 'label')} given" if labels >= 0 else f"{counted(-labels, 'label')} taken back"
    seconds = worked(session.state.times[began.times :])
    spent = f" in {spoken(seconds)}, breaks left out" if seconds else ""
    return f"this session: {given} with {counted(keys, 'key')}{spent}"


def in_the_export(session: Session) -> str:
    """The labels that the default export would hold, by provenance."""
    view = session.view()
    counts = {word: sum(getattr(count, word.word) for count in (*view.classes, *view.retired)) for word in _EXPORTED}
    kinds = ", ".join(f"{count:,} {word.word}" for word, count in counts.items() if count)
    return f"to export: {view.labeled:,} of {counted(view.n_instances, 'label')}{f': {kinds}' if kinds else ''}"
