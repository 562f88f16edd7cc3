import re
from pathlib import Path

import pytest

from labeler.core.types import ClassInfo
from labeler.session.keys import COMMAND_LETTERS
from labeler.session.view import ClassCount
from labeler.ui.actions import COMMON, key_name, refusal
from labeler.ui.keys import RUN, CapsLock, HeldKey, Press, looks_azerty, matches, needed, token, unshifted
from labeler.ui.screens import commands, table

SCREENS = {name: table.class_of(name) for name in table.SCREENS}
ANSWERING = {name for name, screen in SCREENS.items() if screen.KEYS.answers}
EVERY = [*COMMON, *table.own_actions()]


class TestTable:
    @pytest.mark.parametrize("key", [*"AXUFMNGTDVPIQ", "enter", "space", "backspace", "ctrl+z", "ctrl+y", "/", "?",
                                     "ctrl+p", "ctrl+q", "ctrl+s", "up", "down"])  # fmt: skip
    def test_every_key_of_the_interface_does_something(self, key):
        assert SCREENS["question"].KEYS.by_key.get(key) is not None

    @pytest.mark.parametrize("place", list(SCREENS))
    def test_a_key_means_one_thing_on_a_screen_and_has_a_method(self, place):
        keys = [key for action in SCREENS[place].KEYS for key in action.keys]
        assert len(keys) == len(set(keys))
        for action in SCREENS[place].KEYS:
            own = getattr(SCREENS[place], f"do_{action.name}", None)
            assert action.refusal or callable(own or getattr(commands, action.name))

    def test_answers_and_commands_are_called_by_the_same_keys_on_every_screen(self):
        names = {action.name for action in EVERY if not action.repeats}
        for name in names:
            same = [action for action in EVERY if action.name == name]
            keys = [set(action.keys) for action in same]
            assert set.union(*keys) in keys

    @pytest.mark.parametrize("name", ["accept", "skip", "undo", "redo", "unsure", "reject", "flag", "new_class", "why"])
    def test_what_answers_does_so_wherever_keys_answer(self, name):
        places = {place for place, screen in SCREENS.items() if any(action.name == name for action in screen.KEYS)}
        assert places >= ANSWERING

    @pytest.mark.parametrize("name", ["undo", "help", "palette", "saved", "quit"])
    def test_some_keys_work_everywhere(self, name):
        assert all(any(action.name == name for action in screen.KEYS) for screen in SCREENS.values())

    def test_small_letters_are_never_commands_of_the_table(self):
        assert not [key for action in EVERY for key in action.keys if re.fullmatch("[a-z0-9]", key)]

    def test_frequent_actions_are_not_on_escape_nor_on_keys_of_multiplexers(self):
        assert not {"escape", "ctrl+a", "ctrl+b"} & {key for action in EVERY for key in action.keys}

    @pytest.mark.parametrize("key", ["q", "w", "Z", "M", "f5", "/"])
    def test_a_key_that_does_nothing_says_why(self, key):
        assert len(refusal(key, has_classes=True, elsewhere=table.own_actions())) > 10

    @pytest.mark.parametrize(
        ("key", "label"),
        [
            ("X", "take the other"), ("space", "no skipping"), ("H", "halve"), ("O", "order"), ("up", "guess up"),
            ("down", "guess down"), ("left", "left"), ("S", "second look"), ("K", "how many clusters"),
            ("M", "more like this"), ("A", "accept"), ("V", "view"), ("*", "as all"), ("shift+up", "guess up"),
        ],
    )  # fmt: skip
    def test_the_notice_about_a_key_that_does_nothing_names_what_it_does_elsewhere(self, key, label):
        notice = refusal(key, has_classes=True, elsewhere=table.own_actions())
        assert notice == f"{key_name(key)} does nothing here (elsewhere: {label}): ? lists the keys"

    def test_a_key_has_no_more_than_one_meaning_that_leads_its_notice(self):
        leading = [action for action in EVERY if action.leads_notice]
        for key in {key for action in leading for key in action.keys}:
            assert len({action.label for action in leading if key in action.keys}) == 1

    def test_the_files_of_the_application_stay_small(self):
        import labeler.ui

        for path in Path(labeler.ui.__file__).parent.rglob("*.py"):
            assert len(path.read_text().splitlines()) <= 450, path.name


class TestTokens:
    @pytest.mark.parametrize(
        ("key", "character", "expected"),
        [
            ("a", "a", "a"),
            ("upper_a", "A", "A"),
            ("question_mark", "?", "?"),
            ("space", " ", "space"),
            ("enter", "\r", "enter"),
            ("backspace", "\x7f", "backspace"),
            ("ctrl+z", "\x1a", "ctrl+z"),
            ("1", "1", "1"),
            ("é", "é", "é"),
        ],
    )
    def test_characters_name_themselves(self, key, character, expected):
        assert token(key, character) == expected

    def test_azerty_reads_the_digit_row(self):
        assert [unshifted(key, "azerty") for key in "&é\"'(-è_çà"] == list("1234567890")
        assert unshifted("&", "digits") == "&"
        assert looks_azerty("é")
        assert not looks_azerty("&")


class TestHeldKey:
    def test_ten_a_second_are_meant(self):
        hold = HeldKey()
        assert {hold.pressed("1", at / 10) for at in range(300)} == {Press.MEANT}

    def test_thirty_a_second_of_the_same_key_pause(self):
        hold = HeldKey()
        pressed = [hold.pressed("1", at / 30) for at in range(60)]
        assert pressed[:RUN] == [Press.MEANT] * RUN
        assert pressed[RUN] is Press.PAUSED
        assert set(pressed[RUN + 1 :]) == {Press.HELD}
        assert hold.ignored == 60 - RUN

    def test_other_keys_are_never_held_up(self):
        hold = HeldKey()
        assert {hold.pressed("12"[at % 2], at / 1000) for at in range(300)} == {Press.MEANT}

    def test_after_letting_go_the_key_answers_again(self):
        hold = HeldKey()
        for at in range(30):
            hold.pressed("1", at / 30)
        assert hold.pressed("1", 1.1) is Press.HELD  # not yet let go
        assert hold.pressed("1", 1.5) is Press.MEANT
        assert hold.pressed("2", 1.51) is Press.MEANT


def test_three_capitals_that_fit_nothing_look_like_caps_lock():
    caps = CapsLock()
    assert [caps.missed(key) for key in "BCD"] == [False, False, True]
    caps.fitted()
    assert [caps.missed(key) for key in "BbBC"] == [False] * 4


class TestTypeAhead:
    CLASSES = tuple(
        ClassCount(ClassInfo(place, name, key))
        for place, (name, key) in enumerate(
            [("traffic light", "1"), ("truck", "2"), ("red light", "3"), ("Greek/character01", ""), ("t", "t")]
        )
    )

    def test_needed_only_where_a_class_has_no_key(self):
        assert needed(self.CLASSES)
        assert not needed(self.CLASSES[:3])

    @pytest.mark.parametrize(
        ("typed", "expected"),
        [
            ("", ["traffic light", "truck", "red light", "Greek/character01", "t"]),
            ("t", ["t", "traffic light", "truck", "red light", "Greek/character01"]),
            ("1", ["traffic light", "Greek/character01"]),
            ("li", ["traffic light", "red light"]),
            ("trafficl", ["traffic light"]),
            ("char", ["Greek/character01"]),
            ("zz", []),
        ],
    )
    def test_what_fits_best_comes_first(self, typed, expected):
        assert [count.info.name for count in matches(typed, self.CLASSES)] == expected


def test_command_letters_are_the_ones_of_the_session():
    assert set("axfu") <= set(COMMAND_LETTERS)
