"""Search: a line to type what is looked for, and what was found as thumbnails."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from labeler.core.text import display_safe
from labeler.session.search import GUIDE, Found, find, folded
from labeler.session.view import View
from labeler.ui.actions import Place
from labeler.ui.forms.base import Form
from labeler.ui.render.lines import amount
from labeler.ui.screens.question import QuestionScreen
from labeler.ui.screens.thumbnails import ThumbnailScreen
from labeler.ui.widgets.line import Block

Result = tuple[str, list[int]]


class SearchFor(Form[Result | None]):
    """What is looked for; how many fit is said while it is typed, and below it what can be typed."""

    def __init__(self, then: Callable[[Result | None], None], query: str) -> None:
        super().__init__(then)
        self._query = query
        self._texts: list[str] = []
        self._found = Found([])

    def compose(self) -> ComposeResult:
        """Title, input, what fits, what can be typed."""
        with Vertical(classes="dialog", id="search-form"):
            yield Static("search", classes="title", markup=False)
            yield Input(self._query, placeholder="words of the path, class:7, flagged ...", select_on_focus=True)
            yield Static(id="preview", markup=False)
            yield Block(id="guide")

    def on_mount(self) -> None:
        """Ready to type."""
        self._texts = folded(self.labeler.project.session.pool.ids)
        self.set_focus(self.query_one(Input))
        self.query_one("#guide", Block).show(_guide)
        self._look(self._query)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Count what fits."""
        self._look(event.value)

    def _look(self, query: str) -> None:
        self._found = find(query, self.labeler.project.session, self._texts)
        number, noun = len(self._found.indices), self.labeler.project.session.pool.noun
        said = self._found.trouble or ("nothing fits" if not number else amount(number, noun))
        look = (("⏎ ", "bold $command"), ("look at them   ", "$quiet")) if number else ()
        keys = Content.assemble(*look, ("esc ", "bold $command"), ("back", "$quiet"))
        style = "bold $answer" if number else "bold $warn"
        self.query_one("#preview", Static).update(Content.assemble((display_safe(said, 200), style), "\n", keys))

    def typed_into(self) -> Widget:
        """The query."""
        return self.query_one(Input)

    async def submit(self) -> None:
        """Hand over what was found; with nothing found the line stays."""
        query = self.query_one(Input).value
        self._look(query)
        if self._found.indices:
            await self.finish((query.strip(), self._found.indices))


def _guide(width: int, height: int) -> Content:
    wide = max(len(example) for example, _ in GUIDE) + 2 if width >= 90 else 0
    lines = []
    for example, meaning in GUIDE:
        line = Content.assemble((example.ljust(wide) if wide else f"{example}  ", "bold $answer"), (meaning, "$quiet"))
        lines.append(line.truncate(max(width, 1), ellipsis=True))
    return Content("\n").join(lines[: max(height, 0)])


class SearchScreen(ThumbnailScreen):
    """What was found, in the pool's order, which stays while the screen is open."""

    PLACE = Place.SEARCH
    SAYS_PAGE = False  # the how manyth it is says enough

    def __init__(self, query: str, indices: list[int]) -> None:
        super().__init__()
        self._query, self._indices = query, indices
        self._before: int | None = None  # the class the target had been given when it was answered

    def shown(self) -> Sequence[int]:
        """What was found."""
        return self._indices

    def nothing_to_answer(self) -> str:
        """Nothing was found."""
        return "nothing was found: / leads back"

    # -- answers -------------------------------------------------------------------------------------------------

    def answer(self, class_id: int) -> None:
        """Give the target a class; a label it had is changed, which is a new answer."""
        target = self.target()
        standing = self.labeler.project.session.state.answers.get(target.index) if target is not None else None
        self._before = standing.class_id if standing is not None and standing.kind == "label" else None
        super().answer(class_id)

    def answered(self) -> None:
        """On to the next one; said where a given label was changed."""
        session = self.labeler.project.session
        last, before = session.last, self._before
        self._before = None
        if last is not None and last.class_id is not None and before is not None and before != last.class_id:
            was, now = (self.short(session.state.classes[one].name, 30) for one in (before, last.class_id))
            self.labeler.news.say(f"changed from {was} to {now}: a new answer, ⌫ takes it back")
        self.cursor = min(self.cursor + 1, len(self._indices) - 1)

    def do_skip(self) -> None:
        """Ask it later, unless it has its answer."""
        target = self.target()
        standing = self.labeler.project.session.state.answers.get(target.index) if target is not None else None
        if standing is not None and standing.kind == "label":
            self.labeler.say("it has a label: a class key changes it, the arrows leave it", "warn")
        else:
            super().do_skip()

    def moved_in_time(self) -> None:
        """To where something was taken back or came back."""
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
            await self.leave_to(QuestionScreen)

    async def do_search(self) -> None:
        """Back."""
        await self.leave()

    # -- drawing -------------------------------------------------------------------------------------------------

    def heading(self, view: View) -> Content:
        """What was looked for, and how many fit."""
        query = display_safe(self._query, 60) or "everything"
        found = f"  {amount(len(self._indices), view.noun)} of {view.n_instances:,}"
        return Content.assemble(("search ", "bold"), (query, "bold $answer"), (found, "$quiet"))

    def facts(self, view: View) -> list[str]:
        """What the target is by now, in words, and where it stands among the found ones."""
        index = self._indices[self.cursor]
        session = self.labeler.project.session
        class_id, provenance = session.label_of(index)
        info = session.state.classes.get(class_id)
        label = [f"{self.short(info.name, 30)}, {provenance.word}"] if info is not None else []
        return [*label, f"{self.cursor + 1:,} of {len(self._indices):,}"]
