"""The question screen, key by key."""

import asyncio
import signal
from dataclasses import fields, replace

import numpy as np
import pytest
from textual import events

from labeler.core.types import Progress, Queue
from labeler.session.quality.turns import FIRST, Blind, Control, Repeats
from labeler.ui.app import LabelerApp
from labeler.ui.screens.question import QuestionScreen
from labeler.ui.widgets.picture import Neighbors
from tests.ui.places import disagree
from tests.ui.support import FakeProject, Received, digit, running, screen_text, settle

ARRAYS_OF_A_QUEUE = [field.name for field in fields(Queue) if field.name != "rule_names"]


def guessed(app) -> str | None:
    """The name of the marked guess."""
    class_id = app.screen.guess()
    return None if class_id is None else app.project.session.state.classes[class_id].name


def kinds(project: FakeProject) -> list[str]:
    return [event.kind for event in project.journal.events if event.kind != "class_add"]


class TestAnswers:
    async def test_a_class_key_labels_saves_and_goes_on(self, project):
        async with running(project) as app:
            for count, key in enumerate("9081726354"):
                text = await app.press_and_see(key)
                assert project.labels()[count:] == [(count, key)]
                assert f"✓ saved {key} · {count:04d}.png" in text
                assert f" {count + 1:04d}.png" in text
                assert f" {count + 1} answer" in text
                assert project.sent == count + 1

    async def test_the_event_says_how_the_question_was_asked(self, project):
        async with running(project) as app:
            await app.press_and_see("4")
            assert project.journal.events[-1].payload["screen"] == "question"
            assert project.journal.events[-1].payload["rule"] == "representative"

    async def test_accept_takes_the_marked_guess(self):
        project = FakeProject(n_classes_known=10)
        async with running(project) as app:
            for key in ("enter", "A", "a"):
                at = app.screen.target().index
                await app.press_and_see(key)
                await app.press_and_see("down", key)
                await app.press_and_see("up", key)  # upwards from the first: the last
                named = [name for _, name in project.labels()[-3:]]
                assert named == [str(at % 10), str((at + 2) % 10), str((at + 4) % 10)]

    @pytest.mark.parametrize(
        ("keys", "kind", "said"),
        [
            (["space"], "skip", "skipped"),
            (["U", "u"], "unsure", "unsure"),
            (["X", "x"], "reject", "rejected"),
        ],
    )
    async def test_other_answers(self, project, keys, kind, said):
        async with running(project) as app:
            for key in keys:
                assert f"✓ saved {said}" in await app.press_and_see(key)
            assert kinds(project) == [kind] * len(keys)

    @pytest.mark.parametrize("key", ["F", "f"])
    async def test_a_flag_answers_nothing(self, project, key):
        async with running(project) as app:
            text = await app.press_and_see(key)
            assert "⚑ flagged" in text
            assert "0000.png" in text
            assert "⚑" not in await app.press_and_see(key)

    @pytest.mark.parametrize("key", ["backspace", "ctrl+z", "ctrl+h"])
    async def test_undo_shows_the_question_again_and_redo_brings_it_back(self, project, key):
        async with running(project) as app:
            await app.press_and_see("1", "2")
            text = await app.press_and_see(key)
            assert "↶ taken back 2 · 0001.png" in text
            assert app.screen.target().index == 1
            assert "nothing to undo" in await app.press_and_see(key, key)
            text = await app.press_and_see("ctrl+y", "ctrl+y")
            assert "↷ back again 2" in text
            assert "nothing to redo" in await app.press_and_see("ctrl+y")
            assert "2 answers" in text

    async def test_small_command_letters_answer_once_a_class_owns_them(self):
        project = FakeProject(classes=("a", "x"))
        async with running(project) as app:
            await app.press_and_see("x", "a")
            assert project.labels() == [(0, "x"), (1, "a")]


class TestRefusals:
    async def test_a_key_that_does_nothing_says_why(self, project):
        async with running(project) as app:
            for key, why in (
                ("q", "Q quits"),
                ("w", "no class has the key w"),
                ("Z", "no command has the key Z"),
                ("left", "V zooms"),
                ("é", "--keys azerty"),
                ("ctrl+s", "already saved"),
                ("enter", "there is no guess to accept yet"),
            ):
                assert why in await app.press_and_see(key)
            assert kinds(project) == []

    async def test_three_lost_capitals(self, project):
        async with running(project) as app:
            assert "Caps Lock?" in await app.press_and_see("B", "J", "Z")

    async def test_what_was_said_goes_with_the_next_answer(self, project):
        async with running(project) as app:
            await app.press_and_see("w")
            assert "no class has" not in await app.press_and_see("1")

    async def test_azerty_keys_answer_where_asked_for(self, project):
        async with running(project, keys="azerty") as app:
            await app.press_and_see("é", "à", "&")
            assert [name for _, name in project.labels()] == ["2", "0", "1"]


class TestNothingToAsk:
    async def test_before_the_first_question_the_screen_says_what_is_done(self):
        project = FakeProject(with_round=False)
        async with running(project) as app:
            assert "preparing the first question" in screen_text(app)
            project.post(Received(progress=Progress("encoding", 120, 400)))
            await app.pilot.pause(0.3)
            text = screen_text(app)
            assert "encoding: 120 of 400" in text
            assert "30 %" in text
            assert "no question yet" in await app.press_and_see("1") or "ignored" in screen_text(app)
            project.post("round")
            await settle(app, app.pilot)
            assert "0000.png" in screen_text(app)
            await app.press_and_see("1")
            assert project.labels() == [(0, "1")]

    async def test_keys_from_before_the_first_picture_are_no_answers(self):
        project = FakeProject(with_round=False)
        async with running(project) as app:
            text = await app.press_and_see("1", "2", "space", "backspace")
            assert "4 keys pressed before the first picture was there: ignored" in text
            assert kinds(project) == []

    async def test_when_all_is_answered_it_says_so(self):
        project = FakeProject(n=3, n_clusters=3)
        async with running(project) as app:
            text = await app.press_and_see("1", "1", "1")
            assert "nothing is left to ask" in text
            assert "nothing is left to ask: " in await app.press_and_see("2")
            assert len(project.labels()) == 3
            assert "0002.png" in await app.press_and_see("backspace")

    async def test_a_worker_that_fails_is_said_and_stays_said(self, project):
        async with running(project) as app:
            project.post(Received(note="the engine stopped: answers are still saved", failed=True))
            await app.pilot.pause(0.1)
            assert "the engine stopped" in screen_text(app)
            assert "the engine stopped" in await app.press_and_see("1")

    async def test_an_offer_is_one_line(self, project):
        async with running(project) as app:
            assert "go on answering: the next 20 keys help most" in screen_text(app).splitlines()[-2]

    async def test_a_note_stands_until_the_next_key(self, project):
        async with running(project) as app:
            project.post(Received(changed=True, note="encoder hog: the pictures are ink"))
            await app.pilot.pause(0.1)
            assert "encoder hog: the pictures are ink" in screen_text(app)
            assert "go on answering" in await app.press_and_see("1")

    async def test_what_turns_out_to_be_unreadable_is_said(self, project):
        async with running(project) as app:
            project.notices.append("2 cannot be read: a.png (cut short), b.png (empty)")
            project.post(Received(changed=True, note="encoder hog"))
            await app.pilot.pause(0.1)
            assert "2 cannot be read: a.png (cut short), b.png (empty) · encoder hog" in screen_text(app)

    async def test_notices_of_the_start(self):
        project = FakeProject()
        project.notices = ["3 new instances joined the pool", "2 missing"]
        async with running(project) as app:
            assert "3 new instances joined the pool · 2 missing" in screen_text(app)


class TestPinned:
    async def test_results_never_change_the_question(self, project):
        async with running(project) as app:
            await app.press_and_see("1")
            for _ in range(5):
                project.post("round")
                await app.pilot.pause()
            assert app.screen.target().index == 1

    async def test_the_guesses_stay_while_rounds_come_and_enter_saves_none_that_is_not_held_any_more(self):
        project = FakeProject(n_classes_known=10)
        async with running(project) as app:
            await app.press_and_see("0")
            project.n_classes_known = 1  # from now on everything is a 0
            project.post("round")
            await settle(app, app.pilot)
            assert guessed(app) == "1"
            text = await app.press_and_see("enter")
            assert "the guess has changed: now 0; ⏎ again saves it" in text
            assert guessed(app) == "0"
            assert project.labels() == [(0, "0")]
            await app.press_and_see("enter")
            assert project.labels() == [(0, "0"), (1, "0")]

    async def test_a_second_enter_from_before_the_new_guess_was_there_saves_nothing(self):
        project = FakeProject(n_classes_known=10)
        async with running(project) as app:
            await app.press_and_see("1")
            project.n_classes_known = 1
            project.merge_round()  # the screen does not know yet
            text = await app.press_and_see("enter", "enter")
            assert "pressed before the new guess was there" in text
            assert project.labels() == [(0, "1")]
            await app.press_and_see("enter")
            assert project.labels() == [(0, "1"), (1, "0")]

    async def test_a_guess_that_changed_to_a_class_of_nearly_the_same_name_says_which(self):
        names = tuple(f"an unusually long name of a class, such as the one of number {number}" for number in range(10))
        project = FakeProject(classes=names, n_classes_known=10)
        async with running(project, size=(120, 40)) as app:
            await app.press_and_see("0")
            project.n_classes_known = 1
            project.post("round")
            await settle(app, app.pilot)
            before = len(project.labels())
            text = await app.press_and_see("enter")
            assert f"the guess has changed: now {names[0]}; ⏎ again saves it" in text
            assert len(project.labels()) == before

    async def test_a_guess_that_came_after_the_picture_is_shown_before_it_is_saved(self):
        project = FakeProject(n_classes_known=0)
        async with running(project) as app:
            assert "there is no guess to accept yet" in await app.press_and_see("enter")
            project.n_classes_known = 10
            project.post("round")
            await settle(app, app.pilot)
            assert "none yet" in screen_text(app)
            assert "the guess has changed: now 0" in await app.press_and_see("enter")
            assert project.labels() == []
            await app.press_and_see("enter")
            assert project.labels() == [(0, "0")]

    @pytest.mark.parametrize("there_and_back", [("G", "G"), ("R", "R"), ("I", "I"), ("D", "D"), ("?", "escape")])
    async def test_back_from_another_screen_the_guesses_are_those_of_now(self, there_and_back):
        project = FakeProject(n_classes_known=10)
        there, back = there_and_back
        async with running(project) as app:
            await app.press_and_see("7", there)
            project.n_classes_known = 1
            project.post("round")
            await settle(app, app.pilot)
            await app.press_and_see(back)
            assert guessed(app) == "0"
            await app.press_and_see("enter")
            assert project.labels() == [(0, "7"), (1, "0")]

    async def test_a_merge_elsewhere_is_in_the_guesses(self):
        project = FakeProject(n_classes_known=10)
        async with running(project) as app:
            await app.press_and_see("0", "C")
            project.session.classes.merge(1, 4)
            await app.press_and_see("C")
            assert guessed(app) == "4"
            await app.press_and_see("enter")
            assert project.labels()[-1] == (1, "4")

    async def test_two_answers_to_settle_are_named_as_the_classes_are_now(self):
        project = FakeProject(n_classes_known=10)
        disagree(project)  # 3 and 7, the later one
        project.session.classes.rename(4, "owl")
        project.session.classes.merge(7, 4)
        async with running(project, size=(120, 40)) as app:
            assert "owl bob" in screen_text(app)
            await app.press_and_see("enter")
            assert project.labels()[-1] == (5, "owl")

    async def test_a_guess_chosen_with_the_arrows_is_the_persons_own(self):
        project = FakeProject(n_classes_known=10)
        async with running(project) as app:
            await app.press_and_see("0", "down")
            project.n_classes_known = 1
            project.post("round")
            await settle(app, app.pilot)
            assert guessed(app) == "2"
            await app.press_and_see("enter")
            assert project.labels() == [(0, "0"), (1, "2")]

    async def test_a_flag_moves_no_guess(self):
        project = FakeProject(n_classes_known=10)
        async with running(project) as app:
            project.n_classes_known = 1
            project.post("round")
            await settle(app, app.pilot)
            await app.press_and_see("1", "F")
            project.n_classes_known = 10
            project.post("round")
            await app.press_and_see("F")
            assert guessed(app) == "0"

    async def test_after_an_undo_what_was_taken_back_is_not_offered(self):
        project = FakeProject(n_classes_known=0)
        async with running(project) as app:
            session = project.session
            await app.press_and_see("3")
            round_ = session.machine_labels.round
            round_.labels[0], round_.provenances[0] = 3, 1  # as an engine hands an answer back
            await app.press_and_see("backspace")
            assert app.screen.target().index == 0
            assert guessed(app) is None

    async def test_a_fall_of_what_is_labeled_is_explained_on_the_line(self):
        project = FakeProject(n_classes_known=10)
        async with running(project, size=(120, 40)) as app:
            assert "200 of 400 images labeled" in screen_text(app)
            project.n_classes_known = 0
            project.n_clusters = 60
            project.post("round")
            await settle(app, app.pilot)
            text = screen_text(app)
            assert "0 of 400 images labeled" in text
            assert "labeled fell from 200 to 0: the latest answers make it less sure of them" in text
            assert "finer clusters: 60 representatives" in text

    async def test_a_question_queued_before_the_model_knew_anything_shows_what_the_round_says(self):
        project = FakeProject(n_classes_known=10, bare_queue=True)
        async with running(project) as app:
            assert "70 % ⏎" in screen_text(app)
            await app.press_and_see("1", "enter")
            assert project.labels() == [(0, "1"), (1, "1")]

    async def test_an_instance_that_cannot_be_shown_says_so_and_can_be_skipped(self):
        def image(index: int) -> np.ndarray:
            if index == 0:
                raise ValueError("\x1b]2;pwned\x07 cut short")
            return digit(1)

        project = FakeProject(image=image)
        async with running(project) as app:
            text = screen_text(app)
            assert "cannot be shown" in text
            assert "\x1b" not in text
            await app.press_and_see("X")
            assert kinds(project) == ["reject"]

    async def test_no_answer_before_its_picture_is_there(self):
        import threading

        there = threading.Event()

        def image(index: int) -> np.ndarray:
            if index == 1:
                there.wait(20)
            return digit(1)

        project = FakeProject(image=image)
        async with running(project) as app:
            await app.pilot.press("1", "2")
            await app.pilot.pause(0.3)
            assert project.labels() == [(0, "1")]  # the second waits for its picture
            there.set()
            await settle(app, app.pilot)
            assert project.labels() == [(0, "1"), (1, "2")]


class TestSizes:
    async def test_a_resize_loses_nothing(self):
        project = FakeProject(n_classes_known=10)
        async with running(project) as app:
            await app.press_and_see("1", "down")
            for size in ((120, 40), (60, 16), (200, 60), (80, 24)):
                await app.pilot.resize_terminal(*size)
                await settle(app, app.pilot)
                text = screen_text(app)
                assert "0001.png" in text
                assert "✓ saved 1" in text
                assert all(f" {key} " in text for key in "0123456789")
            await app.press_and_see("enter")
            assert project.labels() == [(0, "1"), (1, "2")]  # the second guess was still marked

    async def test_too_small_says_so_and_takes_no_answer(self, project):
        async with running(project, size=(59, 16)) as app:
            text = await app.press_and_see("1")
            assert "too small: 59x16" in text
            assert kinds(project) == []
            await app.pilot.resize_terminal(80, 15)
            await settle(app, app.pilot)
            assert "too small: 80x15" in screen_text(app)
            await app.pilot.resize_terminal(60, 16)
            await settle(app, app.pilot)
            assert "too small" not in screen_text(app)
            await app.press_and_see("1")
            assert project.labels() == [(0, "1")]

    async def test_the_picture_is_as_large_as_whole_numbers_allow(self, project):
        async with running(project) as app:
            assert isinstance(app.screen, QuestionScreen)
            for size, rows in (((80, 24), 16), ((120, 40), 32), ((60, 16), 8)):
                await app.pilot.resize_terminal(*size)
                await settle(app, app.pilot)
                left = app.screen.picture.region.right
                lines = [line[:left] for line in screen_text(app).splitlines()]
                assert sum("▀▀▀▀▀▀▀▀" in line for line in lines) == rows

    @pytest.mark.parametrize("count", [2, 10, 26])
    async def test_every_class_is_in_the_legend_with_its_key(self, count):
        names = tuple(f"kind{number}" for number in range(count))
        project = FakeProject(classes=names)
        async with running(project, size=(60, 16)) as app:
            for size in ((60, 16), (80, 24), (120, 40), (200, 60)):
                await app.pilot.resize_terminal(*size)
                await settle(app, app.pilot)
                side = app.screen.query_one("#legend").region
                text = [line[side.x : side.right] for line in screen_text(app).splitlines()[side.y : side.bottom]]
                keys = [entry.info.key for entry in project.view().classes]
                words = " ".join(text).split()
                expected = keys if size[1] > 16 else keys[:17]
                assert all(key in words for key in expected), size


class TestLegend:
    async def test_counts_follow_the_answers(self, project):
        async with running(project, size=(120, 40)) as app:
            before = screen_text(app)
            text = await app.press_and_see("3", "3")
            assert "2 answers" in text
            line = next(line for line in text.splitlines() if line[80:].lstrip().startswith("3 "))
            assert line[80:].split()[:2] == ["3", "2"]
            assert before != text

    async def test_without_classes_it_says_what_to_press(self):
        project = FakeProject(classes=())
        async with running(project) as app:
            assert "N adds the first" in await app.press_and_see("enter")


class TestTypeAhead:
    NAMES = tuple(f"sort{chr(97 + place // 10)}{place % 10}" for place in range(40))

    async def test_letters_narrow_and_enter_takes_the_first(self):
        project = FakeProject(classes=self.NAMES)
        async with running(project) as app:
            text = await app.press_and_see(*"sortc")
            assert "sortc0" in text
            assert "sorta" not in text
            assert "classes sortc▏" in text
            assert project.labels() == []
            await app.press_and_see("7", "enter")
            assert project.labels() == [(0, "sortc7")]
            assert app.screen.typed == ""

    async def test_backspace_takes_letters_back_before_it_undoes(self):
        project = FakeProject(classes=self.NAMES)
        async with running(project) as app:
            await app.press_and_see(*"sorta1", "enter", "s", "z")
            assert "fits no class" in screen_text(app)
            assert "no class fits sz" in await app.press_and_see("enter")
            await app.press_and_see("space", "backspace", "backspace")
            assert kinds(project) == ["label"]
            await app.press_and_see("s", "escape")
            assert app.screen.typed == ""
            await app.press_and_see("backspace")
            assert kinds(project) == ["label", "undo"]

    async def test_a_class_with_a_key_comes_first_by_its_key(self):
        project = FakeProject(classes=self.NAMES)
        async with running(project) as app:
            await app.press_and_see("1", "enter")
            assert project.labels() == [(0, "sorta0")]


class TestPath:
    async def test_y_copies_the_path_and_shows_it(self, project):
        async with running(project) as app:
            text = await app.press_and_see("1", "Y")
            assert "path copied: 0001.png" in text
            assert app.clipboard == "0001.png"
            assert len(project.labels()) == 1

    async def test_of_a_long_path_the_end_is_shown_and_all_is_copied(self):
        name = "a" * 150 + "/" + "b" * 100 + ".png"
        async with running(FakeProject(n=1, n_clusters=1, ids=[name])) as app:
            assert "bbb.png" in (await app.press_and_see("Y")).splitlines()[22]
            assert app.clipboard == name

    async def test_a_name_that_is_no_text_is_copied_as_well_as_can_be(self):
        async with running(FakeProject(n=1, n_clusters=1, ids=["caf\udce9\x1b.png"])) as app:
            text = await app.press_and_see("Y")
            assert "\x1b" not in text
            assert app.clipboard == "caf\ufffd\x1b.png"

    async def test_without_a_picture_it_says_so(self):
        async with running(FakeProject(with_round=False)) as app:
            assert "no question yet" in await app.press_and_see("Y")


class TestPace:
    async def test_a_wide_header_says_how_long_it_takes_at_the_own_pace(self, project):
        async with running(project, size=(120, 40)) as app:
            assert "representative" not in (await app.press_and_see(*"0123")).splitlines()[0]
            header = (await app.press_and_see("4")).splitlines()[0]  # the clock of the tests gives a second an answer
            assert "to the last representative" in header

    async def test_a_narrow_one_has_no_room(self, project):
        async with running(project) as app:
            assert "representative" not in (await app.press_and_see(*"01234")).splitlines()[0]


async def test_keys_are_counted_as_they_are_pressed(project):
    async with running(project) as app:
        await app.press_and_see("1", "down", "down", "2", "backspace")
        assert [event.payload["keys"] for event in project.journal.events[-3:]] == [1, 3, 1]
        assert app.view.keys == 5


async def test_asked_to_end_from_outside_it_leaves_as_with_q(project):
    async with running(project) as app:
        await app.press_and_see("1")
        app._terminated(signal.SIGTERM)
        await app.pilot.pause()
        assert app._exit
        assert app.return_code == 143
        assert len(project.labels()) == 1


class TestConflicts:
    """Merged journals: two people said different things of one picture."""

    @pytest.mark.parametrize("size", [(80, 24), (120, 40)])
    async def test_both_answers_are_shown_and_one_key_settles_it(self, project, size):
        disagree(project)
        async with running(project, size) as app:
            text = screen_text(app)
            assert app.screen.target().index == 5
            assert "two answers: settle it" in text
            lines = [line for line in text.splitlines() if " anna" in line or " bob" in line]
            assert [("7 bob" in line, "⏎" in line) for line in lines] == [(True, True), (False, False)]
            text = await app.press_and_see("down", "enter")
            assert "✓ saved 3 · 0005.png" in text
            assert "two answers" not in text
            assert project.journal.events[-1].payload["rule"] == "conflict"
            text = await app.press_and_see("backspace")
            assert "two answers: settle it" in text

    async def test_another_class_or_later_are_answers_too(self, project):
        disagree(project)
        async with running(project) as app:
            text = await app.press_and_see("space")
            assert "two answers" not in text
            assert project.session.label_of(5)[0] == 7  # the later answer stands meanwhile
            await app.press_and_see("backspace")
            await app.press_and_see("2")
            assert project.labels()[-1] == (5, "2")

    async def test_hostile_names_change_nothing_but_the_text(self, project):
        disagree(project, ("[/x]", "\x1b[2J"))
        async with running(project) as app:
            text = screen_text(app)
            assert "[/x]" in text
            assert "\x1b" not in text


async def test_a_random_question_shows_no_guess_and_no_labeled_neighbors(monkeypatch):
    project = FakeProject(n_classes_known=10)
    session = project.session
    async with running(project, (120, 40)) as app:
        monkeypatch.setattr("labeler.session.quality.turns.FIRST", 2)
        assert "none shown" not in await app.press_and_see("1")
        session.questions.control = Control(1.0, 0)
        text = await app.press_and_see("1")
        assert session.question.rule == "random"
        assert "none shown: random" in text
        assert "%" not in app.screen.query_one("#guesses").render_line(1).text
        at = session.question.index
        await app.press_and_see("3")
        assert project.journal.events[-1].payload["machine"] == at % 10


async def test_a_blind_question_keeps_its_guesses_to_itself_and_enter_accepts_none():
    project = FakeProject(n_classes_known=10)
    session = project.session
    for index in range(FIRST):
        session.label(session.question.instance_id, index % 10)
    session.questions.blind = Blind(1.0)
    async with running(project, (120, 40)) as app:
        text = await app.press_and_see("1")
        assert session.question.guesses
        assert "none shown: blind" in text
        assert "%" not in app.screen.query_one("#guesses").render_line(1).text
        before = len(project.journal.events)
        assert "no guess to accept" in await app.press_and_see("enter")
        assert len(project.journal.events) == before
        await app.press_and_see("3")
        how = project.journal.events[-1].payload
        assert how["blind"]
        assert how["hidden"]
        assert "shown" not in how


class TestRepeats:
    """A hidden repeat looks like any question; what is pressed on it changes nothing of the first answer."""

    @pytest.fixture
    def repeating(self) -> FakeProject:
        project = FakeProject(n_classes_known=10)
        session = project.session
        for index in range(30):
            session.label(session.question.instance_id, index % 10)
        session.questions.repeats = Repeats(1.0)
        return project

    async def test_it_is_drawn_as_it_was_asked(self, repeating):
        session = repeating.session
        async with running(repeating, (120, 40)) as app:
            text = await app.press_and_see("1")
            question = session.question
            assert question.first
            assert question.instance_id in text
            assert f"is {question.index % 10} now" not in text
            first = session.state.event(question.first).payload["shown"]
            guesses = app.screen.query_one("#guesses")
            for line, (class_id, score) in enumerate(first, start=1):
                drawn = guesses.render_line(line).text
                assert drawn.split()[0] == str(class_id)
                assert f"{100 * score:.0f} %" in drawn

    @pytest.mark.parametrize(("key", "said"), [("7", "label"), ("space", "skip"), ("U", "unsure"), ("X", "reject")])
    async def test_every_answer_is_a_second_one_and_comes_back_with_undo(self, repeating, key, said):
        session = repeating.session
        async with running(repeating) as app:
            await app.press_and_see("1")
            question, before = session.question, session.label_of(session.question.index)
            await app.press_and_see(key)
            event = repeating.journal.events[-1]
            assert (event.kind, event.payload["said"]) == ("repeat", said)
            assert session.label_of(question.index) == before
            assert session.question.index != question.index
            await app.press_and_see("backspace")
            assert session.question == question
            assert question.instance_id in screen_text(app)

    async def test_a_flag_and_a_search_are_what_they_always_are(self, repeating):
        session = repeating.session
        async with running(repeating) as app:
            await app.press_and_see("1", "F")
            question = session.question
            assert question.index in session.state.flagged
            await app.press_and_see("/", *question.instance_id, "enter", "9")
            assert repeating.journal.events[-1].kind == "label"
            assert session.label_of(question.index)[0] == 9

    async def test_an_answer_that_differs_is_offered_for_a_second_look(self, repeating):
        session = repeating.session
        async with running(repeating) as app:
            await app.press_and_see("1")
            index = session.question.index
            text = await app.press_and_see(str((index + 1) % 10))
            assert "1 answer looks odd: S looks at it again" in text
            text = await app.press_and_see("S")
            assert f"you said  {index % 10}" in text
            assert f"then, anew  {(index + 1) % 10}" in text
            await app.press_and_see("X")
            assert session.label_of(index)[0] == (index + 1) % 10
            assert repeating.journal.events[-1].payload["rule"] == "repeat"


async def test_a_picture_that_a_resize_finds_before_it_is_announced_counts_as_painted(project):
    async with running(project) as app:
        await app.press_and_see("9")
        screen = app.screen
        screen.painted.clear()
        before = app.line.paints
        screen.picture.on_resize()  # finds the drawing in the cache, and tells nobody
        assert screen.picture.ready
        screen.picture_ready(screen.picture.index)  # the announcement comes after it
        await asyncio.wait_for(screen.painted.wait(), 5)
        assert app.line.paints == before + 1


async def test_what_a_new_queue_asks_is_drawn_before_it_is_asked(monkeypatch):
    project = FakeProject()
    async with running(project, size=(120, 40)) as app:
        await app.press_and_see("1", "2")
        expected: dict[tuple[int, int], list[int]] = {}
        monkeypatch.setattr(
            app.pictures, "expect", lambda indices, *size: expected.setdefault(size[:2], []).extend(indices)
        )
        before, latest = project.session.question.index, project.session.machine_labels.round
        order = np.r_[before, np.arange(399, 99, -1)]
        queue = replace(latest.queue, **{name: getattr(latest.queue, name)[order] for name in ARRAYS_OF_A_QUEUE})
        project.session.merge_queue(queue, project.session.state.revision)
        project.post(Received(changed=True))
        await settle(app, app.pilot)
        assert project.session.question.index == before  # the question on the screen stays
        picture, near = app.screen.picture, app.screen.query_one(Neighbors)
        assert expected.pop(tuple(picture.size)) == [399, 398, 397, 396, 395, 394, 393, 392]
        (thumbnails,) = expected.values()
        assert thumbnails[0] == before  # the latest answer by then, and so perhaps the nearest
        assert set(thumbnails[1:]) == {0, 1}
        assert near.room >= 2


async def test_a_key_pressed_as_soon_as_the_first_picture_is_there_is_an_answer(project, monkeypatch):
    pressed_at: list[int] = []  # the questions counted as painted when it was

    def press_at_once(app: LabelerApp) -> None:
        """Called when a frame was written: press a key after the first that holds the picture."""
        if not pressed_at and isinstance(app.screen, QuestionScreen) and app.screen.picture.in_sight:
            pressed_at.append(app.line.paints)
            app.post_message(events.Key("1", "1"))

    monkeypatch.setattr(LabelerApp, "post_display_hook", press_at_once)
    async with running(project) as app:
        assert pressed_at == [0]
        assert project.labels() == [(0, "1")]
        assert "ignored" not in screen_text(app)


async def test_a_picture_that_was_seen_stays_in_sight_while_it_is_drawn_for_another_place(project):
    async with running(project) as app:
        picture = app.screen.picture
        assert picture.in_sight
        picture.on_resize()  # as where the legend comes up beside it
        picture.render_line(0)
        assert picture.in_sight
        picture.index = 1 - picture.index
        assert not picture.in_sight


def test_nothing_is_in_sight_of_a_screen_that_is_still_being_made():
    """A key may come while a screen is opened: it is asked before its picture is there."""
    assert not QuestionScreen().in_sight
