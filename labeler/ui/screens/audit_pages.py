"""The audit in pages: pictures drawn at random under the class they have, among them some under a wrong one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.content import Content

from labeler.core.errors import LabelerError
from labeler.core.events import AuditPage
from labeler.core.types import UNLABELED, Advice
from labeler.session.audit.pages import Block, said_on_page
from labeler.session.audit.pages import Cell as Looked
from labeler.session.classes import current
from labeler.session.keys import COMMAND_LETTERS, LETTERS
from labeler.session.parts.audit_pages import Planted
from labeler.session.view import View
from labeler.ui.actions import Actions, Group, key, says
from labeler.ui.render import lines, statement
from labeler.ui.screens import blind
from labeler.ui.screens.base import LabelScreen, Target
from labeler.ui.screens.pages import LARGEST_PAGE
from labeler.ui.screens.thumbnails import ThumbnailScreen
from labeler.ui.widgets.headed_grid import HeadedGrid
from labeler.ui.widgets.line import Block as TextBlock
from labeler.ui.widgets.line import Line
from labeler.ui.widgets.sheet_grid import Cell, SheetGrid, layout

FEWER = 18
"""Pictures of a page where these can be drawn larger."""
WIDE = 100
"""Columns from which on there is room to say what the letters do on every page."""


class AuditPages(ThumbnailScreen):
    """One page at a time; a key confirms it, exceptions are marked first, and then it says what was planted."""

    RECORDED_AS = "audit-pages"
    GROUPS = ThumbnailScreen.GROUPS - {Group.LEADS}
    ACTIONS: ClassVar[Actions] = {
        **blind.ACTIONS,
        "accept": says("all right", "confirm the page: every picture as its heading says"),
        "reject": says("not this", "the likeliest other class instead, or back"),
        "pages": key("G", label="single", help="one by one and blind, between two blocks", before="audit"),
    }
    CLASS_KEYS = "a class: what the picture at the cursor is; a letter above a picture: not this"
    MOVES = "move over the page"

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[int, int] | None = None  # the page on the screen: start of its block, its number
        self._page: tuple[Looked, ...] = ()
        self._otherwise: dict[int, int] = {}  # index -> class that the person says
        self._painted_as = 0  # the how manyth painted question the page was; 0 = not painted yet
        self._why_none = "the page is being laid out"
        self._goes_on = False  # also beyond the target

    def body(self) -> ComposeResult:
        """Title, pictures under headings, legend."""
        yield Line(id="asked")
        yield HeadedGrid(self.labeler.pictures, id="sheet")
        yield TextBlock(id="sheet-legend")

    @property
    def grid(self) -> SheetGrid:
        """The pictures."""
        return self.query_one("#sheet", HeadedGrid)

    # -- the page ------------------------------------------------------------------------------------------------

    @property
    def _block(self) -> Block | None:
        audit = self.labeler.project.session.audit.latest
        return audit.block if audit is not None and not audit.ended else None

    def _lay_out(self) -> None:
        """Have the next block laid out where one is wanted."""
        session = self.labeler.project.session
        if self._block is not None:
            return
        certificate = session.audit.certificate(paged=True)
        if (
            certificate is not None
            and certificate.reached
            and not self._goes_on
            and session.audit.next_index() is not None
        ):
            self._why_none = f"{100 * certificate.target:g} % is reached: E leads back, ⏎ goes on with another page"
            return
        size = page_size(*self.grid.size, self.labeler.pictures.usual_height)
        letters = len(self._letters)
        try:
            # with too few letters for a page worth its key the page is larger, and the cursor marks
            session.audit.pages.lay_out(min(size, letters) if letters >= FEWER else size)
        except LabelerError as error:
            self._why_none = f"{error.message}: {error.hint}"

    def _follow(self) -> None:
        """The page that is next in the session is the one on the screen."""
        block = self._block
        # a page is answered once: how many of the block are tells it from the others
        now = (block.start, len(block.answers)) if block is not None else None
        if now == self._shown:
            return
        self._shown = now
        self._page = block.page if block is not None else ()
        self._otherwise, self._painted_as, self.cursor = {}, 0, 0

    def shown(self) -> Sequence[int]:
        """The page."""
        return [cell.index for cell in self._page]

    def guess(self) -> int | None:
        """Return the class that confirming would give to the picture under the cursor."""
        return self._says(self._page[self.cursor]) if self._page else None

    def _says(self, cell: Looked) -> int:
        return self._otherwise.get(cell.index, cell.class_id)

    # -- what is answered ----------------------------------------------------------------------------------------

    def nothing_to_answer(self) -> str:
        """Return why there is no page."""
        return self._why_none

    def _set(self, class_id: int) -> None:
        """Set the picture under the cursor to the class that the person says."""
        if not self._page:
            self.labeler.say(self.nothing_to_answer(), "warn")
            return
        cell = self._page[self.cursor]
        self.typed = ""
        same = self._says(cell) == class_id
        if class_id == cell.class_id:
            self._otherwise.pop(cell.index, None)
        else:
            self._otherwise[cell.index] = class_id
        self.labeler.status.clear()
        self.draw_again()
        if same:
            self.labeler.say("it says so already: ⏎ confirms the page", "quiet")

    def _unset(self) -> bool:
        """The picture under the cursor is as its heading says again; False where it was so."""
        if not self._page or self._page[self.cursor].index not in self._otherwise:
            return False
        self._set(self._page[self.cursor].class_id)
        return True

    def answer(self, class_id: int) -> None:
        """A class key sets the picture under the cursor; the page is saved as a whole."""
        self._set(class_id)

    def do_unsure(self) -> None:
        """Cannot tell, or of no class: counts as wrong; or back."""
        if not self._page or self._says(self._page[self.cursor]) != UNLABELED or not self._unset():
            self._set(UNLABELED)

    def do_reject(self) -> None:
        """The likeliest other class, or back."""
        if not self._page:
            self.labeler.say(self.nothing_to_answer(), "warn")
        elif not self._unset():
            instead = self._instead(self._page[self.cursor])
            self._set(UNLABELED if instead is None else instead)
            if instead is None:
                self.labeler.say("marked; it has no runner-up: press the key of its class, if you can tell", "warn")

    # -- letters -------------------------------------------------------------------------------------------------

    @property
    def _letters(self) -> str:
        """A letter for each picture, as far as they go: those that no class and no command has."""
        view = self.labeler.view
        if view is None or self.types_names:
            return ""
        taken = {*COMMAND_LETTERS, *(count.info.key for count in view.classes)}
        return "".join(letter for letter in LETTERS if letter not in taken)

    def picture_of(self, key: str) -> int | None:
        """The picture that bears the letter."""
        place = self._letters.find(key) if len(key) == 1 else -1
        return place if 0 <= place < len(self._page) else None

    def mark(self, place: int) -> None:
        """Not this: the likeliest other class, or back; the cursor goes there for the key of another one."""
        if self._painted_as == 0 or self.paints_at_key < self._painted_as:
            self.labeler.say("that key was pressed before this page was there: ignored", "warn")
            return
        self.cursor = place
        self.do_reject()

    def _instead(self, cell: Looked) -> int | None:
        """The likeliest class that is not the one it is shown as."""
        session = self.labeler.project.session
        round_, stands_for = session.machine_labels.round, session.state.stands_for()
        # rows that came after the round are not in it
        if round_ is None or cell.index >= len(round_.labels):
            return None
        for class_id in (int(round_.labels[cell.index]), int(round_.runner_ups[cell.index])):
            now = int(stands_for[class_id]) if class_id != UNLABELED else UNLABELED
            if now not in (UNLABELED, cell.class_id):
                return now
        return None

    def named(self, name: str | None) -> None:
        """Add the class that was named, and set the picture under the cursor to it."""
        if name is None:
            return
        session = self.labeler.project.session

        def chosen() -> None:
            info = session.classes.named(name)
            if info is not None and self._page:
                self._set(info.class_id)

        self.labeler.command(lambda: session.classes.id_for(name), chosen)

    def do_accept(self) -> None:
        """Confirm the page; where the target is reached, go on with another one."""
        session, page = self.labeler.project.session, self._page
        if not page:
            self._goes_on = True
            self._lay_out()
            self.labeler.view = session.view()
            if self._block is None:
                self.labeler.say(self.nothing_to_answer(), "warn")
            return
        if self._painted_as == 0 or self.paints_at_key < self._painted_as:
            self.labeler.say("that key was pressed before this page was there: ignored", "warn")
            return
        if self.grid.page + 1 < self.grid.pages:  # the terminal became smaller: nothing is confirmed unseen
            self.go((self.grid.page + 1) * self.grid.layout_now.page)
            self.labeler.say("the rest of this page: ⏎ confirms it when all was seen", "quiet")
            return
        results: list[Planted] = []

        def saved() -> None:
            self._lay_out()
            # here, behind the command, which clears what was said before
            for planted in results:
                self._tell(planted)

        self.labeler.command(
            lambda: results.append(session.audit.pages.answer(self._otherwise, screen=self.recorded_as)), saved
        )

    def _tell(self, planted: Planted) -> None:
        """Say what was planted on the page that was confirmed."""
        session = self.labeler.project.session
        names = {class_id: info.name for class_id, info in session.state.classes.items()}
        text, role = statement.of_planted(planted, session.pool.ids, names)
        self.labeler.say(text, role)

    def moved_in_time(self) -> None:
        """A page taken back is shown again as it was confirmed."""
        super().moved_in_time()
        session = self.labeler.project.session
        back = session.state.redo_target()
        self._follow()
        if back is not None and isinstance(back.body, AuditPage) and session.last is not None:
            if session.last.what == "undo audit_page":
                answers = said_on_page(back.body, session.pool)
                self._otherwise = {c.index: answers[c.index] for c in self._page if answers[c.index] != c.class_id}
        elif self._block is None:
            self._lay_out()

    # -- drawing -------------------------------------------------------------------------------------------------

    def draw(self, view: View) -> None:
        """The page that is next."""
        self._follow()
        super().draw(view)

    def show_cells(self, shown: Sequence[int], names: dict[int, str]) -> None:
        """Under the names the classes have by now, those that are out of use as well."""
        classes = self.labeler.project.session.state.classes
        every = {class_id: classes[current(class_id, classes)].name for class_id in classes}
        headings = [every[cell.class_id] for cell in self._page]
        grid = self.query_one("#sheet", HeadedGrid)
        grid.names = tuple(every.values())
        grid.show_under(headings, self._letters, shown, lambda place: self.cell(place, every), self.cursor)

    def cell(self, place: int, names: dict[int, str]) -> Cell:
        """A picture says what is said of it, where that is not its heading."""
        looked = self._page[place]
        if looked.index not in self._otherwise:
            return Cell(looked.index, "")
        class_id = self._otherwise[looked.index]
        return Cell(looked.index, "?" if class_id == UNLABELED else names.get(class_id, ""), "warn", lead="→ ")

    def heading(self, view: View) -> Content:
        """Return what is asked, and what is certified now."""
        certificate = self.labeler.project.session.audit.certificate(paged=True)
        if not self._page:
            asked = Content.styled(self.nothing_to_answer(), "$quiet")
        else:
            marked = f"  {len(self._otherwise)} marked" if self._otherwise else ""
            asked = Content.assemble(("are all as headed?", "bold"), (marked, "bold $warn"))
        block = self._block
        ahead = sum(not cell.planted for page in block.pages[: len(block.answers)] for cell in page) if block else 0
        width = max(self.size.width - 2, 1)
        if certificate is None:
            return asked
        current_statement = statement.in_a_line(certificate, ahead)
        if not self._page and asked.cell_length + current_statement.cell_length >= width:
            return asked  # what to press comes first
        return lines.ends(asked, current_statement, width)

    def facts(self, view: View) -> list[str]:
        """Return the place in the block, and how well was seen so far."""
        audit, block = self.labeler.project.session.audit.latest, self._block
        if audit is None or block is None:
            return []
        facts = [f"page {len(block.answers) + 1} of {len(block.pages)}"]
        if self._letters and (self.size.width >= WIDE or not block.first):
            facts.append("its letter: not this")
        done = [*audit.in_pages, block]
        shown = sum(cell.planted for b in done for page in b.pages[: len(b.first)] for cell in page)
        if shown:
            facts.append(f"planted: {sum(b.seen for b in done)} of {shown} seen")
        return facts

    def location(self, target: Target) -> str:
        """Without its folder, which may be the name of a class."""
        return target.instance_id.rpartition("/")[2]

    def is_ready(self) -> bool:
        """Every picture of the page."""
        return self.grid.all_ready()

    def was_painted(self) -> None:
        """A page counts as one question, once; the next one is drawn ahead."""
        if self._page and self._painted_as == 0:
            self.count_paint()
            self._painted_as = self.labeler.line.paints
        block, now = self._block, self.grid.layout_now
        if block is not None and len(block.answers) + 1 < len(block.pages):
            following = block.pages[len(block.answers) + 1]
            self.labeler.pictures.expect([cell.index for cell in following], now.columns, now.rows)

    def resized(self) -> None:
        """The first page is laid out when the size is known."""
        if self._shown is None and self._block is None and not self._goes_on:
            self._lay_out()
            self._drawn_for = None
            self.labeler.view = self.labeler.project.view()
        super().resized()

    # -- commands ------------------------------------------------------------------------------------------------

    def can_follow(self, advice: Advice) -> bool:
        """Whether an advice can be followed: none, for it is about the labels as they are now."""
        return False

    async def do_pages(self) -> None:
        """One by one again."""
        session = self.labeler.project.session
        try:
            session.audit.refuse_within_block()
        except LabelerError as error:
            self.labeler.say(f"{error.message}: {error.hint}", "warn")
            return
        await self.labeler.leave()

    def do_undo(self) -> None:
        """Take back what was said since the audit began, no more."""
        blind.undo(self)

    def do_redo(self) -> None:
        """Bring back what was said since the audit began."""
        blind.redo(self)

    async def do_audit(self) -> None:
        """Leave the audit, which waits, also where it is open one by one below."""
        await self.labeler.leave()
        below = self.app.screen
        if isinstance(below, LabelScreen) and below.NAME == "audit":
            await self.labeler.leave()


def page_size(width: int, height: int, usual: int) -> int:
    """Pictures of a page: :data:`LARGEST_PAGE`, but rather fewer where they are larger then; an error is to be seen."""
    many, fewer = (layout(count, width, height, usual) for count in (LARGEST_PAGE, FEWER))
    return min(LARGEST_PAGE, many.page) if many.rows >= fewer.rows else fewer.page
