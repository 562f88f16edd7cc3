"""The thumbnails that a search brought up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.content import Content

from labeler.core.text import counted, display_safe
from labeler.session.view import View
from labeler.ui.actions import Actions, back, key
from labeler.ui.screens import commands
from labeler.ui.screens.thumbnails import ThumbnailScreen


class SearchScreen(ThumbnailScreen):
    """The instances that fit a search, in the pool's order, which stays while the screen is open."""

    ACTIONS: ClassVar[Actions] = {
        "open": key(
            "enter",
            label="open",
            help="ask about this picture next, large",
            before="accept",
            speaks_of_instance=True,
        ),
        "search": back("back to where the search began; once more to change it"),
    }
    MOVES = "move over what was found"
    SAYS_PAGE = False  # the how manyth it is says enough

    def __init__(self, query: str, indices: list[int]) -> None:
        super().__init__()
        self._query, self._indices = query, indices
        self._before: int | None = None  # the class the target had been given when it was answered

    def shown(self) -> Sequence[int]:
        """Return what fits."""
        return self._indices

    def nothing_to_answer(self) -> str:
        """Return that nothing fits."""
        return "nothing was found: / leads back"

    # -- answers -------------------------------------------------------------------------------------------------

    def answer(self, class_id: int) -> None:
        """Give the target a class; a label it had is changed, which is a new answer."""
        target = self.target()
        standing = self.labeler.project.session.state.answers.get(target.index) if target is not None else None
        self._before = standing.class_id if standing is not None and standing.kind == "label" else None
        super().answer(class_id)

    def answered(self) -> None:
        """Go on to the next one; say so where a given label was changed."""
        session = self.labeler.project.session
        last, before = session.last, self._before
        self._before = None
        if last is not None and last.class_id is not None and before is not None and before != last.class_id:
            was, now = (self.short(session.state.classes[class_id].name, 30) for class_id in (before, last.class_id))
            self.labeler.status.say(f"changed from {was} to {now}: a new answer, ⌫ takes it back")
        self.cursor = min(self.cursor + 1, len(self._indices) - 1)

    def do_skip(self) -> None:
        """Ask it later, unless it has its answer."""
        target = self.target()
        standing = self.labeler.project.session.state.answers.get(target.index) if target is not None else None
        # skipping asks again, and there is nothing to ask of it
        if standing is not None and standing.kind == "label":
            self.labeler.say("it has a label: a class key changes it, the arrows leave it", "warn")
        else:
            commands.skip(self)

    def moved_in_time(self) -> None:
        """Go to the picture whose answer was taken back or came back."""
        super().moved_in_time()
        last = self.labeler.project.session.last
        if last is not None and last.index in self._indices:
            self.cursor = self._indices.index(last.index)

    async def do_open(self) -> None:
        """Ask about the target next."""
        target = self.target()
        if target is None:
            self.labeler.say(self.nothing_to_answer(), "warn")
            return
        chosen: list[int] = []
        session = self.labeler.project.session
        self.labeler.command(lambda: session.ask(target.instance_id), lambda: chosen.append(target.index))
        if chosen:
            await self.labeler.leave("question")

    async def do_search(self) -> None:
        """Leave the search."""
        await self.labeler.leave()

    # -- drawing -------------------------------------------------------------------------------------------------

    def heading(self, view: View) -> Content:
        """Return what was looked for, and how many fit."""
        query = display_safe(self._query, 60) or "everything"
        count = f"  {counted(len(self._indices), view.noun)} of {view.n_instances:,}"
        return Content.assemble(("search ", "bold"), (query, "bold $answer"), (count, "$quiet"))

    def facts(self, view: View) -> list[str]:
        """Return what the target is by now, in words, and its place among those that fit."""
        index = self._indices[self.cursor]
        session = self.labeler.project.session
        class_id, provenance = session.label_of(index)
        info = session.state.classes.get(class_id)
        label = [f"{self.short(info.name, 30)}, {provenance.word}"] if info is not None else []
        return [*label, f"{self.cursor + 1:,} of {len(self._indices):,}"]
