"""Second look: answers that differ from a second one of the same person or that the engine doubts, one at a time; one
key keeps or changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content

from labeler.core.text import counted, display_safe
from labeler.core.types import UNLABELED, Question
from labeler.session.classes import current
from labeler.session.provenance import Press, percent_of_belief, press_of, when
from labeler.session.quality.repeats import to_look_at
from labeler.session.view import View
from labeler.ui.actions import Actions, back, key, says
from labeler.ui.render import lines
from labeler.ui.screens.base import Target
from labeler.ui.screens.picture import PictureScreen
from labeler.ui.widgets.legend import legend
from labeler.ui.widgets.line import Block
from labeler.ui.widgets.picture import Neighbors, Picture


@dataclass(frozen=True, slots=True)
class Doubted:
    """One answer as it was when the screen was opened: nothing about it moves while it is looked at."""

    index: int
    class_id: int
    belief: float | None  # the engine's in `class_id`, without the answer; None = it does not say
    instead: int  # the second answer, else the engine's likeliest other class; UNLABELED = none
    again: str = ""  # when the person said `instead`, blind to the first answer; "" = it is the engine that does


class SecondLook(PictureScreen):
    """The doubts of the moment it was opened, the most doubted first; the list does not change while it is open."""

    RECORDED_AS = "second-look"
    ACTIONS: ClassVar[Actions] = {
        "accept": says("keep", "keep the answer as it is: it is not offered again"),
        "reject": key(
            "X",
            label="take the other",
            help="change the answer to what stands beside it",
            before="skip",
            speaks_of_instance=True,
            leads_notice=True,
        ),
        "skip": says("later", "leave it for a later look"),
        "second_look": back("back to where the second look was opened"),
    }

    def __init__(self) -> None:
        super().__init__()
        self._doubts: list[Doubted] = []
        self._place = 0
        self._looked: dict[int, str] = {}  # index -> "kept", "changed", "later"

    def body(self) -> ComposeResult:
        """The picture; what was said of it and what the engine would say; the classes; the nearest answers."""
        with Horizontal(id="main"):
            yield Picture(self.labeler.pictures, id="picture")
            with Vertical(id="side"):
                yield Block(id="guesses")
                yield Block(id="legend")
                yield Neighbors(self.labeler.pictures, id="neighbors")

    def on_mount(self) -> None:
        """Take the doubts as they are now."""
        view = self.labeler.view
        for index in view.doubts if view is not None else ():
            self._doubts.append(self._doubted_now(index))

    def renew(self) -> None:
        """Classes may have been merged, or labels changed elsewhere: what is not looked at yet is as it is now."""
        self._doubts = [
            doubted if doubted.index in self._looked else self._doubted_now(doubted.index) for doubted in self._doubts
        ]
        self._shown = None

    def _doubted_now(self, index: int) -> Doubted:
        session = self.labeler.project.session
        class_id, (belief, instead) = (
            session.label_of(index)[0],
            session.machine_labels.left_out(index) or (None, UNLABELED),
        )
        again = next((repeat for repeat in to_look_at(session.state) if repeat.index == index), None)
        if again is None:
            return Doubted(index, class_id, belief, instead)
        return Doubted(index, class_id, belief, current(again.class_id, session.state.classes), when(again.at))

    # -- what is answered ----------------------------------------------------------------------------------------

    @property
    def doubted(self) -> Doubted | None:
        """The answer on the screen; None when all were looked at."""
        return self._doubts[self._place] if self._place < len(self._doubts) else None

    def target(self) -> Target | None:
        """Its instance."""
        doubted = self.doubted
        return None if doubted is None else Target(doubted.index, self._id_of(doubted.index))

    def guess(self) -> int | None:
        """The second answer, else what the engine would say, where that is a class that can be answered."""
        doubted, view = self.doubted, self.labeler.view
        known = {count.info.class_id for count in view.classes} if view is not None else set()
        return doubted.instead if doubted is not None and doubted.instead in known else None

    def nothing_to_answer(self) -> str:
        """All were looked at."""
        return "all of them were looked at: S leads back"

    def give(self, target: Target, class_id: int) -> None:
        """The person's own class again keeps the answer; another one is a new answer to a question of its own kind."""
        session, doubted = self.labeler.project.session, self.doubted
        if doubted is None:
            return
        # as the answer is now, which may be another one than when the list was made
        if class_id == session.label_of(target.index)[0]:
            session.keep(target.instance_id)
            return
        # kept with the answer as it stood on the screen, for whoever asks why it was changed
        doubt = 0.0 if doubted.belief is None else 1.0 - doubted.belief
        shown = () if doubted.instead == UNLABELED else ((doubted.instead, round(doubt, 4)),)
        asked = Question(target.index, target.instance_id, "repeat" if doubted.again else "doubt", doubt, 1.0, shown)
        session.label(target.instance_id, class_id, screen=self.recorded_as, asked=asked)

    def answered(self) -> None:
        """Go on to the next one."""
        last, doubted = self.labeler.project.session.last, self.doubted
        if doubted is not None:
            self._go_on("kept" if last is not None and last.what == "keep" else "changed")

    def moved_in_time(self) -> None:
        """Look again at what was taken back here, and pass by what came back."""
        super().moved_in_time()
        last = self.labeler.project.session.last
        place = next((p for p, d in enumerate(self._doubts) if last is not None and d.index == last.index), None)
        if last is None or place is None:
            return
        if last.what.startswith("undo"):
            self._looked.pop(self._doubts[place].index, None)
            self._place = place
        else:
            self._place = place
            self._go_on("kept" if last.what == "redo keep" else "changed")

    def _go_on(self, word: str) -> None:
        doubted = self.doubted
        if doubted is not None:
            self._looked[doubted.index] = word
        # those left for later come round again
        after = [*range(self._place + 1, len(self._doubts)), *range(self._place)]
        open_ = (place for place in after if self._doubts[place].index not in self._looked)
        self._place = next(open_, len(self._doubts))

    # -- drawing -------------------------------------------------------------------------------------------------

    def draw(self, view: View) -> None:
        """The answer in doubt; nothing of it changes while it is on the screen."""
        doubted = self.doubted
        self.is_new((doubted.index if doubted is not None else None, view.revision))
        if doubted is not None:
            self.picture.show(doubted.index)
        else:
            self.picture.show(None, self._instead())
        names = {count.info.class_id: count.info.name for count in view.classes}
        near = self.query_one("#neighbors", Neighbors)
        others = (
            self.labeler.project.instances.neighbors(doubted.index, near.room)
            if doubted is not None and near.room
            else []
        )
        near.show([(index, names.get(class_id, "")) for index, class_id in others], tuple(names.values()))
        self.query_one("#guesses", Block).show(lambda width, height: self._sides(names, width))
        typed, first = self.typing, self.leading(view)
        self.query_one("#legend", Block).show(lambda width, height: legend(view.classes, typed, width, height, first))
        self._draw_about(view)
        self.note_paint()

    def _sides(self, names: dict[int, str], width: int) -> Content:
        """Return what the person said, and what was said the second time or the engine would say without it."""
        doubted = self.doubted
        if doubted is None:
            return Content("")
        press = press_of(self.labeler.project.session, doubted.index)
        own, other = (names.get(class_id, "?") for class_id in (doubted.class_id, doubted.instead))
        own, other = self.short(own, max(width - 18, 4)), self.short(other, max(width - 20, 4))
        rows = [
            lines.ends(
                Content.assemble((f"{self._who(press)} said  ", "$quiet"), (own, "bold $saved")),
                Content.assemble(("⏎ ", "bold $command"), ("keep", "$quiet")),
                width,
            ),
            Content.styled(f"  on {press.when}" if press is not None else "", "$quiet"),
        ]
        if doubted.instead != UNLABELED:
            who = ("then, anew ", "bold $saved") if doubted.again else ("the engine ", "bold $guess")
            rows.append(
                lines.ends(
                    Content.assemble((f"{who[0]} ", "$quiet"), (other, who[1])),
                    Content.assemble(("X ", "bold $command"), ("take", "$quiet")),
                    width,
                )
            )
        if doubted.again:
            rows.append(Content.styled(f"  on {doubted.again}", "$quiet"))
        if doubted.belief is not None:
            lead = "engine: the first" if doubted.again else "it believes yours"
            belief = f"  {lead} {percent_of_belief(doubted.belief)}"
            rows.append(Content.styled(belief, "$quiet"))
        return Content("\n").join(line.truncate(width, ellipsis=True) for line in rows)

    def _who(self, press: Press | None) -> str:
        """``you``; the annotator's name where several people answered."""
        # a name says something only where there are others
        people = {given.annotator for given in self.labeler.project.session.state.answers.values() if given.annotator}
        return display_safe(press.annotator, 10) if press is not None and press.annotator and len(people) > 1 else "you"

    def _draw_about(self, view: View) -> None:
        doubted = self.doubted
        if doubted is None:
            self.draw_lines(view, lambda width: Content(""))
            return
        facts = [f"{self._place + 1} of {counted(len(self._doubts), 'odd answer')}"]
        flagged = doubted.index in self.labeler.project.session.state.flagged
        name = self._id_of(doubted.index)
        self.draw_lines(view, lambda width: lines.about(name, facts, flagged, width))

    def _instead(self) -> list[str]:
        counts = [f"{list(self._looked.values()).count(word)} {word}" for word in ("kept", "changed", "later")]
        looked = counted(len(self._doubts), "answer")
        return [f"{looked} looked at again", "", " · ".join(counts), "", "S leads back, ⌫ takes the last one back"]

    def coming(self) -> Sequence[int]:
        """The next two answers in doubt."""
        # two: each is looked at for longer than it takes to draw
        return [doubted.index for doubted in self._doubts[self._place + 1 : self._place + 3]]

    def _id_of(self, index: int) -> str:
        return self.labeler.project.session.pool.ids[index]

    # -- commands ------------------------------------------------------------------------------------------------

    def do_accept(self) -> None:
        """Keep the answer that is shown."""
        if self.is_too_soon():
            return
        shown = self.doubted.class_id if self.doubted is not None else None
        self.about_target(lambda target: self.labeler.project.session.keep(target.instance_id, shown=shown))

    def do_reject(self) -> None:
        """Take what the engine says."""
        guess = self.guess()
        if self.doubted is not None and guess is None:
            self.labeler.say("the engine names no other class: press the key of the right one", "warn")
        else:
            self.answer(guess if guess is not None else UNLABELED)

    def do_skip(self) -> None:
        """Later."""
        if self.doubted is None:
            self.labeler.say(self.nothing_to_answer(), "warn")
            return
        self._go_on("later")
        self.labeler.status.clear()
        self.redraw()

    async def do_second_look(self) -> None:
        """Leave the second look."""
        await self.labeler.leave()
