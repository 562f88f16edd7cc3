"""Divide a class: mark the pictures that go to a new one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.content import Content

from labeler.core.types import ClassInfo
from labeler.session.view import View
from labeler.ui.actions import BACK, Actions, Group, key, says
from labeler.ui.screens.thumbnails import ThumbnailScreen
from labeler.ui.widgets.sheet_grid import Cell


class SplitScreen(ThumbnailScreen):
    """The labels a person gave of one class, alike ones side by side.

    Parameters
    ----------
    info
        The class to divide.
    then
        Called with the name of the new class once it is there.
    """

    ACTIONS: ClassVar[Actions] = {
        "mark": key("X", "space", label="mark", help="this label goes to the new class, or stays", before="accept"),
        "accept": says("name", "name the class that the marked labels go to", speaks_of_instance=False),
        "split": key("S", label=BACK, help="back to the classes", before="undo"),
        "flag": says(),
    }
    GROUPS = frozenset({Group.ALWAYS, Group.MOVES, Group.PAGES})
    MOVES = "move over the labels"

    def __init__(self, info: ClassInfo, then: Callable[[str], None]) -> None:
        super().__init__()
        self._class_id, self._then = info.class_id, then
        self._indices: list[int] = []  # in the order they are shown
        self._standing: list[int] = []  # those of them that have the label by now
        self._marked: set[int] = set()

    def on_mount(self) -> None:
        """The order stays while the screen is open: cluster by cluster, from the center outwards."""
        session = self.labeler.project.session
        standings, round_ = session.state.answers, session.machine_labels.round
        # in the pool's order where there are no clusters yet
        given = sorted(index for index in standings if self._has_label(index))
        if round_ is not None:
            clusters, distances = round_.clusters, round_.distances
            inside = [index for index in given if index < len(clusters)]
            inside.sort(key=lambda index: (int(clusters[index]), float(distances[index])))
            given = inside + [index for index in given if index >= len(clusters)]
        self._indices = given

    def shown(self) -> Sequence[int]:
        """The labels of the class that stand by now."""
        return self._standing

    @property
    def _class_name(self) -> str:
        info = self.labeler.project.session.state.classes.get(self._class_id)
        return info.name if info is not None else ""

    def _has_label(self, index: int) -> bool:
        standing = self.labeler.project.session.state.answers.get(index)
        return standing is not None and standing.kind == "label" and standing.class_id == self._class_id

    # -- what is answered: nothing -------------------------------------------------------------------------------

    def nothing_to_answer(self) -> str:
        """Return where answers are given."""
        return "nothing is answered here: S leads back to the classes"

    def answer(self, class_id: int) -> None:
        """No answers here."""
        self.typed = ""
        self.labeler.say("nothing is answered here: X marks what goes to the new class", "warn")

    def was_painted(self) -> None:
        """Count nothing: it is no question."""

    # -- drawing -------------------------------------------------------------------------------------------------

    def draw(self, view: View) -> None:
        """Draw what stands by now; what went to another class leaves its place."""
        self._standing = [index for index in self._indices if self._has_label(index)]
        self._marked.intersection_update(self._standing)
        super().draw(view)

    def heading(self, view: View) -> Content:
        """Return what is marked, and what to press."""
        if not self._standing:
            return Content.styled("no label of it stands: S leads back to the classes", "$quiet")
        name, marked = (self.short(self._class_name, 24), "bold"), len(self._marked)
        if not marked:
            hint = Content.assemble(("X", "bold $command"), " marks what goes to a new class")
        else:
            hint = Content.assemble(
                (f"{marked} marked", "bold $warn"), "   ", ("⏎", "bold $command"), " names their class"
            )
        return Content.assemble(("split ", "bold"), name, "   ", hint)

    def cell(self, place: int, names: dict[int, str]) -> Cell:
        """Marked or not."""
        index = self._standing[place]
        return Cell(index, "→ new", "warn") if index in self._marked else Cell(index, self._class_name)

    def facts(self, view: View) -> list[str]:
        """Return who gave the label."""
        target = self.target()
        standing = self.labeler.project.session.state.answers.get(target.index) if target is not None else None
        return [standing.provenance.word] if standing is not None else []

    # -- commands ------------------------------------------------------------------------------------------------

    def do_mark(self) -> None:
        """Mark the picture for the new class, or not."""
        target = self.target()
        if target is None:
            self.labeler.say("there is nothing to mark: S leads back to the classes", "warn")
            return
        self._marked ^= {target.index}
        self.labeler.status.clear()
        self.draw_again()

    async def do_accept(self) -> None:
        """Name the new class; then the marked labels are its own."""
        session = self.labeler.project.session
        moved = [session.pool.ids[index] for index in self._standing if index in self._marked]
        if not moved:
            self.labeler.say("mark at least one picture first: X", "warn")
            return

        def named(name: str | None) -> None:
            if name is not None:
                self.labeler.command(lambda: session.classes.split(self._class_id, name, moved), lambda: moved_to(name))

        def moved_to(name: str) -> None:
            self._then(name)
            went = "1 label is" if len(moved) == 1 else f"{len(moved)} labels are"
            self.labeler.status.say(f"{went} {name} now: S leads back to the classes")

        await self.labeler.open("split_name", named, self._class_name, len(moved))

    async def do_split(self) -> None:
        """Leave the class as it is by now."""
        await self.labeler.leave()
