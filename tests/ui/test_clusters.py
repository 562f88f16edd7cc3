"""The cluster browser, key by key."""

import re
from dataclasses import replace

import numpy as np
import pytest

from labeler.session.clusters import NOBODY
from labeler.ui.screens.clusters import ClusterBrowser
from labeler.ui.screens.question import QuestionScreen
from labeler.ui.screens.representatives import ContactSheet
from labeler.ui.widgets.cards import ACROSS, card_layout
from tests.ui.support import FakeProject, make_round, running, screen_text, settle
from tests.ui.test_screens import DANGEROUS, HOSTILE, lines


@pytest.fixture
def project() -> FakeProject:
    return FakeProject(n_clusters=10, n_classes_known=10)


def cursor(app) -> int:
    return app.screen.target().index


def rules(project: FakeProject) -> list[tuple[str, str, float | None]]:
    found = [event for event in project.journal.events if event.kind in ("reach", "split")]
    return [(event.kind, event.instance_id, event.payload.get("percentile")) for event in found]


class TestOpening:
    async def test_t_opens_it_and_leads_back_to_the_same_question(self, project):
        async with running(project) as app:
            await app.press_and_see("1", "1")
            text = await app.press_and_see("T")
            assert isinstance(app.screen, ClusterBrowser)
            assert "largest first" in text
            text = await app.press_and_see("T")
            assert isinstance(app.screen, QuestionScreen)
            assert "0002.png" in text

    async def test_before_there_are_clusters_it_says_so(self):
        async with running(FakeProject(with_round=False)) as app:
            assert "the clusters are still being prepared" in await app.press_and_see("T")
            assert isinstance(app.screen, QuestionScreen)

    async def test_from_the_sheet_and_back(self, project):
        async with running(project) as app:
            await app.press_and_see("R", "T")
            assert isinstance(app.screen, ClusterBrowser)
            await app.press_and_see("T")
            assert isinstance(app.screen, ContactSheet)

    async def test_screens_do_not_pile_up(self, project):
        async with running(project) as app:
            for _ in range(5):
                await app.press_and_see("R", "T", "G", "D")
            assert len(app.screen_stack) <= 6
            await app.press_and_see("D", "R")
            assert isinstance(app.screen, ContactSheet)
            await app.press_and_see("R")
            assert isinstance(app.screen, QuestionScreen)


class TestAnswers:
    async def test_a_class_key_labels_the_center_and_goes_to_the_next_without_an_answer(self, project):
        async with running(project) as app:
            await app.press_and_see("1", "T", "down", "down", "2", "7")
            assert project.labels() == [(0, "1"), (2, "2"), (3, "7")]
            assert cursor(app) == 4
            await app.press_and_see("up", "up", "3")
            assert project.labels()[-1] == (2, "3")
            assert project.journal.events[-1].payload["screen"] == "clusters"
            assert "✓ 3" in await app.press_and_see("up", "up")

    async def test_another_picture_of_the_card_is_labeled_where_it_is(self, project):
        async with running(project) as app:
            await app.press_and_see("T", "right", "right", "right")
            edge = cursor(app)
            text = await app.press_and_see("5")
            assert project.labels() == [(edge, "5")]
            assert cursor(app) == edge
            assert "✓ 5" in text

    @pytest.mark.parametrize("key", ["enter", "A", "a"])
    async def test_accept_takes_what_the_caption_guesses(self, project, key):
        async with running(project) as app:
            await app.press_and_see("T", "down", key)
            assert project.labels() == [(1, "1")]
            assert cursor(app) == 2

    @pytest.mark.parametrize(
        ("key", "kind", "caption"),
        [("space", "skip", "skipped"), ("U", "unsure", "unsure"), ("X", "reject", "rejected")],
    )
    async def test_other_answers(self, project, key, kind, caption):
        async with running(project) as app:
            text = await app.press_and_see("T", key)
            assert project.journal.events[-1].kind == kind
            assert caption in text
            assert cursor(app) == 1

    async def test_flag_stays(self, project):
        async with running(project) as app:
            assert "⚑ flagged" in await app.press_and_see("T", "F")
            assert cursor(app) == 0

    async def test_a_new_class_answers_the_focused_one(self, project):
        async with running(project) as app:
            await app.press_and_see("T", "down", "N", *"yak", "enter")
            assert project.labels() == [(1, "yak")]

    @pytest.mark.parametrize("key", ["backspace", "ctrl+z"])
    async def test_undo_goes_back_to_what_it_took(self, project, key):
        async with running(project) as app:
            text = await app.press_and_see("T", "1", "2", "down", key)
            assert cursor(app) == 1
            assert "↶ taken back 2" in text
            await app.press_and_see("ctrl+y")
            assert project.view().answers == 2

    async def test_when_all_centers_have_an_answer_it_says_so(self):
        project = FakeProject(n=12, n_clusters=3)
        async with running(project) as app:
            assert "all centers have an answer" in await app.press_and_see("T", "1", "2", "3")


class TestReach:
    @pytest.mark.parametrize(("key", "after"), [("+", 30.0), ("=", 30.0), (">", 30.0), ("-", 10.0), ("<", 10.0)])
    async def test_a_step_from_the_common_rule(self, project, key, after):
        project.session.set(percentile=20.0)
        project.merge_round()
        async with running(project) as app:
            text = await app.press_and_see("T", "down", key)
            assert rules(project) == [("reach", "0001.png", after)]
            assert f"own {after:g} %: ... of 40" in text  # until the engine has said
            project.post("round")
            await settle(app, app.pilot)
            assert f"own {after:g} %: 20 of 40" in screen_text(app)
            assert cursor(app) == 1

    async def test_a_step_from_where_the_tiers_carry_it(self, project):
        async with running(project) as app:
            assert "spread auto: 20 of 40" in await app.press_and_see("T")
            await app.press_and_see("+", "+", "-", "-", "-")
            assert [percentile for _, _, percentile in rules(project)] == [60, 70, 60, 50, 40]

    async def test_at_the_ends_it_says_so(self, project):
        async with running(project) as app:
            await app.press_and_see("T", *"++++")
            assert "to the whole cluster" not in screen_text(app)
            assert "to the whole cluster already" in await app.press_and_see("+", "+")
            assert rules(project)[-1] == ("reach", "0000.png", 100.0)
            await app.press_and_see("down", *"-----")
            assert rules(project)[-1] == ("reach", "0001.png", 0.0)
            assert "to nobody but the center already" in await app.press_and_see("-")

    async def test_back_to_the_common_rule(self, project):
        async with running(project) as app:
            assert "no reach of its own" in await app.press_and_see("T", "*")
            text = await app.press_and_see("+", "*")
            assert rules(project)[-1] == ("reach", "0000.png", None)
            assert "own" not in text

    async def test_undo_takes_a_step_back(self, project):
        async with running(project) as app:
            text = await app.press_and_see("T", "+", "+", "backspace")
            assert "own 60 %" in text
            assert "↶ taken back reach of a cluster" in text
            assert "own" not in await app.press_and_see("backspace")
            assert "own 60 %" in await app.press_and_see("ctrl+y")

    async def test_on_other_screens_the_keys_say_that_they_do_nothing(self, project):
        async with running(project) as app:
            assert "+ does nothing here (elsewhere: further)" in await app.press_and_see("+")


def divided(project: FakeProject, *, parts: bool) -> None:
    """Rounds from here on: the cluster of instance 1 in two (41 and 51 stand for them), or in one again."""

    def merge() -> None:
        round_ = make_round(400, 10, project.session.state.revision, 1, 10)
        if parts:
            members = np.flatnonzero(round_.clusters == 1)
            round_.clusters[members[len(members) // 2 :]] = 10
            others = [index for index in range(10) if index != 1]
            representatives = np.array([others[0], 41, 251, *others[1:]])
            round_ = replace(round_, representatives=representatives, foreign=np.zeros(11, dtype=np.int32))
        project.session.merge_round(round_)

    project.merge_round = merge


class TestHalving:
    async def test_h_divides_the_cluster_and_shows_its_parts_in_its_place(self, project):
        async with running(project) as app:
            text = await app.press_and_see("T", "down", "H")
            assert rules(project) == [("split", "0001.png", None)]
            assert "being divided" in text
            divided(project, parts=True)
            project.post("round")
            await settle(app, app.pilot)
            text = screen_text(app)
            assert "being divided" not in text
            assert "cluster 2 of 11" in text
            assert cursor(app) == 41
            await app.press_and_see("down")
            assert cursor(app) == 251
            divided(project, parts=False)
            await app.press_and_see("backspace")
            project.post("round")
            await settle(app, app.pilot)
            assert "cluster 2 of 10" in screen_text(app)
            assert cursor(app) == 1

    async def test_a_cluster_of_like_images_is_refused(self):
        project = FakeProject(n=10, n_clusters=10)
        async with running(project) as app:
            assert "like images cannot be divided" in await app.press_and_see("T", "H")
            assert rules(project) == []

    async def test_clusters_made_anew_by_the_engine_change_nothing_until_the_screen_is_opened_again(self, project):
        async with running(project) as app:
            await app.press_and_see("T", "down", "down")
            project.n_clusters = 7
            project.post("round")
            await settle(app, app.pilot)
            assert cursor(app) == 2
            assert "cluster 3 of 10" in screen_text(app)
            assert "made anew" in await app.press_and_see("down", "down", "down", "down", "down", "down", "H")
            assert "cluster 1 of 7" in await app.press_and_see("T", "T")


class TestOrder:
    async def test_o_shows_the_most_mixed_first_and_says_so(self, project):
        async with running(project) as app:
            await app.press_and_see("T", "down", "down", "down", "right", "8")
            text = await app.press_and_see("O")
            assert "most mixed first" in text
            assert cursor(app) == 3
            text = await app.press_and_see("O")
            assert "largest first" in text
            assert cursor(app) == 0

    async def test_answers_do_not_move_the_cards(self, project):
        async with running(project) as app:
            await app.press_and_see("T", "O", "down", "8", "9", "7")
            project.post("round")
            await settle(app, app.pilot)
            assert app.screen._order == list(range(10))


class TestMoving:
    async def test_arrows(self, project):
        async with running(project) as app:
            await app.press_and_see("T")
            for key, index in (
                ("right", 190), ("right", 200), ("down", 201), ("right", 391), ("right", 2), ("right", 2), ("down", 3),
                ("left", 392), ("up", 391), ("left", 201), ("left", 191), ("left", 1), ("left", 1), ("up", 0),
                ("up", 0),
            ):  # fmt: skip
                await app.press_and_see(key)
                assert cursor(app) == index, key

    async def test_pages(self, project):
        async with running(project) as app:
            await app.press_and_see("T")
            assert "cluster 4 of 10" in await app.press_and_see("pagedown")
            assert "cluster 1 of 10" in await app.press_and_see("pageup")
            assert "cluster 10 of 10" in await app.press_and_see(*["pagedown"] * 5)

    async def test_a_small_cluster_has_no_place_for_the_cursor_where_nobody_is(self):
        project = FakeProject(n=14, n_clusters=7)
        async with running(project) as app:
            await app.press_and_see("T", "right")
            assert app.screen.cursor == 3
            await app.press_and_see("right", "down", "left", "left")
            assert app.screen.cursor == ACROSS
            assert app.screen._pictures[1] == NOBODY

    async def test_a_click(self, project):
        async with running(project) as app:
            await app.press_and_see("T")
            await app.pilot.click("#sheet", offset=(35, 8))
            await settle(app, app.pilot)
            assert cursor(app) == 391
            await app.pilot.click("#sheet", offset=(46, 13))
            await settle(app, app.pilot)
            assert cursor(app) == 3
            await app.pilot.click("#sheet", offset=(70, 13))
            await settle(app, app.pilot)
            assert cursor(app) == 3

    async def test_a_resize_keeps_the_cursor(self, project):
        async with running(project) as app:
            await app.press_and_see("T", "pagedown", "right", "5")
            at = cursor(app)
            for size in ((120, 40), (60, 16), (80, 24)):
                await app.pilot.resize_terminal(*size)
                await settle(app, app.pilot)
                assert cursor(app) == at
                assert f"{at:04d}.png" in screen_text(app)
                assert re.search(r"auto: \d+ of \d\d", screen_text(app))  # the words are beside or below

    async def test_a_terminal_that_is_too_small(self, project):
        async with running(project) as app:
            await app.press_and_see("T")
            await app.pilot.resize_terminal(50, 14)
            await settle(app, app.pilot)
            assert "too small" in screen_text(app)
            await app.press_and_see("1", "H")
            assert project.labels() == []
            assert rules(project) == []


class TestAsText:
    async def test_80x24(self, project):
        async with running(project) as app:
            await app.press_and_see("T", "0", "8")
            shown = lines(app)
        assert shown[1] == " clusters  largest first · O most mixed first"
        assert shown[2].split() == ["center", "middle", "middle", "edge", "outside"]
        assert shown[3].endswith(" 40 images · 1 given")
        assert re.search(r"│ +▀ +0 █+ +1 +\+39$", shown[4])
        assert shown[5].endswith("spread auto: 19 of 39")
        assert shown[7].split()[:4] == ["✓", "0", "0?", "0?"]
        assert re.search(r"│ +▀ +1 █+▋ +\+39$", shown[9])
        assert re.search(r"│ +▀ +8 ▍? +1$", shown[10])
        assert "[   2?   ]" in shown[17]
        assert shown[20].startswith(" 0002.png · center · cluster 3 of 10 ")
        assert shown[23] == " ⏎ accept  ⌫ undo  T back  + further  - less  H halve  O order  ? help  Q quit"

    async def test_120x40(self, project):
        async with running(project, size=(120, 40)) as app:
            await app.press_and_see("T", "0")
            shown = lines(app)
        assert sum("images" in line for line in shown) == 4  # the header and three cards
        assert shown[36].startswith(" 0001.png · center · cluster 2 of 10 ")

    async def test_more_classes_than_lines(self):
        project = FakeProject(n_clusters=3, n_classes_known=10)
        async with running(project) as app:
            text = await app.press_and_see("T")
            assert "8 more classes: " in text

    @pytest.mark.parametrize("size", [(80, 24), (60, 16)])
    async def test_hostile_names(self, size):
        names = tuple(name.removesuffix(".png")[:180].strip() for name in HOSTILE)
        project = FakeProject(n=len(HOSTILE), n_clusters=3, ids=HOSTILE, classes=names, n_classes_known=len(names))
        async with running(project, size=size) as app:
            for keys in (["T"], ["1"], ["right", "2"], ["+"], ["H"], ["O"], ["backspace"], ["?"]):
                assert not DANGEROUS.search(await app.press_and_see(*keys))
            assert not app._exit


@pytest.mark.parametrize(
    ("count", "width", "height"), [(20, 80, 16), (20, 120, 31), (1, 200, 60), (600, 60, 8), (3, 77, 20)]
)
def test_the_words_have_their_room(count, width, height):
    found = card_layout(count, width, height)
    assert found.pictures_width <= width
    assert found.down >= 1
    if found.beside:
        assert width - found.pictures_width >= 20
        assert 1 + found.down * found.height <= height or found.down == 1
