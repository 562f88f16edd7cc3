"""The question screen: one picture, one key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content

from labeler.core.text import counted
from labeler.core.types import Question
from labeler.session.classes import current
from labeler.session.quality.turns import RANDOM
from labeler.session.view import View
from labeler.ui.actions import Actions, says
from labeler.ui.pictures.half_blocks import Look, following
from labeler.ui.render import lines
from labeler.ui.screens import commands
from labeler.ui.screens.base import Target
from labeler.ui.screens.picture import AHEAD, VIEW, PictureScreen
from labeler.ui.widgets.legend import both_answers, fits, guess_rows, guesses, legend, none_shown
from labeler.ui.widgets.line import Block
from labeler.ui.widgets.picture import Neighbors, Picture

if TYPE_CHECKING:
    from labeler.project.open import Received

GUESSES = 3
BESIDE_AHEAD = 3
"""Of the next questions, those whose neighbors are drawn ahead: later ones will have others by then."""


class QuestionScreen(PictureScreen):
    """The picture large on the left; guesses, legend and nearest labeled neighbors on the right."""

    ACTIONS: ClassVar[Actions] = {
        "move_up": says("guess up", "choose the guess above", keys=("up", "shift+up"), leads_notice=True),
        "move_down": says("guess down", "choose the guess below", keys=("down", "shift+down"), leads_notice=True),
        "move_left": says("left", "move over a zoomed picture", keys=("left", "shift+left")),
        "move_right": says("right", "move over a zoomed picture", keys=("right", "shift+right")),
        "view": VIEW,
    }
    MOVES = "choose another guess to accept; move over a zoomed picture"

    def __init__(self) -> None:
        super().__init__()
        self._chosen = 0
        self._guesses: list[tuple[int, float]] = []
        self._drawn: Question | None = None

    def body(self) -> ComposeResult:
        """Picture and side."""
        with Horizontal(id="main"):
            yield Picture(self.labeler.pictures, id="picture", asks=True)
            with Vertical(id="side"):
                yield Block(id="guesses")
                yield Block(id="legend")
                yield Neighbors(self.labeler.pictures, id="neighbors")

    # -- what is asked -------------------------------------------------------------------------------------------

    def target(self) -> Target | None:
        """The pinned question."""
        view = self.labeler.view
        question = view.question if view is not None else None
        return Target(question.index, question.instance_id) if question is not None else None

    def guess(self) -> int | None:
        """The marked guess."""
        return self._guesses[self._chosen][0] if self._guesses else None

    def nothing_to_answer(self) -> str:
        """Still preparing, or all done."""
        view = self.labeler.view
        if view is None or view.round is None:
            return "no question yet: they are still being prepared"
        return "nothing is left to ask: ⌫ takes the last answer back, Q quits"

    # -- drawing -------------------------------------------------------------------------------------------------

    def draw(self, view: View) -> None:
        """Show the question; what did not change is not drawn again."""
        question = view.question
        now = (question.index, view.revision, question.guesses) if question is not None else None
        if self.is_new(now):
            self._drawn = question
            offered = self._offered(view)
            # a choice of the person's survives a redraw of the same guesses
            if question is None or question.index != self.picture.index or offered != self._guesses:
                self._chosen, self._guesses = 0, offered
        if question is not None:
            if question.index != self.picture.index:
                look = self.labeler.pictures.look
                # zoom and contrast stay from picture to picture, the page of a text does not
                self.labeler.pictures.look = replace(look, page=0) if look.page else look
            self.picture.show(question.index)
        else:
            self.picture.show(None, self._instead(view))
        self._draw_neighbors(view)
        self._draw_side(view)
        self._draw_about(view)
        self.note_paint()

    def _answers(self, view: View) -> list[tuple[str, int]]:
        """Return what two people said of the question where it is one to settle, the later first."""
        question, state = view.question, self.labeler.project.session.state
        if question is None or not state.in_conflict(question.index):
            return []
        answers = reversed(state.conflicts[question.index].answers)
        return [(who, current(class_id, state.classes)) for _, who, class_id in answers]

    @staticmethod
    def _is_blind(view: View) -> bool:
        """Whether nothing that could sway the answer is shown: it is one that measures."""
        return view.question is not None and view.question.blind

    def _offered(self, view: View) -> list[tuple[int, float]]:
        """Return the guesses that `⏎` may accept, as the session has them."""
        if view.question is None or self._is_blind(view):
            return []
        # a class that was retired since the guess was made cannot be answered
        active = {count.info.class_id for count in view.classes}
        return [(class_id, score) for class_id, score in view.question.guesses if class_id in active]

    def _draw_side(self, view: View) -> None:
        infos = {count.info.class_id: count.info for count in view.classes}
        names = tuple(info.name for info in infos.values())
        known = [(infos[class_id], score) for class_id, score in self._guesses if class_id in infos]
        chosen = -1 if self.typed else self._chosen  # what enter does is marked, there or in the legend
        answers, marked = self._answers(view), self._guesses[chosen][0] if self._guesses and chosen >= 0 else None
        if self._is_blind(view):
            why = "random" if view.question is not None and view.question.rule == RANDOM else "blind"
            self.query_one("#guesses", Block).show(lambda width, height: none_shown(why))
        elif answers:
            self.query_one("#guesses", Block).show(lambda width, height: both_answers(answers, infos, marked, width))
        else:
            self.query_one("#guesses", Block).show(lambda width, height: guesses(known, chosen, width, names))
        typed, first = self.typing, self.leading(view)
        self._leave_room_for_the_legend(names)
        self.query_one("#legend", Block).show(lambda width, height: legend(view.classes, typed, width, height, first))

    def leading(self, view: View) -> Sequence[int]:
        """Return the classes that are likeliest here, then those answered with of late."""
        return [*(class_id for class_id, _ in self._guesses), *view.recent]

    def _leave_room_for_the_legend(self, names: tuple[str, ...]) -> None:
        """Guesses come first, then the legend; neighbors are shown where it can do without their place. By the names of
        all classes, so that nothing moves from question to question."""
        side, near = self.query_one("#side").size, self.query_one("#neighbors")
        high = self.has_class("high")
        guessed = max(6 if high else 5, 1 + GUESSES * guess_rows(names, side.width)) if side.width else 5
        self.query_one("#guesses").styles.height = guessed
        near.display = fits(len(names), side.width, side.height - guessed - (8 if high else 6))

    def _draw_neighbors(self, view: View) -> None:
        widget = self.query_one("#neighbors", Neighbors)
        names = view.class_names
        near = (
            self.labeler.project.instances.neighbors(view.question.index, widget.room)
            if view.question and widget.room and not self._is_blind(view)
            else []
        )
        widget.show([(index, names.get(class_id, "")) for index, class_id in near], tuple(names.values()))

    def _draw_about(self, view: View) -> None:
        question = view.question
        if question is None:
            self.draw_lines(view, lambda width: Content(""))
            return
        project = self.labeler.project
        size = self.picture.file_size
        facts = [self.picture.dimensions, lines.file_size(size) if size is not None else ""]
        standing = project.session.state.answers.get(question.index)
        if standing is not None and standing.kind == "label" and not question.first:  # chosen to be looked at again
            facts.append(f"is {self.short(project.session.state.classes[standing.class_id].name, 30)} now")
        facts.append(self.labeler.pictures.look.words)
        name, flagged = question.instance_id, view.question_flagged
        self.draw_lines(view, lambda width: lines.about(name, [fact for fact in facts if fact], flagged, width))

    def _instead(self, view: View) -> list[str]:
        if view.round is None:
            return ["preparing the first question", "", *self.labeler.status.preparing(), "", "? shows the keys"]
        asked = counted(view.given, view.noun)
        return ["nothing is left to ask", "", f"{asked} labeled by you", "", "⌫ takes the last answer back, Q quits"]

    def was_painted(self) -> None:
        """Take note that the person sees what the guesses are by; where nothing is asked, nothing is counted."""
        if self._drawn is not None:
            self.labeler.project.session.painted(self._drawn)
            super().was_painted()

    def coming(self) -> Sequence[int]:
        """The next questions."""
        return self.labeler.project.session.questions.upcoming(AHEAD)

    def draw_ahead(self) -> None:
        """Have the next questions drawn, and the thumbnails that will stand beside the first of them."""
        super().draw_ahead()
        near = self.query_one("#neighbors", Neighbors)
        if near.room and self.picture.index is not None:
            # the one that is asked now will be the latest answer, and may be the nearest
            near.expect([self.picture.index])
            for index in self.coming()[:BESIDE_AHEAD]:
                near.expect(other for other, _ in self.labeler.project.instances.neighbors(index, near.room))

    def picture_came(self) -> None:
        """Say how large the picture is."""
        if self.labeler.view is not None:
            self._draw_about(self.labeler.view)

    def resized(self) -> None:
        """Draw the same question at another size."""
        super().resized()
        self.call_after_refresh(self.redraw)  # neighbors that came back have their size only now

    def heard(self, received: Received) -> None:
        """Draw new questions ahead; while there is none, say in its place how far the worker got."""
        view = self.labeler.view
        if received.changed and self.painted.is_set():
            self.draw_ahead()
        if view is not None and view.question is None:
            self.picture.show(None, self._instead(view))

    # -- commands ------------------------------------------------------------------------------------------------

    def on_screen_resume(self) -> None:
        """With the guesses there are by now."""
        self.labeler.project.session.renew()
        # the view of before holds the question with its old guesses
        self.labeler.view = self.labeler.project.view()
        super().on_screen_resume()

    def renew(self) -> None:
        """The guesses are those there are now."""
        self._shown = None

    def do_accept(self) -> None:
        """Accept the guess that is marked: the first, where it is what is held still, or the one that was chosen."""
        guess = self.guess()
        # what the person chose is their own word; the first one is accepted only where it is what is held still
        if guess is not None and self._chosen and not self.is_too_soon():
            self.answer(guess)
        else:
            commands.accept(self)

    def hides(self, target: Target) -> bool:
        """A blind question, and one that is asked a second time, keep what is held of it to themselves."""
        question = self.labeler.project.session.question
        return question is not None and question.index == target.index and (question.blind or bool(question.first))

    def do_view(self) -> None:
        """Look at the pictures in the next way."""
        if self.picture.pages:
            self._turn(1)
            return
        look = following(self.labeler.pictures.look)
        self._look(look)
        self.labeler.say(
            f"view: {look.words or 'the whole picture'}" + (", the arrows move it" if look.zoom > 1 else "")
        )

    def _look(self, look: Look) -> None:
        self.labeler.pictures.look = look
        self.picture.look_again()
        if self.labeler.view is not None and self.picture.ready:  # else when it is drawn
            self._draw_about(self.labeler.view)
        self.draw_ahead()

    def do_move_up(self) -> None:
        """Mark the guess above; move up over a zoomed picture."""
        if not self._moved(-1, 0):
            self._choose(-1)

    def do_move_down(self) -> None:
        """Mark the guess below; move down over a zoomed picture."""
        if not self._moved(1, 0):
            self._choose(1)

    def do_move_left(self) -> None:
        """Move left over a zoomed picture."""
        if self.picture.pages:
            self._turn(-1)
        elif not self._moved(0, -1):
            self.labeler.say("all of the picture is shown: V zooms, then the arrows move it", "quiet")

    def do_move_right(self) -> None:
        """Move right over a zoomed picture."""
        if self.picture.pages:
            self._turn(1)
        elif not self._moved(0, 1):
            self.labeler.say("all of the picture is shown: V zooms, then the arrows move it", "quiet")

    def _turn(self, step: int) -> None:
        """Turn the pages of a card or text."""
        look, pages = self.labeler.pictures.look, self.picture.pages
        if pages == 1:
            self.labeler.say("all of it is shown: one page", "quiet")
        else:
            self._look(replace(look, page=(look.page + step) % pages))

    def _moved(self, down: int, right: int) -> bool:
        """Whether the picture is zoomed, and so the arrows are for moving it."""
        look = self.labeler.pictures.look
        if look.zoom == 1:
            return False
        moved = look.moved(down, right)
        if moved == look:
            self.labeler.say("nothing further this way: the edge of the picture", "quiet")
        else:
            self._look(moved)
        return True

    def _choose(self, step: int) -> None:
        if not self._guesses:
            self.labeler.say("there are no guesses to choose from yet", "quiet")
            return
        self._chosen = (self._chosen + step) % len(self._guesses)
        if self.labeler.view is not None:
            self._draw_side(self.labeler.view)
