"""The dashboard: figures on one screen, and the keys that lead on from it."""

from dataclasses import replace

import pytest

from labeler.core.types import Advice, Provenance, Tier
from labeler.session.audit.audits import floored
from labeler.session.final_labels import final_labels
from labeler.session.learning_curve import Point, answers_to_cover
from labeler.ui.render import figures
from labeler.ui.screens.clusters import ClusterBrowser
from labeler.ui.screens.confirm import ConfirmScreen
from labeler.ui.screens.dashboard import Dashboard
from labeler.ui.screens.question import QuestionScreen
from labeler.ui.screens.representatives import ContactSheet
from tests.ui.support import FakeProject, make_round, running, screen_text, settle
from tests.ui.test_screens import DANGEROUS, HOSTILE, lines


def told(project: FakeProject, covered: int, **facts) -> None:
    """A round at this revision that exports so many labels and says `facts`."""
    round_ = make_round(400, project.n_clusters, project.session.state.revision, 1, 10)
    round_.provenances[:] = Provenance.PREDICTED
    round_.provenances[:covered] = Provenance.PROPAGATED
    round_.tiers[:] = Tier.ASK
    round_.tiers[:covered], round_.tiers[: covered // 2] = Tier.LIKELY, Tier.LOCKED
    project.session.merge_round(replace(round_, facts=round_.facts | facts))


@pytest.fixture
def project() -> FakeProject:
    """Twelve answers, a round after every third."""
    project = FakeProject(n_classes_known=10)
    for count in range(12):
        question = project.session.question
        project.session.label(question.instance_id, count % 10)
        if count % 3 == 2:
            told(project, 20 * count, expected_errors=40.0 - 3 * count, gain=[20, 6.1, 11.3])
    return project


class TestOpening:
    async def test_d_opens_it_and_leads_back_to_the_same_question(self, project):
        async with running(project) as app:
            assert "learning curve" in await app.press_and_see("D")
            assert isinstance(app.screen, Dashboard)
            text = await app.press_and_see("D")
            assert isinstance(app.screen, QuestionScreen)
            assert "0012.png" in text

    @pytest.mark.parametrize("with_round", [False, True])
    @pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 16)])
    async def test_before_the_first_answer_it_says_what_to_press(self, with_round, size):
        async with running(FakeProject(with_round=with_round), size=size) as app:
            text = await app.press_and_see("D")
            assert "nothing is labeled yet" in text or "given 0" in text
            assert "your pace shows after five answers" in text
            assert size[1] < 20 or "D leads back" in text

    @pytest.mark.parametrize("key", ["T", "R", "G"])
    async def test_from_every_screen_and_back_to_it(self, project, key):
        async with running(project) as app:
            await app.press_and_see(key)
            below = type(app.screen)
            await app.press_and_see("D")
            assert isinstance(app.screen, Dashboard)
            await app.press_and_see("D")
            assert type(app.screen) is below


class TestKeys:
    @pytest.mark.parametrize(("key", "screen"), [("G", ConfirmScreen), ("R", ContactSheet), ("T", ClusterBrowser)])
    async def test_the_keys_it_names_lead_on(self, project, key, screen):
        async with running(project) as app:
            await app.press_and_see("D", key)
            assert isinstance(app.screen, screen)
            await app.press_and_see(key)
            assert isinstance(app.screen, QuestionScreen)  # the dashboard did not stay below

    async def test_back_to_the_pages_from_which_it_was_opened(self, project):
        async with running(project) as app:
            await app.press_and_see("G", "D", "G")
            assert isinstance(app.screen, ConfirmScreen)
            await app.press_and_see("G")
            assert isinstance(app.screen, QuestionScreen)

    @pytest.mark.parametrize("key", ["1", "a", "x"])
    async def test_nothing_is_answered_here(self, project, key):
        async with running(project) as app:
            before = len(project.journal.events)
            text = await app.press_and_see("D", key)
            assert len(project.journal.events) == before
            assert key != "1" or "nothing is asked here: D leads back" in text

    async def test_undo_and_redo_work_and_the_figures_follow(self, project):
        async with running(project) as app:
            assert "12 answers" in await app.press_and_see("D")
            text = await app.press_and_see("backspace", "backspace", "backspace")
            assert "─9 answers" in text  # the curve ends where it stood
            assert "16 keys" in text  # the one that opened the dashboard among them
            text = await app.press_and_see("ctrl+y", "ctrl+y", "ctrl+y")
            assert "─12 answers" in text

    async def test_help_lists_its_keys_alone(self, project):
        async with running(project, size=(120, 60)) as app:
            text = await app.press_and_see("D", "?")
            assert "back to where the dashboard was opened" in text
            assert "0-9 a-z" not in text
            await app.press_and_see("?")
            assert isinstance(app.screen, Dashboard)


class TestCertificate:
    async def test_what_an_audit_certifies_is_told(self, project):
        session = project.session
        session.audit.begin(
            final_labels(session.state, session.machine_labels.round), target=0.9, confidence=0.95, seed=0
        )
        async with running(project) as app:
            assert "not known: an audit" in await app.press_and_see("D")  # nothing was looked at
            frozen = session.audit.frozen(session.audit.latest)
            for index in frozen.order[:40]:
                session.audit.answer(session.pool.ids[index], int(frozen.final.labels[index]))
                if len(session.audit.latest.answers) == 5:
                    assert " audit so far     ≥ " in await app.press_and_see("D", "D")
            found = session.audit.certificate()
            assert found.reached
            said = (
                f" certificate      ≥ {floored(found.lower_bound)} % of {found.population} frozen labels right (95 %)"
            )
            text = await app.press_and_see("D", "D")
            assert said in text
            assert "not known" not in text


class TestAsText:
    async def test_80x24(self, project):
        async with running(project) as app:
            await app.press_and_see("D")
            shown = lines(app)
        assert " ".join(shown[1].split()) == "learning curve share in the export classes █ given ▒ machine"
        assert shown[2].split()[:2] == ["100", "%"]
        assert shown[6].split()[:2] == ["0", "%"] or shown[7].split()[:2] == ["0", "%"]
        assert shown[8].split()[0].startswith("└0───")
        assert "─12 answers" in shown[8]
        assert shown[9].split()[:3] == ["at", "least", "likely"]
        assert shown[10].split()[:2] == ["expected", "errors"]
        assert " 7 " in shown[10]
        assert shown[11].split()[0] == "agreement"
        assert shown[13].endswith("█ given 12  ▓ locked 98  ▒ likely 110  ░ ask 180")
        assert shown[14] == " keys             12 keys for 220 labels in the export: 0.055 a label"
        assert shown[15].startswith(" time             1.0 s an answer · 20 more 20 s")
        assert shown[16] == " next 20 keys     pages (G) set right about 11.3, questions 6.1 (expected)"
        assert shown[17] == " accuracy         not known: an audit (E) or --control 0.1 tells it"
        assert shown[18] == " unseen class     about 66.7 % (8 of 12 labels are their classes' only ones)"
        assert shown[19] == " advice           go on answering: the next 20 keys help most"
        assert shown[23] == " ⌫ undo  D back  R sheet  G pages  T clusters  C classes  ? help  Q quit"

    async def test_120x40_says_more(self, project):
        async with running(project, size=(120, 40)) as app:
            text = await app.press_and_see("D")
        assert "T  what each cluster holds" in text
        assert "measures nothing" in text

    async def test_a_resize_and_a_terminal_that_is_too_small(self, project):
        async with running(project) as app:
            await app.press_and_see("D")
            for size, there in (((60, 16), "20 more"), ((120, 40), "learning curve"), ((50, 12), "too small")):
                await app.pilot.resize_terminal(*size)
                await settle(app, app.pilot)
                assert there in screen_text(app)

    @pytest.mark.parametrize("size", [(60, 16), (60, 20), (80, 24), (120, 40), (200, 60)])
    async def test_it_fits_without_scrolling(self, project, size):
        project.session.merge_round(
            replace(project.session.machine_labels.round, advice=Advice("no-propagation", "labels do not spread " * 20))
        )
        async with running(project, size=size) as app:
            await app.press_and_see("D")
            assert app.screen.max_scroll_y == 0
            assert "Q quit" in lines(app)[-1]
            assert "…" in screen_text(app)

    async def test_hostile_class_names(self):
        names = tuple(name.removesuffix(".png")[:180].strip() for name in HOSTILE)
        project = FakeProject(classes=names, n_classes_known=len(names))
        async with running(project) as app:
            for size in ((80, 24), (120, 40)):
                await app.pilot.resize_terminal(*size)
                assert not DANGEROUS.search(await app.press_and_see("1", "D"))
                await app.press_and_see("D")

    async def test_it_follows_the_rounds(self, project):
        async with running(project) as app:
            await app.press_and_see("D")
            for _ in range(3):
                project.session.label(project.session.question.instance_id, 0)
            project.merge_round = lambda: told(project, 300, expected_errors=2.0)
            project.post("round")
            await settle(app, app.pilot)
            text = screen_text(app)
            assert "─15 answers" in text
            assert "the engine does not say what they bring" in text

    async def test_too_few_answers_to_tell_what_the_next_keys_bring(self, project):
        told(project, 300, gain_from=50)
        async with running(project) as app:
            assert "what they bring can be told from 50 answers on" in await app.press_and_see("D")


class TestFigures:
    def test_nothing_is_called_an_accuracy(self, project):
        view = project.view()
        said = [
            figures.curve(view, 80, 20).plain,
            figures.summary(view, (), 120, 40).plain,
            figures.balance(view.classes, 40, 20).plain,
        ]
        assert "accura" not in " ".join(said).lower()
        assert "precision" not in " ".join(said).lower()

    def test_many_classes_are_counted(self):
        view = FakeProject(classes=tuple(f"sort{number:02d}" for number in range(40)), n_classes_known=10).view()
        rows = figures.balance(view.classes, 32, 11).plain.splitlines()
        assert len(rows) == 11
        assert rows[-1] == "31 more classes: 0 given"

    @pytest.mark.parametrize("width", [32, 44, 80])
    @pytest.mark.parametrize("height", [6, 11, 18])
    def test_the_charts_keep_to_their_size(self, project, width, height):
        view = project.view()
        for content in (figures.curve(view, width, height), figures.balance(view.classes, width, height)):
            rows = content.split("\n", allow_blank=True)
            assert len(rows) <= height + (height < 7)
            assert all(row.cell_length <= width for row in rows)

    def test_the_way_to_full_coverage(self):
        growing = [Point(answers, answers, 100, answers, 2 * answers, 0, 0, 0) for answers in range(0, 24, 3)]
        assert answers_to_cover(growing) == 13  # 3 points of a hundred an answer, 37 are left
        assert answers_to_cover(growing[:1]) is None
        assert answers_to_cover([Point(answers, answers, 100, 50, 0, 0, 0, 0) for answers in (10, 20)]) is None


class TestUnseenClass:
    @pytest.mark.parametrize("size", [(80, 24), (60, 16), (120, 40)])
    async def test_the_meter_stands_there_and_follows_an_undo(self, project, size):
        async with running(project, size=size) as app:
            assert "unseen class     about 66.7 % (8 of 12 labels" in await app.press_and_see("D")
            assert "unseen class     about 81.8 % (9 of 11 labels" in await app.press_and_see("backspace")

    async def test_without_an_answer_nothing_is_said_of_it(self):
        async with running(FakeProject()) as app:
            assert "unseen class" not in await app.press_and_see("D")
