"""The audit in pages: pictures drawn at random under the class they have, among them some under a wrong one."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content

from labeler.core.errors import LabelerError
from labeler.core.events import AuditPage
from labeler.core.text import display_safe
from labeler.core.types import UNLABELED
from labeler.session.audit.audits import Certificate, floored
from labeler.session.audit.pages import Block, said_on_page
from labeler.session.audit.pages import Cell as Looked
from labeler.session.classes import current
from labeler.session.keys import COMMAND_LETTERS, LETTERS
from labeler.session.parts.audit_pages import Planted
from labeler.session.view import View
from labeler.ui.actions import Place
from labeler.ui.render import lines
from labeler.ui.screens.audit import AuditKeys, AuditScreen
from labeler.ui.screens.base import Target
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


class AuditPages(AuditKeys, ThumbnailScreen):
    """One page at a time; a key confirms it, exceptions are marked first, and then it says what was planted."""

    PLACE = Place.AUDIT_PAGES

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
        found = session.audit.certificate(paged=True)
        if found is not None and found.reached and not self._goes_on and session.audit.next_index() is not None:
            self._why_none = f"{100 * found.target:g} % is reached: E leads back, ⏎ goes on with another page"
            return
        size = page_size(*self.grid.size, self.labeler.pictures.usual_height)
        letters = len(self._letters)
        try:
            session.audit.pages.lay_out(min(size, letters) if letters >= FEWER else size)
        except LabelerError as error:
            self._why_none = f"{error.message}: {error.hint}"

    def _follow(self) -> None:
        """The page that is next in the session is the one on the screen."""
        block = self._block
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
        """What confirming would say of the picture under the cursor."""
        return self._says(self._page[self.cursor]) if self._page else None

    def _says(self, cell: Looked) -> int:
        return self._otherwise.get(cell.index, cell.class_id)

    # -- what is answered ----------------------------------------------------------------------------------------

    def nothing_to_answer(self) -> str:
        """Why there is no page."""
        return self._why_none

    def _set(self, class_id: int) -> None:
        """What the person says of the picture under the cursor."""
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
        self.labeler.news.clear()
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
        if view is None or self._typing_ahead:
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
        if round_ is None or cell.index >= len(round_.labels):
            return None
        for class_id in (int(round_.labels[cell.index]), int(round_.runner_ups[cell.index])):
            now = int(stands_for[class_id]) if class_id != UNLABELED else UNLABELED
            if now not in (UNLABELED, cell.class_id):
                return now
        return None

    def _named(self, name: str | None) -> None:
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
        told: list[Planted] = []

        def saved() -> None:
            self._lay_out()
            for planted in told:
                self._tell(planted)

        self.labeler.command(
            lambda: told.append(session.audit.pages.answer(self._otherwise, screen=str(self.PLACE))), saved
        )

    def _tell(self, planted: Planted) -> None:
        """What was planted on the page that was confirmed."""
        session = self.labeler.project.session
        if not planted.shown:
            self.labeler.say("nothing was planted on that page", "quiet")
            return
        lead = f"planted on that page: {len(planted.seen)} of {planted.shown} seen"
        if not planted.overlooked:
            self.labeler.say(f"✓ {lead}")
            return
        names = {class_id: info.name for class_id, info in session.state.classes.items()}
        missed = ", ".join(
            f"{display_safe(session.pool.ids[index].rpartition('/')[2], 24)} stood under "
            f"{display_safe(names[shown], 20)} and is a {display_safe(names[known], 20)}"
            for index, shown, known in planted.overlooked
        )
        self.labeler.say(f"{lead}; overlooked: {missed}", "warn")

    def moved_in_time(self) -> None:
        """A page taken back is shown again as it was confirmed."""
        super().moved_in_time()
        session = self.labeler.project.session
        back = session.state.redo_target()
        self._follow()
        if back is not None and isinstance(back.body, AuditPage) and session.last is not None:
            if session.last.what == "undo audit_page":
                said = said_on_page(back.body, session.pool)
                self._otherwise = {c.index: said[c.index] for c in self._page if said[c.index] != c.class_id}
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
        said = self._otherwise[looked.index]
        return Cell(looked.index, "?" if said == UNLABELED else names.get(said, ""), "warn", lead="→ ")

    def heading(self, view: View) -> Content:
        """What is asked, and what is certified now."""
        found = self.labeler.project.session.audit.certificate(paged=True)
        if not self._page:
            asked = Content.styled(self.nothing_to_answer(), "$quiet")
        else:
            marked = f"  {len(self._otherwise)} marked" if self._otherwise else ""
            asked = Content.assemble(("are all as headed?", "bold"), (marked, "bold $warn"))
        block = self._block
        ahead = sum(not cell.planted for page in block.pages[: len(block.answers)] for cell in page) if block else 0
        width = max(self.size.width - 2, 1)
        if found is None:
            return asked
        said = said_now(found, ahead)
        if not self._page and asked.cell_length + said.cell_length >= width:
            return asked  # what to press comes first
        return lines.ends(asked, said, width)

    def facts(self, view: View) -> list[str]:
        """Where in the block, and how well was seen so far."""
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
            self.labeler.question_was_painted()
            self._painted_as = self.labeler.paints
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

    async def do_grid(self) -> None:
        """One by one again."""
        session = self.labeler.project.session
        try:
            session.audit.refuse_within_block()
        except LabelerError as error:
            self.labeler.say(f"{error.message}: {error.hint}", "warn")
            return
        await self.leave()

    async def do_audit(self) -> None:
        """Back to where the audit was opened."""
        await self.dismiss(None)
        below = self.labeler.screen
        if isinstance(below, AuditScreen):
            await below.leave()


def page_size(width: int, height: int, usual: int) -> int:
    """Pictures of a page: :data:`LARGEST_PAGE`, but rather fewer where they are larger then; an error is to be seen."""
    many, fewer = (layout(count, width, height, usual) for count in (LARGEST_PAGE, FEWER))
    return min(LARGEST_PAGE, many.page) if many.rows >= fewer.rows else fewer.page


def said_now(found: Certificate, ahead: int) -> Content:
    """The statement in one line; `ahead`: looked at since, which count when their block is done."""
    goal = f"{100 * found.target:g} %"
    sign, role = ("✓", "$saved") if found.reached else ("·", "$guess")
    lead = Content.styled(f"{sign} certified ≥ {floored(found.lower_bound)} %", f"bold {role}")
    if found.reached:
        return lead
    if found.more is not None:
        left = max(found.more - ahead, 1)
        return Content.assemble(lead, (f"; about {left:,} more for {goal}", "$quiet"))
    return Content.assemble(lead, (f"; {goal} " + ("later" if found.too_early else "out of reach"), "$quiet"))
