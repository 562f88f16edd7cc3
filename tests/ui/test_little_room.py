"""Screens with 10, 62 and 500 classes at three sizes: names that can be told apart, the way to the others, advice."""

import re
import string
from dataclasses import replace

import pytest

from labeler.ui.render.short_names import full_names
from labeler.ui.status_line import StatusLine
from tests.advices import every_advice
from tests.ui.support import FakeProject, running, screen_text, settle

SIZES = [(80, 24), (120, 40), (64, 20)]
SETS = {
    "digits": tuple(string.digits),
    "prefixes": tuple(f"capital {letter}" for letter in string.ascii_uppercase[:10]),
    "letters": (
        *(f"digit {digit}" for digit in string.digits),
        *(f"capital {letter}" for letter in string.ascii_uppercase),
        *(f"small {letter}" for letter in string.ascii_lowercase),
    ),
    "bare letters": tuple(string.digits + string.ascii_uppercase + string.ascii_lowercase),
    "very long": tuple(f"{'a very ' * 8}long name number {number:02d} of the set" for number in range(62)),
    "wide": tuple(f"漢字の名前その{number}番目" for number in range(62)),
    "marks": tuple(f"r\u00e9sum\u00e9 के नमूने {number}" for number in range(62)),
    "many": tuple(f"species of bird number {number:03d}" for number in range(500)),
}


def side(app, name: str) -> list[str]:
    region = app.screen.query_one(name).region
    return [line[region.x : region.right] for line in shown(app)[region.y : region.bottom]]


def shown(app) -> list[str]:
    """Rows of the screen, a string as long as the row is wide: a wide character is followed by a blank."""
    rows = []
    for strip in app.screen._compositor.render_strips():
        row = ""
        for segment in strip:
            for char in segment.text:
                wide = cells(char)
                row += char + " " * (wide - 1) if wide else ""
        rows.append(row)
    return rows


def cells(char: str) -> int:
    from rich.cells import cell_len

    return cell_len(char)


def bare(text: str) -> str:
    """Without blanks and marks, as names are compared that may be broken over lines."""
    return "".join(char for char in text if cells(char) and not char.isspace())


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("kind", SETS)
async def test_names_in_a_question(kind, size):
    """One screen for all three: to start the application takes longer than to look at it."""
    project = FakeProject(classes=SETS[kind], n_classes_known=10)
    async with running(project, size=size) as app:
        the_guesses_stand_in_full_and_what_is_shortened_can_be_told_apart(app, kind)
        the_way_to_a_class_that_is_not_in_sight_is(app, kind)
        no_two_entries_of_the_legend_read_alike(app, kind)


def the_guesses_stand_in_full_and_what_is_shortened_can_be_told_apart(app, kind):
    text = bare("".join(side(app, "#guesses")))
    names = full_names(SETS[kind])
    guessed = [names[SETS[kind][class_id]] for class_id, _ in app.screen._guesses]
    assert len(guessed) == 3
    lines = [line for line in side(app, "#guesses")[1:] if line.strip()]
    if kind != "very long":
        assert all(bare(name) in text for name in guessed)
    else:  # three times 75 characters: what tells them from the others is there
        numbers = [re.search(r"\d\d", name).group() for name in guessed]
        assert all(number in text for number in numbers)
    assert "⏎" in text
    assert len({bare(re.sub(r"[█▉▊▋▌▍▎▏]|\d+%", "", line)) for line in lines}) >= (3 if kind != "digits" else 1)


def the_way_to_a_class_that_is_not_in_sight_is(app, kind):
    legend = " ".join(side(app, "#legend"))
    if len(SETS[kind]) > 36:
        assert "type a name" in legend
    else:
        keys = {line.split()[0] for line in side(app, "#legend")[1:] if line.split()}
        assert {count.info.key for count in app.project.view().classes} <= keys | set(legend.split())


def no_two_entries_of_the_legend_read_alike(app, kind):
    rows = side(app, "#legend")[1:]
    entries = [entry.strip() for row in rows for entry in re.split(r"(?<=\S) {2,}(?=\S)", row.strip()) if entry]
    entries = [entry for entry in entries if "type a name" not in entry]
    entries = [entry for entry in entries if not re.fullmatch(r"\+?\d+( \+\d+)?", entry)]
    assert len(entries) >= 3 or kind == "digits"
    assert len(set(entries)) == len(entries)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_what_was_answered_of_late_and_is_likely_leads_the_legend_in_full(size):
    project = FakeProject(classes=SETS["many"], n_classes_known=10)
    project.session.label("0399.png", 321)
    async with running(project, size=size) as app:
        legend = bare("".join(side(app, "#legend")))
        wanted = [class_id for class_id, _ in app.screen._guesses] + [321] * (size[1] > 20)
        assert all(bare(SETS["many"][class_id]) in legend for class_id in wanted)
        places = [legend.index(bare(SETS["many"][class_id])) for class_id in wanted]
        assert places == sorted(places)


@pytest.mark.parametrize("place", ["R", "G", "O"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_pages_of_thumbnails_say_how_a_class_is_named(place, size):
    project = FakeProject(classes=SETS["letters"], n_classes_known=10)
    async with running(project, size=size) as app:
        await app.press_and_see(place)
        assert "type a name" in " ".join(side(app, "#sheet-legend"))
        await app.press_and_see(*"smallx")
        legend = " ".join(side(app, "#sheet-legend"))
        assert "smallx▏" in legend
        assert "⏎small x" in legend


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("advice", every_advice(), ids=lambda advice: advice.text[:30])
async def test_advice_is_on_the_screen_and_on_the_dashboard_as_a_whole_with_its_key(advice, size):
    project = FakeProject(n_classes_known=10)
    session = project.session
    session.merge_round(replace(session.machine_labels.round, advice=advice))
    async with running(project, size=size) as app:
        text = " ".join(" ".join(row.strip() for row in shown(app)[-4:-1]).split())
        lead = f"{advice.key} " if advice.key else ""
        assert f"{lead}{advice.text}" in text or f"{lead}{advice.short or advice.text}" in text
        text = " ".join((await app.press_and_see("D")).split())
        assert advice.text in text or (advice.short and advice.short in text)


@pytest.mark.parametrize("width", [58, 62, 78, 98, 118])
@pytest.mark.parametrize("advice", every_advice(), ids=lambda advice: advice.text[:30])
def test_in_no_width_is_a_word_of_it_lost(advice, width):
    status = StatusLine([])
    status.advice = advice
    lines = status.lines(width)
    said = " ".join(" ".join(line.plain for line in lines).split())
    assert said.removeprefix(f"{advice.key} ") in (advice.text, advice.short)
    assert all(line.cell_length <= width for line in lines)


class TestTyping:
    """The very name first; capitals tell names apart; the arrows reach the rest; any script."""

    @pytest.mark.parametrize(
        ("names", "typed", "expected"),
        [
            (("catfish", "cat"), "cat", "cat"),
            (("A", "a"), "a", "a"),
            (("sea lion pup", "sea lion"), "sealion", "sea lion"),
            (("белка", "Бобр"), "бо", "Бобр"),
            (("Ωμέγα", "Άλφα"), "ωμ", "Ωμέγα"),
            (("كلب", "قطة"), "قط", "قطة"),
            (("कुत्ता", "बिल्ली"), "बिल", "बिल्ली"),
            (("子猫", "犬小屋", "猫"), "猫", "猫"),
            (("강아지", "고양이"), "고", "고양이"),
            (("cafe\u0301", "cave"), "caf\u00e9", "caf\u00e9"),
        ],
    )
    async def test_enter_takes_the_first(self, names, typed, expected):
        project = FakeProject(classes=(*(f"z{number:02d}" for number in range(40)), *names))
        async with running(project) as app:
            await app.press_and_see(*typed, "enter")
            assert [name for _, name in project.labels()] == [expected]

    async def test_the_arrows_choose_among_those_that_fit(self):
        project = FakeProject(classes=(*(f"z{number:02d}" for number in range(40)), "a", "A", "ab"))
        async with running(project) as app:
            text = await app.press_and_see("a", "down")
            assert re.search(r"\S⏎A ", text)
            await app.press_and_see("enter", "a", "down", "down", "enter", "a", "up", "enter", "a", "enter")
            assert [name for _, name in project.labels()] == ["A", "ab", "ab", "a"]

    async def test_a_letter_of_any_script_is_the_key_of_the_class_called_so(self):
        project = FakeProject(classes=("ж", "猫", "é", "٣", "dog"))
        async with running(project) as app:
            await app.press_and_see("猫", "é", "٣", "ж")
            assert [name for _, name in project.labels()] == ["猫", "é", "٣", "ж"]


async def test_the_letter_a_is_the_class_a_though_a_capital_came_first():
    project = FakeProject(classes=("A", "a", "B", "b"))
    async with running(project) as app:
        text = await app.press_and_see("a", "b")
        assert [name for _, name in project.labels()] == ["a", "b"]
        assert "A" in text
        await settle(app, app.pilot)
        assert screen_text(app)
