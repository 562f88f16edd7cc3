"""The base of every screen that asks about one large picture: when it is drawn, when it was painted, at which size."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from labeler.ui.actions import key
from labeler.ui.screens.base import LabelScreen
from labeler.ui.widgets.picture import Neighbors, Picture

AHEAD = 8
"""Pictures drawn ahead of the person."""
VIEW = key(
    "V",
    label="view",
    help="fit, zoom ×2 and ×4, contrast, 8 and 3 colors",
    before="page_back",
    in_footer=False,
)
"""The action of a screen whose picture can be looked at in several ways."""


class PictureScreen(LabelScreen):
    """A picture with the id ``picture`` in its body; a key waits until it is on the screen."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: Hashable = None

    # -- what a screen adds --------------------------------------------------------------------------------------

    def was_painted(self) -> None:
        """Take note that the person sees the picture."""
        self.count_paint()
        self.draw_ahead()

    def coming(self) -> Sequence[int]:
        """The instances that are likely to be asked next, to be drawn ahead."""
        return ()

    def picture_came(self) -> None:
        """Take note that the picture that was missing is drawn."""

    # -- painting ------------------------------------------------------------------------------------------------

    @property
    def picture(self) -> Picture:
        """The large picture."""
        return self.query_one("#picture", Picture)

    @property
    def in_sight(self) -> bool:
        """Whether the picture was written to the terminal, though what follows from that may not be done yet."""
        return self.is_mounted and self.picture.in_sight  # a key may come while the screen is opened

    @property
    def is_due(self) -> bool:
        """Whether the question's picture is drawn and not painted yet."""
        return self.is_mounted and self.picture.ready and not self.painted.is_set()

    def is_new(self, shown: Hashable) -> bool:
        """Whether what is shown now is not what was shown before; it is not painted then."""
        if shown == self._shown:
            return False
        self._shown = shown
        self.painted.clear()
        return True

    def note_paint(self) -> None:
        """Wait until the picture, which is drawn, is on the screen."""
        if self.picture.ready and not self.painted.is_set():
            # with what it is for: by then another picture may have taken its place
            self.picture.call_after_refresh(self._painted, self._shown)

    def _painted(self, shown: Hashable) -> None:
        if shown == self._shown and self.picture.ready and self.in_front and not self.painted.is_set():
            self.painted.set()
            self.was_painted()

    def draw_ahead(self) -> None:
        """Have the pictures drawn that are likely to be asked next."""
        columns, rows = self.picture.size
        pictures = self.labeler.pictures
        pictures.expect(self.coming(), columns, rows, pictures.look)

    def picture_ready(self, index: int) -> None:
        """Draw the picture that was missing."""
        for near in self.query(Neighbors):
            near.look_again(index)
        if index == self.picture.index and not (self.picture.ready and self.painted.is_set()):
            # also where it is ready: a resize may have found the drawing before we were told of it
            self.picture.look_again()
            self.picture_came()
            self.note_paint()

    def on_resize(self) -> None:
        """Draw the same picture at another size."""
        super().on_resize()
        # at the new size it has to be drawn anew before a key may speak of it
        self.painted.clear()
        self.call_after_refresh(self.resized)

    def resized(self) -> None:
        """Draw for the new size, which is known."""
        self.redraw()
