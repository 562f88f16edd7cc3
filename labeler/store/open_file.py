"""A project file while it is open: connection, name and lock; nothing is acknowledged that is not in it, flushed."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path

from labeler.core import descriptors
from labeler.core.errors import LabelerError, NotSaved, ProjectError
from labeler.core.files import sync
from labeler.store import file_names, renewal, wal
from labeler.store.connection import Connection, Footprint
from labeler.store.copy import copy
from labeler.store.lock import ProjectLock, holder
from labeler.store.open import (
    check_untouched,
    connect,
    counter_page,
    explain_errors,
    fold_log,
    open_copy,
    open_reader,
    set_up_reader,
    set_up_writer,
    translate_error,
)

LARGEST_LOG = 4 << 20
"""Bytes of a log that is folded in after a write; SQLite's own default is 1,000 pages."""
# after one of these nobody knows what is on disk: see renewal.py
_FAILED_FLUSHES = frozenset(
    (
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_DIR_FSYNC,
        sqlite3.SQLITE_IOERR_TRUNCATE,
        sqlite3.SQLITE_IOERR_CLOSE,
    )
)
_ELSEWHERE = "put it back and try again, or save elsewhere: what is answered is held open until this program ends"


class OpenFile:
    """A database file opened by :meth:`read` or :meth:`write`.

    Attributes
    ----------
    path
        Its name as it was given, for messages; `place` is the one that its log lies beside.
    db
        The connection. Another one after a flush failed.
    lock
        Held by a writer; None for a reader.
    note
        What its log says is missing; "" where nothing is.
    """

    def __init__(self, path: Path, place: Path, db: Connection, lock: ProjectLock | None, note: str = "") -> None:
        self.path, self.place, self.db, self.lock, self.note = path, place, db, lock, note
        self._is_doubtful = False  # a flush failed: what is written from there on may be gone after a power cut
        self._is_closed = False  # the last connection was given up, and no other could be opened yet
        self._is_released = False
        self._owner = os.getpid(), threading.get_ident()
        self._nested = 0
        self.appended: tuple[int, bytes] | None = None  # the last event that was written, with its seal
        self._seen = Footprint.of(place)  # at the last look: whatever changed since and is not ours is another's
        self._largest_log = LARGEST_LOG
        self._last: tuple[int, bytes] | None = None  # the last event that is in the file itself, not in its log
        self._look_inside()

    @classmethod
    def read(cls, path: Path) -> OpenFile:
        """Open for reading, also beside a writer; changes nothing. Raises as :meth:`labeler.store.store.Store.open`."""
        place = renewal.newest(file_names.log_name(path))
        check_untouched(place)
        descriptors.hold(place)
        with ExitStack() as undo:
            undo.callback(descriptors.release, place)
            # asked again below: whoever writes meanwhile changes what is compared
            is_at_rest = not holder(place)
            before = wal.evidence(place)
            with explain_errors(path):
                db = open_reader(place)
                undo.callback(db.close)
                counter = counter_page(db)
                current = set_up_reader(path, db)
            if current is not db:
                undo.callback(current.close)
            is_at_rest = is_at_rest and before.stands(place) and not holder(place)
            opened = cls(path, place, current, None, _note(before, counter) if is_at_rest else "")
            undo.pop_all()
        return opened

    @classmethod
    def write(cls, path: Path, create: bool, before_migration: Callable[[Path, Callable[..., None]], None]) -> OpenFile:
        """Open for writing, the one writer. Raises as :meth:`labeler.store.store.Store.open`."""
        place = file_names.log_name(path)
        if place.exists() and place.stat().st_size:
            check_untouched(place)
        lock = ProjectLock(place)
        with ExitStack() as undo:
            undo.callback(lock.release)
            # before SQLite looks at the file: the name must be ours when a log is judged or a fresh copy put in place
            lock.acquire(create=create, before=lambda: _prepare(place))
            descriptors.hold(place)
            undo.callback(descriptors.release, place)
            before = wal.evidence(place)
            db = connect(place, "rwc" if create else "rw")
            undo.callback(db.close)
            note = ""
            with explain_errors(path):
                note = _note(before, counter_page(db))

            def copied(target: Path, **noted: object) -> None:
                copy(path, db.conn, target, noted)

            set_up_writer(path, place, lock.identity or (0, 0), db, lambda: before_migration(path, copied))
            opened = cls(path, place, db, lock, note)
            undo.pop_all()
        return opened

    # -- saving --------------------------------------------------------------------------------------------------

    @contextmanager
    def saving(self, *, synced: bool = True) -> Iterator[None]:
        """Write inside of it, in one transaction: at its end it is in the file, which is where it was.

        `synced`: flushed as well. Derived data need not be: at a power cut it may be lost, and is made anew.

        Raises
        ------
        NotSaved
            It could not be written, or the file is no longer the one at its place.
        """
        self.check_owner()
        if not self._nested:  # a write inside of another is looked after by the outer one
            self._check_place(untouched=True)
            self._make_sure()
        self._nested += 1
        try:
            with nullcontext() if synced else self._unsynced(), self.db.atomic():
                yield
        except sqlite3.IntegrityError:  # nothing of the disk: it is for whoever wrote it
            self.appended = None
            raise
        except sqlite3.Error as error:
            self.appended = None
            if not self._nested - 1:
                # a file that is gone explains the error better than SQLite's words for it
                self._check_place()
            raise self._not_saved(error) from error
        except BaseException:
            self.appended = None
            raise
        finally:
            self._nested -= 1
        if not self._nested:
            self._check_place(self._look_at_log())

    @contextmanager
    def _unsynced(self) -> Iterator[None]:
        """Write derived data without a flush: at a power cut (never at a kill) it may be lost, and is made anew.

        Not so with a rollback journal: there an unflushed write may tear pages of the file that it does not concern.
        """
        if self.db.conn.in_transaction or not self._seen.logs:  # what it is a part of is synced
            yield
            return
        ((level,),) = self.db.execute("PRAGMA synchronous").fetchall()
        self.db.execute("PRAGMA synchronous = NORMAL")
        try:
            yield
        finally:
            self.db.execute(f"PRAGMA synchronous = {level}")

    @property
    def is_lost(self) -> bool:
        """Whether the file at its place is no longer the one that is open."""
        return self.lock is not None and descriptors.identity_of(self.place) != self.lock.identity

    def adopt(self) -> None:
        """Belong to the present thread from here on; the one before must be done with it."""
        self._owner = self._owner[0], threading.get_ident()

    def close(self) -> None:
        """Fold the log in, close, and free the lock.

        The file rests in DELETE mode, so that a later reader makes no log beside it, not even in a read-only folder.
        """
        if self._is_released or os.getpid() != self._owner[0]:  # a child has no part in its parent's locks
            return
        self.check_owner()
        self._is_released = True
        if self.is_lost:
            self._fold_where_it_is()
        elif self.lock is not None:
            if self._is_doubtful:
                with suppress(NotSaved):
                    self._renew()
            with suppress(sqlite3.Error):  # a reader holds it: the log stays beside the file and nothing is lost
                self.db.execute("PRAGMA synchronous = EXTRA")
                self.db.execute("PRAGMA journal_mode = DELETE")
        self.db.close()
        if self.lock is not None:
            with suppress(OSError):
                sync(self.place.parent)  # the log's name is gone for good, or it would come back at a power cut
            self.lock.release()  # after the connection: until then another writer would share its log
            self.lock = None
        descriptors.release(self.place)

    def check_owner(self) -> None:
        """SQLite's connection and its locks belong to the process, and Python's to one thread. Raises ProjectError."""
        if self._owner != (os.getpid(), threading.get_ident()):
            what = "process" if os.getpid() != self._owner[0] else "thread"
            raise ProjectError(
                f"{self.path} was opened in another {what}; nothing was changed", f"open it in the {what} that uses it"
            )

    def _fold_where_it_is(self) -> None:
        """Fold the log into a file that was moved, so that it is whole there; what is left of ours goes.

        Where another file has its name, what lies beside that may be the other's, and nothing is touched.
        """
        if self.place.exists():
            return
        with suppress(sqlite3.Error, OSError):
            fold_log(self.db)
            for suffix, identity in self._seen.logs.items():
                name = self.place.with_name(self.place.name + suffix)
                if descriptors.identity_of(name) == identity and (suffix != "-wal" or not name.stat().st_size):
                    name.unlink(missing_ok=True)

    # -- where it is ---------------------------------------------------------------------------------------------

    def _check_place(self, now: Footprint | None = None, *, untouched: bool = False) -> None:
        """Raise NotSaved where the name no longer stands for what is open: "saved" would go on into nothing.

        `now`: what lies there, where somebody has just looked.
        `untouched`: nothing of its own was written since the last look, so that the log must be as it was then.
        """
        if self.lock is None:
            return
        now = now or Footprint.of(self.place)
        if now.identity != self.lock.identity == descriptors.identity_of(renewal.fresh_of(self.place)):
            with suppress(OSError):  # it could not be put in place before
                renewal.put_in_place(self.place)
            now = Footprint.of(self.place)
        if now.identity != self.lock.identity:
            raise NotSaved(f"NOT saved: {self._what_became_of_it()}", _ELSEWHERE, is_lost=True)
        if self._seen.logs != now.logs:
            self._mend_log()
            now = Footprint.of(self.place)
        is_log_touched = untouched and self._seen.log != now.log
        if (is_log_touched or self._seen.changed != now.changed) and not self._reads_well():
            raise NotSaved(
                f"NOT saved: {self.path} was overwritten by another program while it was open",
                "save elsewhere what can be read, or end and restore a backup: labeler check says which",
                is_lost=True,
            )
        self._seen = now

    def _what_became_of_it(self) -> str:
        if self.place.exists():
            return f"another file took the place of {self.path} while it was open"
        now = self.lock.name_now() if self.lock is not None else None
        return f"{self.path} was moved to {now} while it was open" if now else f"{self.path} is gone while it was open"

    def _mend_log(self) -> None:
        """Fold the log in that lost its name, and go on with a new one. Raises NotSaved."""
        with explain_errors(self.path, NotSaved):
            if not fold_log(self.db):
                raise NotSaved(
                    f"NOT saved: the log beside {self.path} was removed while it was open, and another program reads",
                    "end the other program and try again, or save elsewhere",
                    is_lost=True,
                )
            self._reopen()

    def _reopen(self) -> None:
        """Go on by another connection; the one before is closed first, or both would share its nameless log."""
        if self.lock is None:
            return
        self.db.close()
        self._is_closed = True
        self.db = connect(self.place, "rw")
        set_up_writer(self.path, self.place, self.lock.identity or (0, 0), self.db, lambda: None)
        self._is_closed = False
        self._seen = Footprint.of(self.place)
        self._look_inside()

    def _reads_well(self) -> bool:
        """Whether a fresh look at a file that somebody else wrote in finds what this program put there."""
        try:
            with closing(connect(self.place, "ro")) as other:  # the connection in use would answer from its cache
                is_sound = other.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
                last = self.appended or self._last
                return is_sound and _event(other, "WHERE seq = ?", last[0] if last is not None else 0) == last
        except sqlite3.Error:
            return False

    def _look_inside(self) -> None:
        if self.lock is not None:
            with explain_errors(self.path):
                self._last = _event(self.db, "ORDER BY seq DESC LIMIT ?", 1)

    # -- flushing ------------------------------------------------------------------------------------------------

    def _look_at_log(self) -> Footprint:
        """Fold a log in that has grown; a flush that fails then is heard of at the next write. What is there then."""
        now = Footprint.of(self.place)
        size, _ = now.log
        if size > self._largest_log:
            try:
                fold_log(self.db)
                self._look_inside()
            except sqlite3.Error as error:
                self._is_doubtful |= _is_failed_flush(error)
            # somebody reads, and it stays as long as it is: not again before it is as much longer
            now = Footprint.of(self.place)
            self._largest_log = max(now.log[0], 0) + LARGEST_LOG
        if size < 0 or size > LARGEST_LOG:  # it was this program that wrote in the database
            self._seen = replace(self._seen, changed=now.changed)
        return now

    def _make_sure(self) -> None:
        """Write nothing where it may not last. Raises NotSaved."""
        if self._is_closed:
            with explain_errors(self.path, NotSaved):
                self._reopen()
        if self._is_doubtful:
            self._renew()

    def _not_saved(self, error: sqlite3.Error) -> LabelerError:
        """Return the error of a write that failed; where its flush did, nobody knows what is on disk."""
        if not _is_failed_flush(error):
            return translate_error(error, self.path, NotSaved)
        self._is_doubtful = True
        return NotSaved(
            f"perhaps NOT saved: {self.path}: the disk did not confirm it ({error})",
            "try again: all that is saved then goes into a fresh copy, and this answer with it, once",
            is_uncertain=True,
        )

    def _renew(self) -> None:
        """Go on in a fresh copy that is flushed whole, under the same name. Raises NotSaved."""
        if self.lock is None:
            return
        try:
            fresh = renewal.write_fresh(self.path, self.place, self.db)
            held = self.lock.move_to(fresh)
            with explain_errors(self.path, NotSaved):
                self.db.close()
                self.db = connect(fresh, "ro")  # to be read, whatever fails from here on
                self.lock.now_at(held)
                self._is_doubtful, self._is_closed = False, True
                renewal.put_in_place(self.place)
                self._reopen()
        except OSError as error:
            raise NotSaved(f"NOT saved: {self.path}: {error.strerror}", "check the disk, or save elsewhere") from error


def _event(db: Connection, which: str, value: int) -> tuple[int, bytes] | None:
    row: tuple[int, bytes] | None = db.execute(f"SELECT seq, seal FROM events {which}", [value]).fetchone()  # noqa: S608
    return row


def fold_at_rest(place: Path) -> None:
    """Fold the log of a file that is locked and not open into it; one of which not all can be read stays as it is."""
    if not file_names.has_log(place):
        return
    with suppress(sqlite3.Error, ProjectError):
        before = wal.evidence(place)
        with closing(open_copy(place)) as copied:
            if before.missing(counter_page(copied)) is not wal.Missing.NOTHING:
                return
        with closing(connect(place, "rw")) as db:
            db.execute("PRAGMA synchronous = EXTRA")
            db.execute("PRAGMA journal_mode = DELETE")


def _prepare(place: Path) -> None:
    """With the name locked: bring a fresh copy in place, and take no name beside which another file's log lies."""
    renewal.finish(place)
    if not place.exists() or not place.stat().st_size:
        file_names.refuse_strange_log(place)


def _is_failed_flush(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) in _FAILED_FLUSHES


def _note(before: wal.Evidence, counter: int) -> str:
    missing = before.missing(counter)
    return {wal.Missing.EVENTS: wal.CUT_SHORT, wal.Missing.DERIVED: wal.MADE_ANEW}.get(missing, "")
