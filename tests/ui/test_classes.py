"""The table of classes and the labels of a class, key by key."""

import pytest

from labeler.core.types import Provenance
from labeler.ui.forms.class_key import ClassKey
from labeler.ui.forms.class_name import NewClass, Rename, SplitName
from labeler.ui.forms.help import Help
from labeler.ui.screens.classes import ClassesScreen
from labeler.ui.screens.confirm import ConfirmScreen
from labeler.ui.screens.question import QuestionScreen
from labeler.ui.screens.representatives import ContactSheet
from labeler.ui.screens.split import SplitScreen
from tests.ui.support import FakeProject, running, screen_text, settle
from tests.ui.test_screens import DANGEROUS, HOSTILE, lines

SIZES = [(80, 24), (120, 40)]


@pytest.fixture
def project() -> FakeProject:
    return FakeProject(classes=("cat", "dog", "cow"), n_classes_known=3)


def classes(project) -> list[tuple[str, str, int]]:
    return [(row.info.name, row.info.key, row.given) for row in project.view().classes]


def retired(project) -> list[str]:
    return [row.info.name for row in project.view().retired]


def kinds(project) -> list[str]:
    return [event.kind for event in project.journal.events if not event.payload.get("setup")]


def row_of(text: str, name: str) -> str:
    return next(line for line in text.splitlines()[3:] if f" {name} " in line)


class TestOpening:
    @pytest.mark.parametrize("place", [[], ["R"], ["G"], ["M"]])
    async def test_c_opens_it_from_every_label_screen_and_leads_back_to_the_same_picture(self, project, place):
        async with running(project) as app:
            await app.press_and_see("1", *place)
            under, target = app.screen, app.screen.target()
            text = await app.press_and_see("C")
            assert isinstance(app.screen, ClassesScreen)
            assert "3 to answer with" in text
            await app.press_and_see("C")
            assert app.screen is under
            assert under.target() == target

    async def test_without_classes_it_says_what_to_press(self):
        project = FakeProject(classes=())
        async with running(project) as app:
            text = await app.press_and_see("enter", "C")
            assert "no classes yet: N adds the first" in text
            for key in ("enter", "K", "M", "S", "X"):
                assert "N adds the first" in (await app.press_and_see(key)).splitlines()[-2]
            await app.press_and_see("N", *"hen", "enter")
            assert classes(project) == [("hen", "1", 0)]

    async def test_before_the_first_picture_its_keys_work_all_the_same(self):
        project = FakeProject(classes=("cat", "dog"), with_round=False)
        async with running(project) as app:
            text = await app.press_and_see("C", "2", "X")
            assert retired(project) == ["dog"]
            assert "ignored" not in text

    async def test_counts_and_examples(self, project):
        async with running(project) as app:
            text = await app.press_and_see("1", "1", "2", "C")
            assert row_of(text, "cat").split()[:4] == ["▸", "1", "cat", "2"]
            assert row_of(text, "dog").split()[:4] == ["2", "dog", "1", "0"]
            assert text.splitlines()[19].split()[:3] == ["human", "human", "propagated"]


class TestMoving:
    async def test_arrows_and_class_keys_choose_and_answer_nothing(self, project):
        async with running(project) as app:
            await app.press_and_see("C")
            for key, name in (
                ("down", "dog"),
                ("3", "cow"),
                ("down", "cow"),
                ("up", "dog"),
                ("1", "cat"),
                ("up", "cat"),
            ):
                assert row_of(await app.press_and_see(key), name).lstrip().startswith("▸")
            for key in ("pagedown", "pageup"):
                await app.press_and_see(key)
            assert kinds(project) == []
            assert "no class has the key 9" in await app.press_and_see("9")

    async def test_more_classes_than_rows_turn_pages(self):
        project = FakeProject(classes=tuple(f"sort {number}" for number in range(30)))
        async with running(project) as app:
            assert "page 1 of 3" in await app.press_and_see("C")
            text = await app.press_and_see("pagedown")
            assert "page 2 of 3" in text
            assert "sort 1 " not in text
            await app.press_and_see("pagedown", "pagedown", "down")
            assert app.screen.cursor == 29

    async def test_a_class_without_a_key_is_typed(self):
        project = FakeProject(classes=tuple(f"sort {number}" for number in range(40)))
        async with running(project) as app:
            assert "goes to sort 38" in await app.press_and_see("C", *"sort38")
            await app.press_and_see("enter")
            assert app.screen.rows[app.screen.cursor].info.name == "sort 38"
            assert app.screen.typed == ""
            assert kinds(project) == []

    async def test_the_mouse_chooses_a_row(self, project):
        async with running(project) as app:
            await app.press_and_see("C")
            await app.pilot.click("#class-table", offset=(10, 2))
            await settle(app, app.pilot)
            assert app.screen.rows[app.screen.cursor].info.name == "dog"

    @pytest.mark.parametrize("key", ["G", "R", "T", "z"])
    async def test_a_key_that_does_nothing_here_says_so(self, project, key):
        async with running(project) as app:
            await app.press_and_see("C")
            assert len((await app.press_and_see(key)).splitlines()[-2].strip()) > 10
            assert isinstance(app.screen, ClassesScreen)


class TestAddAndRename:
    async def test_n_adds_a_class_and_goes_to_it(self, project):
        async with running(project) as app:
            text = await app.press_and_see("C", "N", *"hen")
            assert isinstance(app.screen, NewClass)
            assert "hen gets the key 4" in text
            assert "⏎ adds it  " in text
            text = await app.press_and_see("enter")
            assert row_of(text, "hen").lstrip().startswith("▸")
            assert kinds(project) == ["class_add"]
            assert "✓ saved class hen" in text

    async def test_enter_renames_and_the_legend_follows(self, project):
        async with running(project) as app:
            text = await app.press_and_see("1", "C", "enter")
            assert isinstance(app.screen, Rename)
            await app.press_and_see(*["backspace"] * 3, *"kitten")
            assert "its key and its labels stay" in screen_text(app)
            text = await app.press_and_see("enter")
            assert classes(project)[0] == ("kitten", "1", 1)
            assert "✓ saved name kitten" in text
            assert "1 kitten" in await app.press_and_see("C")
            text = await app.press_and_see("backspace")
            assert "↶ taken back name cat" in text
            assert classes(project)[0] == ("cat", "1", 1)

    async def test_the_old_name_or_nothing_changes_nothing(self, project):
        async with running(project) as app:
            await app.press_and_see("C", "enter", "enter", "enter", *["backspace"] * 3, "enter", "enter", "escape")
            assert kinds(project) == []

    async def test_a_name_that_is_taken_is_refused_in_one_line(self, project):
        async with running(project) as app:
            text = await app.press_and_see("C", "enter", *["backspace"] * 3, *"dog")
            assert "another class is called so" in text
            assert "there is a class 'dog' already" in await app.press_and_see("enter")
            assert classes(project)[0][0] == "cat"


class TestKey:
    async def test_a_free_key_is_taken_at_once(self, project):
        async with running(project) as app:
            await app.press_and_see("C", "2", "K")
            assert isinstance(app.screen, ClassKey)
            assert "✓ saved key of dog" in await app.press_and_see("d")
            assert classes(project) == [("cat", "1", 0), ("dog", "d", 0), ("cow", "3", 0)]
            await app.press_and_see("C", "d")
            assert project.labels() == [(0, "dog")]

    async def test_a_key_of_another_class_is_swapped_on_enter(self, project):
        async with running(project) as app:
            text = await app.press_and_see("C", "K", "2")
            assert "2 is the key of dog; it gets 1 instead" in text
            assert kinds(project) == []
            text = await app.press_and_see("enter")
            assert classes(project) == [("cat", "2", 0), ("dog", "1", 0), ("cow", "3", 0)]
            await app.press_and_see("ctrl+z")
            assert classes(project) == [("cat", "1", 0), ("dog", "2", 0), ("cow", "3", 0)]
            await app.press_and_see("ctrl+y")
            assert classes(project)[0][1] == "2"

    async def test_a_small_command_is_asked_about_and_its_own_key_changes_nothing(self, project):
        async with running(project) as app:
            assert "x is a command" in await app.press_and_see("C", "K", "x")
            await app.press_and_see("escape", "K", "1")
            assert kinds(project) == []
            await app.press_and_see("K", "x", "enter")
            assert classes(project)[0][1] == "x"

    @pytest.mark.parametrize("key", ["A", "?", "space", "up"])
    async def test_what_is_no_key_is_refused(self, project, key):
        async with running(project) as app:
            assert "only a digit or a small letter" in await app.press_and_see("C", "K", key)
            await app.press_and_see("enter")
            assert kinds(project) == []

    async def test_the_digit_row_of_azerty(self, project):
        async with running(project, keys="azerty") as app:
            await app.press_and_see("C", "K", "à")
            assert classes(project)[0][1] == "0"


class TestRetire:
    async def test_x_takes_it_out_of_use_and_brings_it_back(self, project):
        async with running(project) as app:
            text = await app.press_and_see("1", "C", "X")
            assert "· cat · retired" in text
            assert "2 to answer with, 1 retired" in text
            assert classes(project) == [("dog", "2", 0), ("cow", "3", 0)]
            for key, said in (("K", "X brings it back"), ("S", "X brings it back")):
                assert said in await app.press_and_see(key)
            text = await app.press_and_see("C")
            assert "1 cat" not in text
            assert "no class has the key 1" in await app.press_and_see("1")
            await app.press_and_see("C", "down", "down", "X")
            assert classes(project)[0] == ("cat", "1", 1)
            assert kinds(project) == ["label", "class_retire", "class_restore"]

    async def test_its_guess_is_offered_to_nobody_any_more(self, project):
        async with running(project) as app:
            assert app.screen.guess() == 0
            await app.press_and_see("C", "X", "C")
            assert app.screen.guess() == 1
            await app.press_and_see("enter")
            assert project.labels() == [(0, "dog")]

    async def test_a_given_label_keeps_its_name_on_the_sheet(self, project):
        async with running(project) as app:
            await app.press_and_see("1", "C", "X", "C", "R")
            assert isinstance(app.screen, ContactSheet)
            assert "✓ cat" in screen_text(app)


class TestMerge:
    async def test_asks_which_says_how_many_and_a_second_key_confirms(self, project):
        async with running(project) as app:
            await app.press_and_see("1", "1", "2", "C")
            text = await app.press_and_see("M")
            assert "merge cat (2 labels) into which class?" in text
            assert "choose the class it goes into" in await app.press_and_see("enter")
            text = await app.press_and_see("3")
            assert "merge cat into cow?   ⏎ gives it 2 labels" in text
            assert row_of(text, "cat").lstrip().startswith("→")
            assert kinds(project) == ["label"] * 3
            text = await app.press_and_see("enter")
            assert classes(project) == [("dog", "2", 1), ("cow", "3", 2)]
            assert "✓ saved merged into cow" in text
            assert row_of(text, "cow").lstrip().startswith("▸")
            await app.press_and_see("backspace")
            assert classes(project) == [("cat", "1", 2), ("dog", "2", 1), ("cow", "3", 0)]

    async def test_m_again_leaves_it_and_so_does_every_other_command(self, project):
        async with running(project) as app:
            await app.press_and_see("C", "M", "down")
            assert "into" not in (await app.press_and_see("M")).splitlines()[1]
            await app.press_and_see("M", "down", "K", "escape")
            assert "into" not in screen_text(app).splitlines()[1]
            assert kinds(project) == []

    async def test_the_arrows_choose_too_and_a_retired_class_may_go(self, project):
        async with running(project) as app:
            await app.press_and_see("1", "C", "X", "M", "up", "enter")
            assert classes(project) == [("dog", "2", 0), ("cow", "3", 1)]
            assert retired(project) == []

    async def test_alone_there_is_nothing_to_merge_into(self):
        project = FakeProject(classes=("cat",))
        async with running(project) as app:
            assert "no other class" in await app.press_and_see("C", "M")


class TestSplit:
    async def open(self, app, *before):
        return await app.press_and_see("1", "1", "1", "2", *before, "C", "S")

    async def test_marked_labels_go_to_the_new_class_and_one_undo_takes_it_back(self, project):
        async with running(project) as app:
            text = await self.open(app)
            assert isinstance(app.screen, SplitScreen)
            assert "split cat   X marks what goes to a new class" in text
            assert len(app.screen.shown()) == 3
            assert "→ new" in await app.press_and_see("X", "right", "x")
            text = await app.press_and_see("enter", *"kitten")
            assert isinstance(app.screen, SplitName)
            assert "⏎ moves 2 labels to it" in text
            text = await app.press_and_see("enter")
            assert "2 labels are kitten now: S leads back to the classes" in text
            assert classes(project) == [("cat", "1", 1), ("dog", "2", 1), ("cow", "3", 0), ("kitten", "4", 2)]
            assert kinds(project)[-1] == "class_split"
            await app.press_and_see("backspace")
            assert classes(project) == [("cat", "1", 3), ("dog", "2", 1), ("cow", "3", 0)]
            assert len(app.screen.shown()) == 3
            await app.press_and_see("ctrl+y")
            text = await app.press_and_see("S")
            assert isinstance(app.screen, ClassesScreen)
            assert row_of(text, "kitten").lstrip().startswith("▸")

    async def test_space_marks_too_and_a_second_time_takes_the_mark_away(self, project):
        async with running(project) as app:
            await self.open(app)
            assert "1 marked" in await app.press_and_see("space")
            assert "marked" not in (await app.press_and_see("space")).splitlines()[1]
            assert "mark at least one picture first" in await app.press_and_see("enter")
            assert kinds(project) == ["label"] * 4

    async def test_labels_keep_their_provenance(self, project):
        async with running(project) as app:
            await app.press_and_see("G")
            await app.press_and_see("enter")
            await app.press_and_see("C", "2", "S", "X", "enter", *"pup", "enter")
            moved = [s for s in project.session.state.answers.values() if s.class_id == 3]
            assert [standing.provenance for standing in moved] == [Provenance.CONFIRMED]

    async def test_left_by_s_or_escape_nothing_has_happened(self, project):
        async with running(project) as app:
            await self.open(app)
            await app.press_and_see("X", "enter", *"kit", "escape")
            assert isinstance(app.screen, SplitScreen)
            assert "1 marked" in screen_text(app)
            await app.press_and_see("S", "C")
            assert isinstance(app.screen, QuestionScreen)
            assert kinds(project) == ["label"] * 4

    async def test_a_class_key_answers_nothing_here(self, project):
        async with running(project) as app:
            await self.open(app)
            assert "nothing is answered here" in await app.press_and_see("2")
            for key in ("U", "R"):
                await app.press_and_see(key)
            assert kinds(project) == ["label"] * 4

    async def test_one_label_cannot_be_split(self, project):
        async with running(project) as app:
            assert "nothing to split" in await app.press_and_see("1", "C", "S")
            assert isinstance(app.screen, ClassesScreen)

    async def test_moving_and_pages(self):
        project = FakeProject(classes=("cat", "dog"))
        async with running(project, size=(60, 16)) as app:
            for index in range(40):
                project.session.label(project.session.pool.ids[index], 0)
            app.view = project.view()
            text = await app.press_and_see("C", "S")
            assert "page 1 of" in text
            for key, place in (("right", 1), ("left", 0), ("left", 0), ("up", 0)):
                await app.press_and_see(key)
                assert app.screen.cursor == place
            await app.press_and_see("pagedown", "X")
            assert app.screen.cursor == app.screen.grid.layout_now.page
            target = app.screen.target()
            await app.pilot.resize_terminal(120, 40)
            await settle(app, app.pilot)
            assert app.screen.target() == target
            assert "1 marked" in screen_text(app)

    async def test_undo_beyond_the_split_takes_labels_off_the_screen(self, project):
        async with running(project) as app:
            await self.open(app)
            for left in (3, 2, 1, 0):
                text = await app.press_and_see("backspace")
                assert len(app.screen.shown()) == left
            assert "S leads back to the classes" in text
            assert "S leads back" in await app.press_and_see("X")


class TestOtherScreensFollow:
    async def test_a_page_of_a_class_that_went_is_not_confirmed(self, project):
        async with running(project) as app:
            assert "are these all dog?" in await app.press_and_see("G")
            await app.press_and_see("right", "1")
            asked = len(project.wanted)
            text = await app.press_and_see("C", "2", "M", "3", "enter", "C")
            assert isinstance(app.screen, ConfirmScreen)
            assert "are these all cow?" in text
            assert "→ cat" in text
            assert len(project.wanted) == asked
            await app.press_and_see("C", "3", "X", "C")
            assert len(project.wanted) == asked + 1

    async def test_the_focus_of_the_sheet_takes_another_guess(self, project):
        async with running(project) as app:
            assert "cat?" in await app.press_and_see("R")
            text = await app.press_and_see("C", "1", "M", "2", "enter", "C")
            assert "cat?" not in text
            await app.press_and_see("enter")
            assert project.labels() == [(0, "dog")]

    async def test_a_merged_guess_is_the_other_class(self, project):
        async with running(project) as app:
            await app.press_and_see("C", "M", "2", "enter", "C")
            assert app.screen.guess() == 1
            await app.press_and_see("enter")
            assert project.labels() == [(0, "dog")]


class TestAsText:
    async def test_80x24_and_after_a_resize(self, project):
        async with running(project, size=(120, 40)) as app:
            await app.press_and_see("1", "2", "C", "3", "X", "1", "M", "2")
            await app.pilot.resize_terminal(80, 24)
            await settle(app, app.pilot)
            shown = lines(app)
        assert shown[1] == " merge cat into dog?   ⏎ gives it 1 label   M leaves it"
        assert shown[2] == "  key class                   human  confirmed   imported propagated  predicted"
        assert shown[3] == " →  1 cat                         1          0          0         79         80"
        assert shown[4] == " ▸  2 dog                         1          0          0         59         60"
        assert shown[5] == "    · cow · retired               0          0          0          0          0"
        assert shown[13] == " for example"
        assert shown[20].startswith(" dog · key 2 · 1 label given ")
        assert shown[20].endswith("✓ saved cow retired")
        assert shown[23] == " ⏎ rename  K key  M merge  S split  X retire  N add  C back  ? help  Q quit"

    async def test_120x40(self, project):
        async with running(project, size=(120, 40)) as app:
            await app.press_and_see("1", "2", "C")
            shown = lines(app)
        assert shown[1] == " classes  3 to answer with   ↑ ↓ or the key of a class"
        assert shown[3].split() == ["▸", "1", "cat", "1", "0", "0", "79", "80"]
        assert shown[39].endswith("N add  C back  ⌫ undo  ? help  Q quit")

    async def test_60x16_and_too_small(self, project):
        async with running(project, size=(60, 16)) as app:
            shown = await app.press_and_see("1", "C")
            assert row_of(shown, "cat").split() == ["▸", "1", "cat", "1", "0", "0", "79", "80"]
            await app.pilot.resize_terminal(50, 10)
            await settle(app, app.pilot)
            assert "too small" in screen_text(app)
            await app.press_and_see("X")
            assert kinds(project) == ["label"]

    async def test_the_split_at_80x24(self, project):
        async with running(project) as app:
            await app.press_and_see("1", "1", "2", "C", "S", "X")
            shown = lines(app)
        assert shown[1] == " split cat   1 marked   ⏎ names their class"
        assert "→ new" in "\n".join(shown)
        assert shown[20].startswith(" 0000.png · human ")
        assert shown[23] == " X mark  ⏎ name  S back  ⌫ undo  ? help  Q quit"

    @pytest.mark.parametrize("place", [["C"], ["1", "1", "C", "S"]])
    async def test_help_lists_their_keys(self, project, place):
        async with running(project, size=(80, 40)) as app:
            await app.press_and_see(*place)
            under = app.screen
            text = await app.press_and_see("?")
            assert isinstance(app.screen, Help)
            assert "back to" in text
            assert "take the last answer back" in text
            assert "give the picture the class" not in text
            await app.press_and_see("?")
            assert app.screen is under


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_names(size):
    names = tuple(name.removesuffix(".png")[:180].strip() for name in HOSTILE)
    project = FakeProject(
        classes=names, n_classes_known=len(names), ids=HOSTILE + [f"{n}.png" for n in range(40)], n=50
    )
    async with running(project, size=size) as app:
        steps = [["1", "1", "C"], ["S"], ["X", "enter"], ["escape", "S"], ["K", "2"], ["escape"], ["enter"], ["escape"]]
        steps += [["M"], ["3"], ["enter"], ["X"], ["backspace"], ["N", *"zz"], ["escape"], ["?"], ["?"], ["C"]]
        for keys in steps:
            assert not DANGEROUS.search(await app.press_and_see(*keys))
        for count in project.view().classes:
            assert not DANGEROUS.search(await app.press_and_see("C", count.info.key, "C"))
        assert not app._exit


async def test_what_could_not_be_saved_is_kept_and_tried_again(project):
    async with running(project) as app:
        await app.press_and_see("C")
        project.journal.full = True
        assert "NOT saved" in await app.press_and_see("X")
        assert retired(project) == []
        project.journal.full = False
        await app.press_and_see("enter")
        assert retired(project) == ["cat"]


@pytest.mark.parametrize("key", ["Q", "ctrl+q"])
async def test_quit(project, key):
    async with running(project) as app:
        await app.press_and_see("C")
        from textual import events

        app.post_message(events.Key(key, key if len(key) == 1 else None))
        for _ in range(100):
            await app.pilot.pause(0.01)
            if app._exit:
                break
        assert app._exit
