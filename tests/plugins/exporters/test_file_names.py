from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.plugins.exporters.file_names import LIMIT, safe_file_names, safe_folder_names, safe_name

HOSTILE = st.text(st.characters(exclude_categories=()), max_size=150) | st.sampled_from(
    ["", ".", "..", "../x", "a/b", "a\\b", "CON", "con.txt", "NUL", "x.", "x ", " x", "a:b", "a" * 300, "é", "e\u0301"]
)


def key(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


@given(HOSTILE)
def test_a_safe_name_is_one_plain_component_and_stays_what_it_is(text: str) -> None:
    name = safe_name(text)
    assert name not in ("", ".", "..")
    assert not set('/\\<>:"|?*\0\n\x1b') & set(name)
    assert name == name.strip(" .")
    assert len(name.encode()) <= LIMIT
    assert safe_name(name) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("cat", "cat"),
        ("Größe 3", "Größe 3"),
        ("../x", "___x"),
        ("..", "__"),
        ("a/b", "a_b"),
        ("", "_"),
        ("CON", "_CON"),
        ("aux.png", "_aux.png"),
        ("console", "console"),
        ("x.", "x_"),
        (".hidden", "_hidden"),
        ("\x1b[2J", "_[2J"),
        ("caf\udce9", "caf_"),
        ("b" * 300 + ".jpeg", "b" * 115 + ".jpeg"),
    ],
)
def test_safe_name(text: str, name: str) -> None:
    assert safe_name(text) == name


@given(st.lists(HOSTILE, max_size=12))
def test_folder_names_differ_even_where_case_does_not_count(texts: list[str]) -> None:
    names = safe_folder_names(texts, ["manifest.json"])
    assert len({key(name) for name in [*names, "manifest.json"]}) == len(texts) + 1
    assert all(safe_name(name) == name for name in names)


def test_a_safe_class_keeps_its_name_before_others_take_it() -> None:
    assert safe_folder_names(["a/b", "a_b", "Cat", "cat", "cat~2"]) == ["a_b~2", "a_b", "Cat", "cat~3", "cat~2"]
    assert safe_folder_names(["manifest.json"], ["manifest.json"]) == ["manifest.json~2"]


@given(st.lists(st.tuples(st.uuids().map(str), HOSTILE), max_size=12, unique_by=lambda pair: pair[0]))
def test_file_names_differ(pairs: list[tuple[str, str]]) -> None:
    ids, wanted = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    names = safe_file_names(ids, wanted)
    assert len({key(name) for name in names}) == len(names)
    assert all(safe_name(name) == name for name in names)


def test_colliding_files_are_named_by_their_id_and_not_by_their_order() -> None:
    names = safe_file_names(["a/1.png", "b/1.png", "2.png"], ["1.png", "1.png", "2.png"])
    assert names[2] == "2.png"
    assert names[0] != names[1]
    assert names[0].startswith("1-")
    assert names[0].endswith(".png")
    assert safe_file_names(["b/1.png", "a/1.png"], ["1.png", "1.png"]) == [names[1], names[0]]
