"""The classes of a project by id, and at once by name and by key: thousands are added one after another."""

from __future__ import annotations

from collections.abc import Collection

from labeler.core.class_names import class_name
from labeler.core.types import ClassInfo


class ClassIndex(dict[int, ClassInfo]):
    """Class id -> class; a dict that keeps in step who is active under which name and key."""

    def __init__(self) -> None:
        super().__init__()
        self._by_name: dict[str, dict[int, None]] = {}  # several: files of older versions, merged journals
        self._by_key: dict[str, dict[int, None]] = {}
        self._active: list[ClassInfo] | None = None
        self.next_id = 0  # never given twice: a round computed before an undo may still speak of the old class
        self.changed_at = 0  # the revision at which a class was last added or changed
        self.set_up: set[str] = set()  # names given when the project was opened: said once, however they fared since

    def __setitem__(self, class_id: int, info: ClassInfo) -> None:
        """Add a class, or put it in place of what it was."""
        self._forget(class_id)
        super().__setitem__(class_id, info)
        self.next_id = max(self.next_id, class_id + 1)
        if not info.retired:
            self._by_name.setdefault(class_name(info.name), {})[class_id] = None
            if info.key:
                self._by_key.setdefault(info.key, {})[class_id] = None

    def __delitem__(self, class_id: int) -> None:
        """Take a class away."""
        self._forget(class_id)
        super().__delitem__(class_id)

    def active(self) -> list[ClassInfo]:
        """The classes that can be answered, in the order they were added; not to be changed."""
        if self._active is None:
            self._active = [info for info in self.values() if not info.retired]
        return self._active

    def named(self, name: str) -> ClassInfo | None:
        """The active class called `name` as :func:`class_name` spells it, the first of several."""
        class_ids = self._by_name.get(name)
        return self[min(class_ids)] if class_ids else None

    def with_key(self, key: str) -> list[ClassInfo]:
        """The active classes that have this key: one, if any."""
        return [self[class_id] for class_id in self._by_key.get(key, ())]

    def held_keys(self) -> Collection[str]:
        """The keys of active classes."""
        return self._by_key.keys()

    def _forget(self, class_id: int) -> None:
        self._active = None
        info = self.get(class_id)
        if info is None or info.retired:
            return
        for places, name in ((self._by_name, class_name(info.name)), (self._by_key, info.key)):
            holders = places.get(name, {})
            holders.pop(class_id, None)
            if name in places and not holders:
                del places[name]
