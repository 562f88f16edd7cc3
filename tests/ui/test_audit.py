"""The audit, key by key: blind, in the drawn order, with what is certified after each answer."""

import pytest

from labeler.session.final_labels import final_labels
from labeler.ui.screens.audit import AuditScreen
from labeler.ui.screens.audit_pages import AuditPages
from labeler.ui.screens.question import QuestionScreen
from tests.ui.support import FakeProject, running, screen_text, settle


def begun(project: FakeProject, target: float = 0.9) -> FakeProject:
    session = project.session
    final = final_labels(session.state, session.machine_labels.round)
    session.audit.begin(final, target=target, confidence=0.95, seed=0)
    return project


@pytest.fixture
def project() -> FakeProject:
    """Ten answers, and an audit of the 190 labels that were propagated from them."""
    project = FakeProject(n_classes_known=10)
    for index in range(10):
        project.session.label(f"{index:04d}.png", index)
    return begun(project)


def order(project: FakeProject) -> list[int]:
    return project.session.audit.frozen(project.session.audit.latest).order.tolist()


def said(project: FakeProject) -> list[tuple[str, int | None]]:
    return [(e.instance_id, e.class_id) for e in project.journal.events if e.kind == "audit_answer"]


def right(index: int) -> str:
    return str(index % 10)


class TestOpening:
    async def test_it_opens_on_the_audit_and_leads_back_to_the_questions(self, project):
        async with running(project, audit=True) as app:
            assert isinstance(app.screen, AuditScreen)
            await app.press_and_see("E")
            assert isinstance(app.screen, QuestionScreen)
            await app.press_and_see("E")
            assert isinstance(app.screen, AuditScreen)

    async def test_nothing_suggests_a_label(self, project):
        """No guess, no neighbor, no runner-up, no bar of the model's."""
        async with running(project, audit=True) as app:
            text = screen_text(app)
            for word in ("guesses", "nearest", "70 %", "⏎"):
                assert word not in text.replace("⏎ no", "")

    async def test_the_folder_may_be_the_class(self):
        ids = [f"secret{index % 10}/{index:04d}.png" for index in range(400)]
        project = begun(FakeProject(n_classes_known=10, ids=ids))
        async with running(project, audit=True) as app:
            text = screen_text(app)
            assert f"{order(project)[0]:04d}.png" in text
            assert "secret" not in text


class TestAnswers:
    async def test_each_key_answers_the_one_drawn(self, project):
        first, second, third = order(project)[:3]
        async with running(project, audit=True) as app:
            before = screen_text(app)
            assert "≥ 0.00 %" in before
            assert "for 90 %" in before
            text = await app.press_and_see(right(first))
            assert "1 checked, 0 wrong" in text
            assert f"✓ saved {first % 10} · {first:04d}.png" in text
            assert f"{second:04d}.png" in text
            text = await app.press_and_see(right(second + 1), right(third))
            assert "3 checked, 1 wrong" in text
        assert said(project) == [
            (f"{first:04d}.png", first % 10),
            (f"{second:04d}.png", (second + 1) % 10),
            (f"{third:04d}.png", third % 10),
        ]
        assert project.session.label_of(second)[0] == (second + 1) % 10

    @pytest.mark.parametrize(("key", "what"), [("U", "unsure"), ("u", "unsure"), ("X", "reject"), ("x", "reject")])
    async def test_what_is_of_no_class_counts_as_wrong(self, project, key, what):
        async with running(project, audit=True) as app:
            assert "1 checked, 1 wrong" in await app.press_and_see(key)
        assert project.journal.events[-1].payload["said"] == what

    async def test_out_of_reach_is_said_when_it_can_be_known(self, project):
        async with running(project, audit=True) as app:
            assert "too early to say when 90 %" in await app.press_and_see("U", "U")
            assert "90 % out of reach: label on" in await app.press_and_see(*"UX" * 24)

    async def test_the_advice_for_labeling_is_not_shown(self, project):
        async with running(project, audit=True) as app:
            assert "next 20 keys" not in screen_text(app)
            assert "next 20 keys" in await app.press_and_see("E")

    async def test_a_new_class_answers(self, project):
        first = order(project)[0]
        async with running(project, audit=True) as app:
            assert "1 checked, 1 wrong" in await app.press_and_see("N", *"yak", "enter")
            assert said(project) == [(f"{first:04d}.png", 10)]
            text = await app.press_and_see("backspace", "backspace")
            assert "0 checked" in text
            assert "nothing of this audit is left" in await app.press_and_see("backspace")

    async def test_to_the_target(self, project):
        more = project.session.audit.certificate().more
        async with running(project, audit=True) as app:
            text = await app.press_and_see(*(right(index) for index in order(project)[:more]))
            assert "✓ ≥ 90" in text
            assert "90 % reached" in text
            assert isinstance(app.screen, AuditScreen)  # and one may go on
            assert f"{more + 1} checked" in await app.press_and_see(right(order(project)[more]))

    async def test_to_the_end(self):
        project = begun(FakeProject(n=20, n_clusters=5, n_classes_known=10), target=0.99)
        async with running(project, audit=True) as app:
            text = await app.press_and_see(*(right(index) for index in order(project)))
            assert "every label of the set was checked" in text
            assert "≥ 100.00 %" in text
            assert "E leads back" in await app.press_and_see("1")
            assert "9 checked" in await app.press_and_see("backspace")

    @pytest.mark.parametrize(
        ("key", "words"), [("enter", "blind"), ("A", "blind"), ("I", "blind"), ("space", "leaves none out")]
    )
    async def test_keys_that_would_bias_say_why_not(self, project, key, words):
        async with running(project, audit=True) as app:
            assert words in await app.press_and_see(key)
            assert isinstance(app.screen, AuditScreen)
        assert said(project) == []

    @pytest.mark.parametrize("key", ["R", "M", "T", "S", "/", "D", "C", "P"])
    async def test_no_way_to_where_labels_are_shown(self, project, key):
        async with running(project, audit=True) as app:
            assert "does nothing here" in await app.press_and_see(key)
            assert isinstance(app.screen, AuditScreen)

    async def test_undo_and_redo_stay_within_the_audit(self, project):
        first = order(project)[0]
        async with running(project, audit=True) as app:
            assert "nothing of this audit is left" in await app.press_and_see("backspace")
            assert project.session.state.answers.n_single == 10
            await app.press_and_see(right(first + 1))
            text = await app.press_and_see("ctrl+z")
            assert "↶ taken back" in text
            assert "0 checked, 0 wrong" in text
            assert f"{first:04d}.png" in text
            assert "1 checked, 1 wrong" in await app.press_and_see("ctrl+y")

    async def test_flag_view_and_path(self, project):
        first = order(project)[0]
        async with running(project, audit=True) as app:
            assert "⚑ flagged" in await app.press_and_see("F")
            assert "×2" in await app.press_and_see("V")
            assert f"{first:04d}.png" in await app.press_and_see("Y")
        assert said(project) == []

    async def test_keys_typed_at_once_answer_one_after_the_other(self, project):
        indices = order(project)[:5]
        async with running(project, audit=True) as app:
            await app.press_and_see(*(right(index) for index in indices))
        assert said(project) == [(f"{index:04d}.png", index % 10) for index in indices]

    async def test_not_saved_keeps_the_answer(self, project):
        first = order(project)[0]
        async with running(project, audit=True) as app:
            project.journal.full = True
            assert "NOT saved" in await app.press_and_see(right(first))
            project.journal.full = False
            await app.press_and_see("enter")
        assert said(project) == [(f"{first:04d}.png", first % 10)]

    async def test_a_class_without_a_key_is_typed(self):
        project = begun(FakeProject(classes=tuple(f"sort{number:02d}" for number in range(40)), n_classes_known=10))
        async with running(project, audit=True) as app:
            await app.press_and_see(*"sort37", "enter")
        assert [class_id for _, class_id in said(project)] == [37]

    async def test_hostile_class_names(self):
        names = ("[/x]", "\x1b]2;pwned\x07", "a\u202eb")
        project = begun(FakeProject(classes=names, n_classes_known=3))
        async with running(project, audit=True) as app:
            text = await app.press_and_see("1", "2")
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert len(said(project)) == 2


class TestAsText:
    async def test_80x24_120x40_and_between(self, project):
        first = order(project)[0]
        async with running(project, audit=True) as app:
            for size in ((120, 40), (60, 16), (80, 24)):
                await app.pilot.resize_terminal(*size)
                await settle(app, app.pilot)
                assert f"{first:04d}.png · picture 1, drawn from 190" in screen_text(app)
            shown = [line.rstrip() for line in screen_text(app).splitlines()]
            more = project.session.audit.certificate().more
        assert shown[1].split()[-2:] == ["certified", "now"]
        assert shown[2].split()[-5:] == ["·", "≥", "0.00", "%", "right"]
        assert shown[3].split()[-6:] == ["about", str(more), "more", "for", "90", "%"]
        assert shown[4].split()[-4:] == ["0", "checked,", "0", "wrong"]
        assert shown[7].split()[-1] == "classes"
        assert shown[23] == " ⌫ undo  U unsure  X reject  N class  G pages  E back  ? help  Q quit"

    async def test_help_lists_its_keys(self, project):
        async with running(project, audit=True) as app:
            text = await app.press_and_see("?")
            assert "an audit leaves none out" in text
            assert "its label counts as wrong" in text


def on_the_page(project: FakeProject) -> tuple:
    return project.session.audit.latest.block.page


async def to_place(app, place: int) -> None:
    """The cursor on a picture of the page, by arrow keys."""
    while app.screen.cursor != place:
        across = app.screen.grid.layout_now.across
        down = place // across - app.screen.cursor // across
        await app.press_and_see(
            "down" if down > 0 else "up" if down < 0 else "right" if place > app.screen.cursor else "left"
        )


async def look_at_page(app, project: FakeProject, *, key: str = "class", sees: bool = True) -> str:
    """Mark all that is wrong on the page, confirm it."""
    for place, cell in enumerate(on_the_page(project)):
        if sees and cell.class_id != cell.index % 10:
            await to_place(app, place)
            await app.press_and_see(str(cell.index % 10) if key == "class" else key)
    return await app.press_and_see("enter")


class TestPages:
    async def test_the_key_switches_between_pages_and_one_by_one(self, project):
        async with running(project, audit=True) as app:
            text = await app.press_and_see("G")
            assert isinstance(app.screen, AuditPages)
            assert "are all as headed?" in text
            assert "page 1 of 2" in text
            assert "certified ≥ 0.00 %; about 34 more for 90 %" in text
            await app.press_and_see("G")
            assert isinstance(app.screen, AuditScreen)
            await app.press_and_see("G", "E")
            assert isinstance(app.screen, QuestionScreen)
        assert [event.kind for event in project.journal.events[-2:]] == ["audit_begin", "audit_block"]

    async def test_a_whole_audit_by_keys(self, project):
        async with running(project, audit=True) as app:
            await app.press_and_see("G")
            text = await look_at_page(app, project)
            seen = sum(cell.planted for cell in project.session.audit.latest.blocks[0].pages[0])
            assert f"planted on that page: {seen} of {seen} seen" in text
            assert f"· planted: {seen} of {seen} seen" in text  # and it stays in sight
            assert "certified ≥ 0.00 %" in text
            text = await look_at_page(app, project)
            assert "90 % is reached: E leads back, ⏎ goes on with another page" in text  # all of it, at 80 columns
            found = project.session.audit.certificate()
            assert found.reached
            assert (found.wrong, found.planted_seen) == (0, found.planted)
            assert "page 1 of 1" in await app.press_and_see("enter")  # and one may go on
            assert isinstance(app.screen, AuditPages)

    async def test_exceptions_by_class_key_by_runner_up_and_as_cannot_tell(self, project):
        async with running(project, audit=True) as app:
            await app.press_and_see("G")
            page = on_the_page(project)
            drawn = [place for place, cell in enumerate(page) if not cell.planted]
            planted = next(place for place, cell in enumerate(page) if cell.planted)
            await to_place(app, drawn[0])
            assert "no runner-up" in await app.press_and_see("X")
            assert "→ ?" in screen_text(app)
            await app.press_and_see("7", "right")
            assert "→ 7" in screen_text(app)
            await to_place(app, drawn[1])
            text = await app.press_and_see("U")
            assert "2 marked" in text
            await to_place(app, planted)
            await app.press_and_see("x")
            assert "3 marked" in screen_text(app)
            assert "2 marked" in await app.press_and_see("x")  # and back
            await app.press_and_see("x", "enter")
        event = project.journal.events[-1]
        assert event.kind == "audit_page"
        assert [name for name, _, word in event.payload["labels"] if word == "human"] == [
            f"{page[drawn[0]].index:04d}.png"
        ]
        assert event.payload["unsure"] == [f"{page[drawn[1]].index:04d}.png"]
        said = dict(event.payload["planted"])
        assert said[f"{page[planted].index:04d}.png"] == page[planted].index % 10

    async def test_its_own_class_takes_a_mark_back(self, project):
        async with running(project, audit=True) as app:
            await app.press_and_see("G")
            own = str(on_the_page(project)[0].class_id)
            other = "7" if own != "7" else "8"
            assert "1 marked" in await app.press_and_see(other)
            text = await app.press_and_see(other)
            assert "it says so already" in text
            assert "1 marked" in text
            assert "marked" not in await app.press_and_see(own)
            assert "it says so already" in await app.press_and_see(own)
            assert "1 marked" in await app.press_and_see("U")
            assert "marked" not in await app.press_and_see("U")
            assert "1 marked" in await app.press_and_see("N", *"yak", "enter")

    async def test_the_letter_of_a_picture_marks_it(self, project):
        """One key a planted picture: no way to go, no class to name; the class key that follows is for that picture."""
        async with running(project, audit=True) as app:
            text = await app.press_and_see("G")
            letters = "bcdeghijklmnoprstvwyz"
            page = on_the_page(project)
            assert len(page) <= len(letters)
            assert "its letter: not this" in text
            assert all(f" {letter} " in text or f"{letter}]" in text for letter in letters[: len(page)])
            planted = [place for place, cell in enumerate(page) if cell.planted]
            text = await app.press_and_see(*(letters[place] for place in planted))
            assert f"{len(planted)} marked" in text
            assert app.screen.cursor == planted[-1]
            last = letters[planted[-1]]
            assert f"{len(planted) - 1} marked" in await app.press_and_see(last) or len(planted) == 1  # and back
            drawn = next(place for place, cell in enumerate(page) if not cell.planted)
            await app.press_and_see(last, letters[drawn], str((page[drawn].class_id + 1) % 10))
            text = await app.press_and_see("enter")
            assert f"planted on that page: {len(planted)} of {len(planted)} seen" in text
            event = project.journal.events[-1]
            assert dict(event.payload["planted"]) == {f"{page[p].index:04d}.png": page[p].index % 10 for p in planted}
            assert [word for _, _, word in event.payload["labels"]].count("human") == 1

    async def test_a_class_keeps_its_letter(self):
        names = ("b", "c", *"0123456789")
        project = FakeProject(classes=names, n_classes_known=12)
        for index in range(12):
            project.session.label(f"{index:04d}.png", index % 10)
        begun(project)
        async with running(project, audit=True) as app:
            await app.press_and_see("G")
            cell = on_the_page(project)[3]
            assert app.screen._letters.startswith("degh")
            await app.press_and_see("right", "b")
            assert list(app.screen._otherwise.values()) == [0] or cell.class_id == 0
            assert app.screen.cursor == 1

    async def test_a_letter_that_no_picture_bears_says_so(self, project):
        async with running(project, audit=True) as app:
            await app.press_and_see("G")
            text = await app.press_and_see("q")
            assert "Q quits" in text

    async def test_what_the_engine_sends_between_paint_and_enter_moves_no_caption_and_no_label(self, project):
        """The audit speaks of the labels as they were frozen: each picture is confirmed as what it is shown as."""
        async with running(project, size=(120, 40), audit=True) as app:
            await app.press_and_see("G")
            page = app.screen._page
            project.n_classes_known = 1  # from now on the engine holds everything to be a 0
            project.post("round")
            await settle(app, app.pilot)
            assert app.screen._page == page
            await app.press_and_see("enter")
            saved = {name: class_id for name, class_id, _ in project.journal.events[-1].payload["labels"]}
            assert saved == {f"{cell.index:04d}.png": cell.class_id for cell in page if not cell.planted}

    async def test_a_class_that_was_merged_meanwhile_has_the_name_that_is_saved(self, project):
        async with running(project, size=(120, 40), audit=True) as app:
            await app.press_and_see("G")
            shown = app.screen._page[0].class_id
            into = (shown + 1) % 10
            project.session.classes.rename(into, "owl")
            project.session.classes.merge(shown, into)
            app.view = project.view()
            await settle(app, app.pilot)
            assert "owl" in screen_text(app)
            page = app.screen._page
            await app.press_and_see("enter")
            drawn = next(cell.index for cell in page if cell.class_id == shown and not cell.planted)
            assert project.session.label_of(drawn)[0] == into

    async def test_which_were_planted_is_told_afterwards(self, project):
        async with running(project, audit=True) as app:
            text = await app.press_and_see("G")
            page = on_the_page(project)
            for word in ("planted", "wrong"):
                assert word not in text
            text = await look_at_page(app, project, sees=False)
            planted = [cell for cell in page if cell.planted]
            assert (
                f"planted on that page: 0 of {len(planted)} seen; overlooked: {planted[0].index:04d}.png stood" in text
            )

    async def test_within_a_block_no_single_looks(self, project):
        async with running(project, audit=True) as app:
            await app.press_and_see("G")
            await app.press_and_see("enter")
            assert "1 page is left of 2 that count together" in await app.press_and_see("G")
            assert isinstance(app.screen, AuditPages)
            await app.press_and_see("E")
            assert isinstance(app.screen, QuestionScreen)
            assert "page 2 of 2" in await app.press_and_see("E")
            assert isinstance(app.screen, AuditPages)

    async def test_undo_shows_the_page_as_it_was_confirmed(self, project):
        async with running(project, audit=True) as app:
            await app.press_and_see("G")
            other = str((on_the_page(project)[0].class_id + 3) % 10)
            await app.press_and_see(other, "enter")
            text = await app.press_and_see("backspace")
            assert "page 1 of 2" in text
            assert "1 marked" in text
            assert "page 2 of 2" in await app.press_and_see("ctrl+y")
            assert "page 1 of 2" in await app.press_and_see("backspace")
            assert "nothing of this audit is left" in await app.press_and_see("backspace")

    async def test_a_key_from_before_the_page_was_there_confirms_nothing(self, project):
        async with running(project, audit=True) as app:
            assert "before this page was there" in await app.press_and_see("G", "enter", "enter")
        assert project.journal.events[-1].kind == "audit_block"

    async def test_a_restart_goes_on_at_the_page(self, project):
        async with running(project, audit=True) as app:
            await app.press_and_see("G")
            await app.press_and_see("enter")
        page = on_the_page(project)
        async with running(project, audit=True) as app:
            assert isinstance(app.screen, AuditPages)
            assert on_the_page(project) == page

    @pytest.mark.parametrize(("key", "words"), [("space", "leaves none out"), ("I", "blind")])
    async def test_keys_that_would_bias_say_why_not(self, project, key, words):
        async with running(project, audit=True) as app:
            assert words in await app.press_and_see("G", key)
        assert project.journal.events[-1].kind == "audit_block"

    async def test_nothing_is_confirmed_unseen_in_a_smaller_terminal(self, project):
        async with running(project, audit=True) as app:
            await app.press_and_see("G")
            await app.pilot.resize_terminal(60, 16)
            await settle(app, app.pilot)
            assert "the rest of this page" in await app.press_and_see("enter")
            assert project.journal.events[-1].kind == "audit_block"
            for _ in range(3):
                await app.press_and_see("enter")
            assert project.journal.events[-1].kind == "audit_page"

    async def test_the_folder_may_be_the_class(self):
        ids = [f"secret{index % 10}/{index:04d}.png" for index in range(400)]
        project = FakeProject(n_classes_known=10, ids=ids)
        for index in range(10):
            project.session.label(ids[index], index)
        begun(project)
        async with running(project, audit=True) as app:
            assert "secret" not in await app.press_and_see("G")

    async def test_without_answers_to_plant_it_says_so(self):
        project = begun(FakeProject(n_classes_known=10))
        async with running(project, audit=True) as app:
            assert "too few pictures were answered" in await app.press_and_see("G")
            assert "too few pictures were answered" in await app.press_and_see("enter")
            await app.press_and_see("G")
            assert isinstance(app.screen, AuditScreen)

    async def test_not_saved_keeps_the_page(self, project):
        async with running(project, audit=True) as app:
            await app.press_and_see("G")
            project.journal.full = True
            assert "NOT saved" in await app.press_and_see("enter")
            project.journal.full = False
            await app.press_and_see("enter")
        assert project.journal.events[-1].kind == "audit_page"

    async def test_a_click_moves_the_cursor(self, project):
        async with running(project, audit=True) as app:
            await app.press_and_see("G")
            await app.pilot.click("#sheet", offset=(25, 7))
            assert app.screen.cursor == 9
