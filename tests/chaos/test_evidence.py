"""The judge of the chaos suite judges: a loss, a change, a double, a gap are each seen."""

from __future__ import annotations

import random
import sqlite3

import pytest

from labeler.core.events import Event, Label
from tests.chaos.evidence import Ack, ack_of, acknowledged, compare, examine, inspect
from tests.chaos.outcome import Outcome, keep
from tests.chaos.screen import Screen
from tests.chaos.writer_kills import make_older
from tests.chaos.writing import open_session, step

STORED = [Event(f"e{seq}", Label(f"i{seq}", 3), 0.0, seq=seq) for seq in range(1, 6)]
ACKS = [ack_of(event) for event in STORED]


@pytest.mark.parametrize(
    ("stored", "acks", "word"),
    [
        (STORED[:4], ACKS, "lost"),
        (STORED[1:], ACKS, "lost"),
        (STORED, [*ACKS[:4], ACKS[4]._replace(class_id=2)], "changed"),
        ([*STORED, STORED[2]], ACKS, "twice"),
        ([*STORED[:2], *STORED[3:]], ACKS[:2], "gaps"),
        (STORED, [ACKS[1], ACKS[0]], "out of order"),
        (STORED, ACKS[:2], "nobody acknowledged"),
    ],
)
def test_what_is_wrong_is_seen(stored, acks, word):
    assert word in " ".join(compare(stored, acks, 2))


def test_what_is_right_is_not_accused():
    assert compare(STORED, ACKS, 0) == []
    assert compare(STORED, ACKS[:4], 1) == []


def test_half_a_line_is_no_acknowledgement():
    assert acknowledged(b'noise\n[1,"e","label","i",0]\n[2,"e"') == [Ack(1, "e", "label", "i", 0)]


def test_a_changed_row_is_seen_in_a_file(tmp_path):
    path = tmp_path / "p.labeler.db"
    store, session = open_session(path)
    chance = random.Random(0)
    for _ in range(40):
        step(session, chance)
    acks = [ack_of(event) for event in store.replay()]
    store.close()
    assert examine(path, acks, 0) == []
    make_older(path, 1)
    assert examine(path, acks, 0) == []
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE events SET class_id = 9 WHERE seq = 7")
    connection.close()
    assert inspect(path) == ["event 7 of the journal"]
    assert "event 7" in examine(path, acks, 0)[0]


def test_the_screen_holds_what_was_written_where():
    screen = Screen(10, 3)
    screen.feed("\x1b[2;3H\x1b[1;38;2;1;2;3mgrün\x1b[0m\r\nend\x1b[1;1H".encode()[:-3])
    screen.feed(b";1Htop")
    assert screen.text.splitlines() == ["top       ", "  grün    ", "end       "]


def test_a_run_takes_the_place_of_the_last_of_its_part(tmp_path):
    keep(Outcome("one", 10, "cases", 1, "A promise."), tmp_path)
    keep(Outcome("two", 5, "cases", 1, "Another.", failures=["case 3: lost"]), tmp_path)
    keep(Outcome("one", 20, "cases", 2, "A promise.", {"seen": 1234}), tmp_path)
    text = (tmp_path / "RESULTS.md").read_text()
    assert "| one | 20 cases | 0 | 2 |" in text
    assert "| two | 5 cases | 1 | 1 |" in text
    assert "- seen: 1,234" in text
    assert "- **failed**: case 3: lost" in text
    assert "10 cases" not in text
