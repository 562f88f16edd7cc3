"""The classes: a table to add, rename, re-key, merge, split and retire them, each with one undo."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.content import Content

from labeler.core.text import counted, display_safe
from labeler.core.types import ClassInfo
from labeler.session.view import ClassCount, View
from labeler.ui.actions import Actions, Group, back, key, says
from labeler.ui.keys import matches
from labeler.ui.screens import commands
from labeler.ui.screens.base import LabelScreen
from labeler.ui.widgets.class_table import class_table, page_of
from labeler.ui.widgets.line import Block, Line
from labeler.ui.widgets.picture import Neighbors

# of one label nothing would stay behind
FEWEST_TO_SPLIT = 2


class ClassesScreen(LabelScreen):
    """One row a class; nothing is answered here: the key of a class leads to its row."""

    GROUPS = frozenset({Group.ALWAYS, Group.PAGES})
    ACTIONS: ClassVar[Actions] = {
        # where no picture is answered, capitals say what is done to the class that is chosen
        "accept": says("rename", "another name; go ahead with a merge", speaks_of_instance=False),
        "class_key": key("K", label="key", help="another key for the class", before="undo"),
        "merge": key("M", label="merge", help="merge the class into another one", before="undo"),
        "split": key("S", label="split", help="give some labels of the class to a new one", before="undo"),
        "retire": key("X", label="retire", help="take the class out of use, or bring it back", before="undo"),
        "new_class": key("N", label="add", help="add a class", before="undo"),
        "classes": back("back to where the classes were opened", before="undo"),
        "move_up": says(help="the class above"),
        "move_down": says(help="the class below"),
        "hunt": says(),
    }
    CLASS_KEYS = "go to the class of that key"
    MOVES = "choose a class"

    def __init__(self) -> None:
        super().__init__()
        self._class_id: int | None = None  # by id: rows come and go
        self._place = 0  # its row when it was last drawn
        self._merging: int | None = None  # the class that is to become another one

    def body(self) -> ComposeResult:
        """Yield what is asked, the table, a few pictures of the class under the cursor."""
        yield Line(id="asked")
        yield Block(id="class-table")
        yield Neighbors(self.labeler.pictures, id="examples", title="for example")

    # -- what is chosen ------------------------------------------------------------------------------------------

    @property
    def rows(self) -> tuple[ClassCount, ...]:
        """The classes in the order of the table: retired ones last."""
        view = self.labeler.view
        return (*view.classes, *view.retired) if view is not None else ()

    @property
    def cursor(self) -> int:
        """The row of the class that is chosen; where it is gone the one in its place."""
        last = min(self._place, max(len(self.rows) - 1, 0))
        return next((place for place, row in enumerate(self.rows) if row.info.class_id == self._class_id), last)

    def chosen(self) -> ClassCount | None:
        """The row under the cursor; says what to press where there is none."""
        rows = self.rows
        if not rows:
            self.labeler.say("there is no class yet: N adds the first", "warn")
        return rows[self.cursor] if rows else None

    def nothing_to_answer(self) -> str:
        """Return where answers are given."""
        return "nothing is answered here: C leads back to the pictures"

    def answer(self, class_id: int) -> None:
        """The key of a class leads to its row."""
        self.typed = ""
        self._go_to(class_id)

    def _go_to(self, class_id: int) -> None:
        self._class_id = class_id
        self.labeler.status.clear()
        self.redraw()

    # -- drawing -------------------------------------------------------------------------------------------------

    def draw(self, view: View) -> None:
        """The table, and pictures of the class under the cursor."""
        rows, cursor, merging = self.rows, self.cursor, self._merging
        self._place = cursor
        self.query_one("#class-table", Block).show(
            lambda width, height: class_table(rows, cursor, merging, width, height)
        )
        heading = self._heading(view)
        self.query_one("#asked", Line).show(lambda width: heading.truncate(width, ellipsis=True))
        row = rows[cursor] if rows else None
        self._draw_examples(row)
        about = _about(row)
        self.draw_lines(view, lambda width: about.truncate(width, ellipsis=True))
        self.call_after_refresh(self._painted)

    def _painted(self) -> None:
        if self.in_front:
            self.painted.set()

    def _heading(self, view: View) -> Content:
        if self.typed:
            fitting = matches(self.typed, view.classes)
            place = min(self.typing.place, len(fitting) - 1)
            hint = f" ⏎ goes to {self.short(fitting[place].info.name, 40)}" if fitting else " fits no class: ⌫"
            return Content.assemble((f"{self.typed}▏", "bold $answer"), (hint, "$quiet"))
        source = self._source()
        if source is not None:
            return self._merge_heading(source)
        counted = f"  {len(view.classes)} to answer with"
        if view.retired:
            counted += f", {len(view.retired)} retired"
        height = self.query_one("#class-table").size.height
        first, size = page_of(self.cursor, height)
        if height > 0 and len(self.rows) > size:  # its height is known only once it was laid out
            counted += f" · page {first // size + 1} of {-(-len(self.rows) // size)}"
        return Content.assemble(("classes", "bold"), (f"{counted}   ↑ ↓ or the key of a class", "$quiet"))

    def _merge_heading(self, source: ClassCount) -> Content:
        labels = counted(source.given, "label")
        name = (self.short(source.info.name, 24), "bold $warn")
        into = self.rows[self.cursor]
        leave = (("M", "bold $command"), (" leaves it", "$quiet"))
        if into.info.class_id == source.info.class_id:
            return Content.assemble("merge ", name, f" ({labels}) into which class? its key or ↑ ↓   ", *leave)
        other = (self.short(into.info.name, 24), "bold")
        goes = ("⏎", "bold $command"), (f" gives it {labels}   ", "")
        return Content.assemble("merge ", name, " into ", other, "?   ", *goes, *leave)

    def _draw_examples(self, row: ClassCount | None) -> None:
        widget = self.query_one("#examples", Neighbors)
        examples = []
        if row is not None and widget.room:
            examples = self.labeler.project.session.machine_labels.examples(row.info.class_id, widget.room)
        widget.show([(index, word.word) for index, word in examples])

    def picture_ready(self, index: int) -> None:
        """A thumbnail was drawn."""
        self.query_one("#examples", Neighbors).look_again(index)

    def on_resize(self) -> None:
        """The same row at another size."""
        super().on_resize()
        self.call_after_refresh(self.redraw)

    # -- moving --------------------------------------------------------------------------------------------------

    def do_move_up(self) -> None:
        """The class above."""
        self._step(-1)

    def do_move_down(self) -> None:
        """The class below."""
        self._step(1)

    def do_page_back(self) -> None:
        """A page of the table back."""
        self._step(-page_of(0, self.query_one("#class-table").size.height)[1])

    def do_page_on(self) -> None:
        """A page of the table on."""
        self._step(page_of(0, self.query_one("#class-table").size.height)[1])

    def _step(self, step: int) -> None:
        if self.chosen() is None:
            return
        place = min(max(self.cursor + step, 0), len(self.rows) - 1)
        if place == self.cursor:
            self.labeler.say("nothing further this way", "quiet")
        else:
            self._go_to(self.rows[place].info.class_id)

    def on_click(self, event: events.Click) -> None:
        """The mouse may choose a row too."""
        table = self.query_one("#class-table", Block)
        # the first line is the title
        if event.widget is table and event.y > 0:
            first, size = page_of(self.cursor, table.size.height)
            place = first + event.y - 1
            if event.y <= size and place < len(self.rows):
                self._go_to(self.rows[place].info.class_id)

    # -- commands ------------------------------------------------------------------------------------------------

    def named(self, name: str | None) -> None:
        """Add the class that was named, and go to its row."""
        if name is None:
            return
        session = self.labeler.project.session
        self._merging = None
        self.labeler.command(lambda: session.classes.id_for(name), lambda: self._choose_named(name))

    def _choose_named(self, name: str) -> None:
        info = self.labeler.project.session.classes.named(name)
        if info is not None:
            self._class_id = info.class_id

    async def do_accept(self) -> None:
        """Go ahead with a merge; else another name for the class."""
        row, source = self.chosen(), self._source()
        if row is None:
            return
        if source is not None:
            self._merge(source.info, row.info)
            return
        info, session = row.info, self.labeler.project.session

        def named(name: str | None) -> None:
            if name is not None:
                self.labeler.command(lambda: session.classes.rename(info.class_id, name))

        self._class_id = info.class_id
        await self.labeler.open("rename", named, info)

    async def do_class_key(self) -> None:
        """Another key for the class."""
        row = self.chosen()
        if row is None:
            return
        info, session = row.info, self.labeler.project.session
        if info.retired:
            self.labeler.say("a retired class has no key: X brings it back", "warn")
            return

        def pressed(key: str | None) -> None:
            if key is not None:
                self.labeler.command(lambda: session.classes.set_key(info.class_id, key))

        # any other command leaves a merge that waits for its second class
        self._class_id, self._merging = info.class_id, None
        await self.labeler.open("class_key", pressed, info)

    def do_merge(self) -> None:
        """Choose the class that this one is to become part of, or leave it."""
        row = self.chosen()
        if row is None:
            return
        if self._source() is not None:
            self._merging = None
        # a retired class may go into the only one there is
        elif len(self.labeler.project.session.state.active_classes()) < (1 if row.info.retired else 2):
            self.labeler.say("there is no other class to merge it into", "warn")
            return
        else:
            self._class_id = self._merging = row.info.class_id
        self.labeler.status.clear()
        self.redraw()

    def do_undo(self) -> None:
        """Leave a merge that waits for its other class, and take nothing else back."""
        if self._source() is None:
            commands.undo(self)
            return
        self._merging = None
        self.labeler.say("the merge is left: nothing was changed, and nothing taken back")
        self.redraw()

    def _source(self) -> ClassCount | None:
        """The class that is to be merged; it may be gone by an undo."""
        return next((row for row in self.rows if row.info.class_id == self._merging), None)

    def _merge(self, source: ClassInfo, into: ClassInfo) -> None:
        session = self.labeler.project.session
        # the cursor still is where the merge began
        if source.class_id == into.class_id:
            self.labeler.say("choose the class it goes into: its key or ↑ ↓", "warn")
            return

        def merged() -> None:
            self._class_id, self._merging = into.class_id, None

        self.labeler.command(lambda: session.classes.merge(source.class_id, into.class_id), merged)

    async def do_split(self) -> None:
        """Choose which labels of the class go to a new one."""
        row = self.chosen()
        if row is None:
            return
        self._class_id, self._merging = row.info.class_id, None
        if row.info.retired:
            self.labeler.say("a retired class cannot be split: X brings it back", "warn")
        elif row.given < FEWEST_TO_SPLIT:
            self.labeler.say(f"nothing to split: a person gave {counted(row.given, 'label')} of it", "warn")
        else:
            await commands.show(self, "split", row.info, self._choose_named)

    def to_hunt(self) -> int | None:
        """The class under the cursor, where it has a label."""
        row = self.chosen()
        return row.info.class_id if row is not None and row.given and not row.info.retired else None

    def do_retire(self) -> None:
        """Out of use, or back."""
        row = self.chosen()
        if row is None:
            return
        session, class_id = self.labeler.project.session, row.info.class_id
        self._class_id, self._merging = class_id, None
        change = session.classes.restore if row.info.retired else session.classes.retire
        self.labeler.command(lambda: change(class_id))

    def moved_in_time(self) -> None:
        """Go to the class that was changed back or again."""
        super().moved_in_time()
        last = self.labeler.project.session.last
        if last is not None and last.class_id is not None:
            self._class_id = last.class_id

    async def do_classes(self) -> None:
        """Leave the classes."""
        await self.labeler.leave()


def _about(row: ClassCount | None) -> Content:
    """Return a line on the class under the cursor."""
    if row is None:
        return Content("")
    key = f"key {row.info.key}" if row.info.key else "no key"
    facts = f" · {'retired: no answers, labels stay' if row.info.retired else key}"
    given = f" · {counted(row.given, 'label')} given"
    return Content.assemble((display_safe(row.info.name, 40), "bold"), (facts + given, "$quiet"))
