"""How many clusters: opened by a key alone, compared by the worker, taken with one key; nothing is answered."""

from __future__ import annotations

import numpy as np
import pytest

from labeler.core.numeric.choose_k import Tried
from labeler.project.open import Options, open_project
from labeler.ui.app import LabelerApp
from labeler.ui.render import choose_k
from labeler.ui.screens.choose_k import ChooseK
from labeler.ui.screens.question import QuestionScreen
from tests.ui.support import LATER, FakeProject, running, screen_text, settle

ROWS = [Tried(k, k, 1000.0 / k, score) for k, score in ((2, None), (5, 0.1), (10, 0.3), (20, 0.2), (50, -0.1))]


class TestTheTable:
    @pytest.mark.parametrize("size", [(78, 18), (118, 34), (58, 10), (40, 6)])
    def test_the_row_under_the_cursor_is_always_in_sight_and_every_line_fits(self, size):
        for cursor in range(len(ROWS)):
            text = choose_k.table(ROWS, cursor, 20, *size)
            shown = text.plain.splitlines()
            assert len(shown) <= size[1]
            assert max(map(len, shown)) <= size[0]
            marked = [line for line in shown if line.startswith("▸")]
            assert len(marked) == 1
            assert marked[0].split()[1] == str(ROWS[cursor].k)

    def test_words_stand_beside_what_speaks_for_a_number(self):
        shown = choose_k.table(ROWS, 0, 20, 100, 20).plain.splitlines()
        by_k = {line.split()[0]: line for line in shown[3:7]}
        assert by_k["10"].rstrip().endswith("elbow · silhouette")
        assert by_k["20"].rstrip().endswith("now")
        assert " - " in shown[2]  # two clusters had no silhouette
        mixture = [Tried(k, k, 9.0 - k, 0.1, bic, -bic) for k, bic in ((2, 5.0), (3, 4.0))]
        assert choose_k.table(mixture, 0, None, 100, 20).plain.count("BIC") == 1

    def test_before_anything_is_known_it_says_what_is_done(self):
        assert "comparing" in choose_k.table([], 0, None, 80, 20).plain


class TestTheScreen:
    async def test_k_opens_it_compares_and_leads_back(self):
        project = FakeProject(n_classes_known=10)
        async with running(project) as app:
            text = await app.press_and_see("K")
            assert isinstance(app.screen, ChooseK)
            assert "▸   50" in text  # the number in force
            assert "4 numbers compared · now 50 clusters" in text
            assert project.wanted_ks == 1
            await app.press_and_see("K")
            assert isinstance(app.screen, QuestionScreen)
            assert project.restarts == 0

    async def test_taking_a_number_is_recorded_and_begins_anew_and_answers_stay(self):
        project = FakeProject(n_classes_known=10)
        async with running(project) as app:
            await app.press_and_see("1", "K")
            text = await app.press_and_see("up", "enter")
            assert "10 clusters from here on: the engine begins anew, every answer stays" in text
            assert project.session.state.settings["option.n_clusters"] == 10
            assert (project.restarts, project.session.state.answers.n_single) == (1, 1)
            await settle(app, app.pilot)
            assert "now 10 clusters" in screen_text(app)
            text = await app.press_and_see("enter")
            assert "10 clusters: that is what there is now" in text
            assert project.restarts == 1

    async def test_the_ends_and_class_keys_say_why_they_do_nothing(self):
        project = FakeProject(n_classes_known=10)
        async with running(project) as app:
            before = len(project.journal.events)
            text = await app.press_and_see("K", "down", "down")
            assert "no number with more clusters was compared" in text
            text = await app.press_and_see("up", "up", "up", "up")
            assert "no number with fewer clusters was compared" in text
            assert "nothing is asked here: K leads back" in await app.press_and_see("1")
            assert len(project.journal.events) == before

    async def test_keys_before_anything_is_known_say_so(self, monkeypatch):
        project = FakeProject(n_classes_known=10)
        monkeypatch.setattr(project, "compare_numbers", lambda: LATER)
        async with running(project) as app:
            await app.press_and_see("K")
            for key in ("enter", "up"):
                assert "numbers of clusters are being compared" in await app.press_and_see(key)


@pytest.mark.slow
async def test_a_real_worker_compares_and_begins_anew(few_digits, tmp_path):
    with open_project(few_digits, tmp_path / "p.labeler.db", Options(encoder="pixels", classes=("0", "1"))) as project:
        app = LabelerApp(project)
        async with app.run_test(size=(100, 30)) as pilot:
            for _ in range(600):
                await pilot.pause(0.05)
                if project.engine.is_ready and project.view().round is not None and app.line.paints:
                    break
            await pilot.press("1", "K")
            screen = app.screen
            assert isinstance(screen, ChooseK)
            for _ in range(600):
                await pilot.pause(0.05)
                if screen._total and len(screen._tried) == screen._total:
                    break
            assert [one.k for one in screen._tried] == [2, 3, 5, 7, 10, 15, 20, 30, 40, 50]
            assert all(np.isfinite(one.inertia) for one in screen._tried)
            before = project.view().round.facts["n_clusters"]
            await pilot.press("up")
            wanted = screen._k
            assert wanted != before
            await pilot.press("enter")
            for _ in range(600):
                await pilot.pause(0.05)
                if project.view().round.facts["n_clusters"] == wanted:
                    break
            assert project.view().round.facts["n_clusters"] == wanted
            assert project.options["n_clusters"] == wanted
            assert project.view().answers == 1
    with open_project(few_digits, tmp_path / "p.labeler.db") as again:
        assert again.options["n_clusters"] == wanted
