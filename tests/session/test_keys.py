from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.session.keys import AZERTY, COMMAND_LETTERS, DIGITS, LAYOUTS, LETTERS, assign_key, can_answer

NAMES = st.lists(st.text(min_size=1, max_size=4), max_size=60)


def assigned(names, layout="digits"):
    keys = []
    for name in names:
        keys.append(assign_key(name, {key for key in keys if key}, layout))
    return keys


@given(NAMES, st.sampled_from(LAYOUTS))
def test_no_key_is_given_twice_and_no_capital_or_sign_is_one(names, layout):
    given_keys = [key for key in assigned(names, layout) if key]
    assert len(given_keys) == len(set(given_keys))
    assert all(can_answer(key, layout) for key in given_keys)
    assert {key for key in given_keys if key.isascii()} <= set(DIGITS + LETTERS)
    assert not any(key.isupper() or not key.isalnum() for key in given_keys)


@given(NAMES)
def test_no_class_goes_without_a_key_while_one_is_left(names):
    keys = assigned(names)
    for place, key in enumerate(keys):
        assert key or set(DIGITS + LETTERS) <= set(keys[:place])


@given(st.sampled_from(DIGITS + LETTERS), st.sampled_from(LAYOUTS))
def test_a_class_named_by_one_digit_or_letter_takes_it(name, layout):
    assert assign_key(name, set(), layout) == name
    assert assign_key(f" {name.upper()} ", set(), layout) == name
    assert assign_key(name, {name}, layout) != name


@pytest.mark.parametrize(("name", "key"), [("Ж", "ж"), ("猫", "猫"), ("e\u0301", "é"), ("ك", "ك"), ("٣", "٣")])
def test_a_class_named_by_a_letter_of_any_script_takes_it(name, key):
    assert assign_key(name, set()) == key
    assert assign_key("é", set(), "azerty") == "1"  # there it is the key that means 2


def test_the_order_is_digits_then_letters_that_are_no_command_then_the_rest():
    keys = assigned([f"class {number}" for number in range(37)])
    free = [letter for letter in LETTERS if letter not in COMMAND_LETTERS]
    assert keys == [*"1234567890", *free, *COMMAND_LETTERS, ""]


def test_the_letters_layout_gives_no_digit_but_to_a_class_called_so():
    keys = assigned([f"class {number}" for number in range(27)] + ["7"], "letters")
    assert keys[26] == ""
    assert keys[27] == "7"
    assert not set(keys[:26]) & set(DIGITS)


@pytest.mark.parametrize(("character", "digit"), list(zip("&é\"'(-è_çà", "1234567890", strict=True)))
def test_azerty_reads_the_digit_row(character, digit):
    assert AZERTY[character] == digit
