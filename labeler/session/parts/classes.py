"""The classes of a session: each change is checked, then recorded as one undoable event. By ids, never positions."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from labeler.core.class_names import LONGEST_NAME, SMALLEST_NAME, class_name
from labeler.core.errors import UsageError
from labeler.core.events import ClassAdd, ClassKey, ClassMerge, ClassRename, ClassRestore, ClassRetire, ClassSplit
from labeler.core.types import GIVEN, ClassInfo
from labeler.session.keys import assign_key, can_answer, own_key
from labeler.session.recorder import Recorder


class Classes:
    """The classes of a session, for a person to change.

    Parameters
    ----------
    recorder
        The one way into the journal.
    key_layout
        One of :data:`labeler.session.keys.LAYOUTS`.
    """

    def __init__(self, recorder: Recorder, key_layout: str) -> None:
        self._recorder = recorder
        self._state = recorder.state
        self.key_layout = key_layout

    def add(self, name: str, key: str | None = None, *, setup: bool = False) -> int:
        """Add a class and return its id; its key is assigned unless given. `setup`: not on the undo stack.

        Raises
        ------
        UsageError
            The name is empty, too long or taken, or the key is taken.
        """
        name = self._free_name(name)
        key = self._free_key(name, key)
        class_id = self._state.classes.next_id
        holder = self._holds_by_chance(name)
        self._recorder.record(ClassAdd(class_id, name, key=key, setup=setup))
        # a class that is called by one letter gets that key, where nobody has answered with it for another one yet
        if setup and holder is not None:
            self._recorder.record(ClassKey(class_id, holder.key, setup=True))
        return class_id

    def rename(self, class_id: int, name: str) -> None:
        """Call a class something else; its key stays. The name it has: nothing happens.

        Raises
        ------
        UsageError
            No such class, or the name is empty, too long or taken.
        """
        info = self._state.class_with(class_id)
        if class_name(name) != info.name:
            self._recorder.record(ClassRename(class_id, self._free_name(name, info)))

    def set_key(self, class_id: int, key: str) -> None:
        """Give a class another key; the class that has it takes the old one. The key it has: nothing happens.

        Raises
        ------
        UsageError
            No such active class, or the key is no digit or small letter.
        """
        self._state.check_active(class_id)
        if not can_answer(key, self.key_layout):
            raise UsageError(f"{key!r} answers no class", "choose a digit or a small letter")
        if key != self._state.classes[class_id].key:
            self._recorder.record(ClassKey(class_id, key))

    def retire(self, class_id: int) -> None:
        """No answer, key or machine label from here on; labels given stay."""
        self._state.check_active(class_id)
        self._recorder.record(ClassRetire(class_id))

    def restore(self, class_id: int) -> None:
        """Bring a retired class back, with its old key where that is free.

        Raises
        ------
        UsageError
            The class is not retired, or another one has its name by now.
        """
        info = self._state.class_with(class_id)
        if not info.retired:
            raise UsageError(f"the class {info.name!r} is not retired", "nothing to bring back")
        self._free_name(info.name)
        # the old key where it is free: fingers remember it
        key = info.last_key if info.last_key and info.last_key not in self._keys() else None
        self._recorder.record(ClassRestore(class_id, self._free_key(info.name, key)))

    def merge(self, class_id: int, into: int) -> None:
        """Every given label of a class becomes one of `into`; the class is gone and its key is free.

        Raises
        ------
        UsageError
            No such class, the same one twice, or `into` is retired.
        """
        info = self._state.class_with(class_id)
        self._state.check_active(into)
        if class_id == into:
            raise UsageError(f"{info.name!r} cannot be merged into itself", "choose another class")
        self._recorder.record(ClassMerge(class_id, into))

    def split(self, class_id: int, name: str, moved: Sequence[str], key: str | None = None) -> int:
        """Give the labels of the instances `moved` from a class to a new one; returns the new id.

        Raises
        ------
        UsageError
            No such active class, `moved` is empty or holds an instance that has no given label of the class, or the
            name or key cannot be.
        """
        self._state.check_active(class_id)
        if not moved:
            raise UsageError("no label to move", "choose at least one picture for the new class")
        # all of them before the event: a split that took labels of other classes along would change these unseen
        for instance_id in moved:
            answer = self._state.answers.get(self._recorder.pool.index(instance_id))
            if answer is None or answer.kind != "label" or answer.class_id != class_id:
                known = self._state.classes[class_id].name
                raise UsageError(f"{instance_id!r} has no given label {known!r}", "split what a person labeled so")
        name = self._free_name(name)
        new_id = self._state.classes.next_id
        key = self._free_key(name, key)
        self._recorder.record(ClassSplit(new_id, class_id, name, tuple(moved), key=key))
        return new_id

    def named(self, name: str) -> ClassInfo | None:
        """The active class of that name, however it is spelled (:func:`class_name`): older files have others too."""
        return self._state.classes.named(class_name(name))

    def id_for(self, name: str, *, setup: bool = False) -> int:
        """The id of the class of that name, added if it is new."""
        info = self.named(name)
        return info.class_id if info else self.add(name, setup=setup)

    def _holds_by_chance(self, name: str) -> ClassInfo | None:
        """The class that has the letter that is just `name`, though it is called otherwise (``A`` beside ``a``) and
        nobody answered with it yet."""
        if name != own_key(name, self.key_layout):
            return None
        holder = next(iter(self._state.classes.with_key(name)), None)
        used = holder is not None and any(self._state.answers.given[holder.class_id, word] for word in GIVEN)
        return None if used else holder

    # -- checks --------------------------------------------------------------------------------------------------

    def _keys(self) -> Collection[str]:
        return self._state.classes.held_keys()

    def _free_name(self, name: str, own: ClassInfo | None = None) -> str:
        """`name` as it is kept: the one door by which class names come in; raises UsageError where it cannot be one."""
        name = class_name(name)
        if not SMALLEST_NAME <= len(name) <= LONGEST_NAME:
            raise UsageError("a class name has 1 to 200 characters", "type a shorter name")
        if self.named(name) not in (None, own):
            raise UsageError(f"there is a class {name!r} already", "choose another name, or press its key")
        return name

    def _free_key(self, name: str, key: str | None) -> str:
        if key is None:
            return assign_key(name, self._keys(), self.key_layout)
        if key in self._keys():
            raise UsageError(f"the key {key!r} belongs to another class", "choose another key")
        return key
