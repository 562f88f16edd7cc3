"""Keys at ten a second into the real application in a terminal, with the real worker.

A hundred of them; ``LABELER_KEYS=300`` is the longer check.
"""

import os
import random
import re
import time

import pytest

from benchmarks.terminal import ROOT, Terminal, labeler
from labeler.store.store import Store

N_KEYS, A_SECOND = int(os.environ.get("LABELER_KEYS", "100")), 10
CLASSES = "0,1,2,3,4,5,6,7,8,9"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_keys_are_neither_lost_nor_doubled_nor_out_of_order(tmp_path):
    project = tmp_path / "digits.labeler.db"
    chance = random.Random(7)
    keys = [chance.choice("0123456789") for _ in range(N_KEYS)]
    with Terminal(labeler("label", ROOT / "datasets" / "digits.zip", "-p", project, "--classes", CLASSES)) as terminal:
        terminal.wait(lambda text: re.search(r"\S+ · \d+×\d+", text), "the first question")
        # the line below the picture may be in a frame before it, and a key from before the first picture is no answer
        terminal.read_until(time.perf_counter() + 1.0)
        began = time.perf_counter()
        for count, key in enumerate(keys):
            terminal.read_until(began + count / A_SECOND)
            terminal.type(key)
        terminal.wait(lambda text: f"{N_KEYS} answers" in text, "the last answer")
        terminal.press("Q")
        summary = terminal.close()
    assert (
        f"this session: {N_KEYS} labels given with {N_KEYS + 1} keys" in summary or f"{N_KEYS} labels given" in summary
    )
    store = Store.open(project, read_only=True)
    events = list(store.replay())
    store.close()
    names = {event.class_id: event.payload["name"] for event in events if event.kind == "class_add"}
    answers = [event for event in events if event.kind == "label"]
    assert [names[event.class_id] for event in answers] == keys
    assert len({event.instance_id for event in answers}) == N_KEYS
    assert [event.seq for event in answers] == sorted(event.seq for event in answers)
    assert {event.kind for event in events} <= {"class_add", "label", "setting"}
