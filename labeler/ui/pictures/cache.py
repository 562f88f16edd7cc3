"""Pictures ready to draw: decoded and turned into strips by one thread, kept by instance and size. Rows of a table and
texts are drawn here as well, so that every screen that shows pictures shows them.

A screen asks :meth:`Pictures.strips`; what is not there yet is prepared and announced. What will be asked next is
prepared ahead with :meth:`Pictures.expect`, so that a key press finds its picture drawn.
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from queue import PriorityQueue
from typing import Generic, TypeVar

from rich.style import Style
from textual.strip import Strip

from labeler.core.content import Card, Passage, Shown
from labeler.core.errors import LabelerError
from labeler.ui.pictures.half_blocks import FIT, Depth, Look, picture_strips, seen, shrunk
from labeler.ui.pictures.words import about, word_strips

LARGEST = 640
"""Longer side at which a decoded picture is kept: more pixels than a terminal shows."""
IMAGE_BYTES = 48_000_000
CELLS_KEPT = 100_000
"""Limits of the two caches: about forty photos at the size of a screen, and a hundred questions or pages drawn."""
# the queue hands out the smallest number first
NOW, SOON = 0, 1
OF_PICTURES, OF_WORDS = 2, 5
"""Cells of width of a thumbnail for each of height: a square, and room for words."""

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture as strips, or why there is none."""

    strips: tuple[Strip, ...] = ()
    height: int = 0  # of the file, in pixels
    width: int = 0
    trouble: str = ""
    bare: frozenset[int] = frozenset()  # rows where the ground behind shows through
    about: str = ""  # how large it is, in words
    file_size: int | None = None  # in bytes; None where it is no file of its own
    pages: int = 0  # of a card or text; 0 = a picture

    def row(self, number: int, ground: Style) -> Strip:
        """One row on its ground; most rows cover it, and putting styles together is the dear part of drawing."""
        strip = self.strips[number]
        return strip.apply_style(ground) if number in self.bare else strip


def _is_bare(strip: Strip) -> bool:
    return any(segment.style is None or segment.style.bgcolor is None for segment in strip)


@dataclass(frozen=True, slots=True)
class _Decoded:
    image: Shown | None
    height: int = 0
    width: int = 0
    trouble: str = ""
    file_size: int | None = None


class _Recent(Generic[Key, Value]):
    """The entries used last, up to a total weight (at least one); safe to use from several threads."""

    def __init__(self, limit: int) -> None:
        self._limit, self._total = limit, 0
        self._entries: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Value | None:
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key][0]
            return None

    def put(self, key: Key, value: Value, weight: int) -> None:
        with self._lock:
            _, before = self._entries.pop(key, (None, 0))
            self._entries[key] = value, weight
            self._total += weight - before
            # the latest stays, however large it is: somebody is about to draw it
            while self._total > self._limit and len(self._entries) > 1:
                _, (_, freed) = self._entries.popitem(last=False)
                self._total -= freed


Wanted = tuple[int, int, int, Look]
"""(index, columns, rows, look): the largest drawing of an instance in that many cells, looked at in that way."""


class Pictures:
    """The cache and its thread.

    Parameters
    ----------
    load
        index -> pixels, a card or a text; called on the thread, may raise :class:`LabelerError`.
    ready
        Called on the thread when the drawing of an index that was asked for has been made.
    depth
        What the terminal can show.
    words
        Whether the instances are rows of a table or texts.
    file_size
        index -> bytes of its file, None where it is none; called on the thread.
    """

    def __init__(
        self,
        load: Callable[[int], Shown],
        ready: Callable[[int], object],
        depth: Depth,
        *,
        words: bool = False,
        file_size: Callable[[int], int | None] = lambda index: None,
    ) -> None:
        self.depth = depth
        self.aspect = OF_WORDS if words else OF_PICTURES  # of the thumbnails
        self.look = FIT  # at the large picture, as long as the program runs; thumbnails show all as it is
        self.usual_height = 0  # of the first picture read, in pixels: of small pictures mostly all are alike
        self._load, self._ready, self._file_size = load, ready, file_size
        self._images: _Recent[int, _Decoded] = _Recent(IMAGE_BYTES)
        self._drawn: _Recent[Wanted, Drawn] = _Recent(CELLS_KEPT)
        # of two that are as urgent the earlier comes first; what is wanted is never compared
        self._order = itertools.count()
        self._todo: PriorityQueue[tuple[int, int, Wanted | None]] = PriorityQueue()
        self._asked: dict[Wanted, int] = {}  # waiting -> at which priority
        self._lock = threading.Lock()
        # a daemon: reading a file that never ends does not keep the program from ending
        self._thread = threading.Thread(target=self._work, name="pictures", daemon=True)
        self._thread.start()

    def strips(self, index: int, columns: int, rows: int, look: Look = FIT) -> Drawn | None:
        """The drawing if it is there; else None, and it is announced through `ready` once it is."""
        wanted = (index, columns, rows, look)
        drawn = self._drawn.get(wanted)
        if drawn is None and columns > 0 and rows > 0:
            self._ask(wanted, NOW)
        return drawn

    def expect(self, indices: Iterable[int], columns: int, rows: int, look: Look = FIT) -> None:
        """Prepare what will be asked soon."""
        if columns > 0 and rows > 0:
            for index in indices:
                if self._drawn.get((index, columns, rows, look)) is None:
                    self._ask((index, columns, rows, look), SOON)

    def close(self) -> None:
        """End the thread after what it is doing."""
        # before all that waits in line
        self._todo.put((-1, next(self._order), None))

    def _ask(self, wanted: Wanted, priority: int) -> None:
        with self._lock:
            # asked for as urgently already; where it is more urgent now it is put in line once more
            if self._asked.get(wanted, SOON + 1) <= priority:
                return
            self._asked[wanted] = priority
        self._todo.put((priority, next(self._order), wanted))

    def _work(self) -> None:
        while True:
            _, _, wanted = self._todo.get()
            if wanted is None:
                return
            with self._lock:
                priority = self._asked.pop(wanted, None)
            if priority is None:
                continue  # was asked for twice, done at the first
            if self._drawn.get(wanted) is None:
                drawn = self._draw(*wanted)
                # 1 more: a picture that cannot be shown has no cells, and is kept as well
                self._drawn.put(wanted, drawn, sum(strip.cell_length for strip in drawn.strips) + 1)
            # nobody waits for what is drawn ahead
            if priority == NOW:
                self._ready(wanted[0])

    def _draw(self, index: int, columns: int, rows: int, look: Look) -> Drawn:
        decoded = self._images.get(index)
        if decoded is None:
            decoded = replace(self._decode(index), file_size=self._file_size(index))
            self._images.put(index, decoded, _weight(decoded.image))
        if decoded.image is None:
            return Drawn(trouble=decoded.trouble, file_size=decoded.file_size)
        if isinstance(decoded.image, Card | Passage):
            words, pages = word_strips(decoded.image, columns, rows, look.page, self.depth)
            bare, what = frozenset(range(len(words))), about(decoded.image)
            return Drawn(tuple(words), bare=bare, about=what, pages=pages, file_size=decoded.file_size)
        strips = tuple(picture_strips(seen(decoded.image, look, columns, rows), columns, rows, self.depth))
        bare = frozenset(number for number, strip in enumerate(strips) if _is_bare(strip))
        size = f"{decoded.width}×{decoded.height}"
        return Drawn(strips, decoded.height, decoded.width, bare=bare, about=size, file_size=decoded.file_size)

    def _decode(self, index: int) -> _Decoded:
        try:
            image = self._load(index)
            if isinstance(image, Card | Passage):
                return _Decoded(image)
            self.usual_height = self.usual_height or int(image.shape[0])
            return _Decoded(shrunk(image, LARGEST), int(image.shape[0]), int(image.shape[1]))
        except LabelerError as error:
            return _Decoded(None, trouble=error.message)
        except Exception as error:  # noqa: BLE001, RUF100 -- one broken file must not end the thread that draws the others
            return _Decoded(None, trouble=f"{type(error).__name__}: {error}")


def _weight(shown: Shown | None) -> int:
    """Bytes that keeping it takes, about."""
    if isinstance(shown, Card):
        return 200 * len(shown.facts) + 100
    if isinstance(shown, Passage):
        return 4 * len(shown.text) + 100
    return shown.nbytes if shown is not None else 100
