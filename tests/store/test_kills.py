"""A writer killed right after it acknowledged an answer loses nothing."""

from __future__ import annotations

import random
import signal
import subprocess
import sys

import pytest

WRITER = """
import sys
from pathlib import Path
from labeler.core.events import Event, Label
from labeler.core.types import Question
from labeler.store.store import Store
store = Store.open(Path(sys.argv[1]), create=True)
number = sum(1 for _ in store.replay())
while True:
    event = store.append(Event(f"e{number}", Label(f"i{number}", 0), 0.0))
    print(event.event_id, flush=True)
    number += 1
    store.save_question(Question(number, f"i{number}", "uncertain"), number)
"""


@pytest.mark.slow
def test_ten_kills_lose_no_acknowledged_event(path, open_store):
    rng = random.Random(0)
    acknowledged = []
    for _ in range(10):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True)
        wanted = rng.randint(1, 25)
        acknowledged += [writer.stdout.readline().strip() for _ in range(wanted)]
        writer.send_signal(signal.SIGKILL)
        acknowledged += [line.strip() for line in writer.stdout if line.endswith("\n")]
        writer.wait()
        writer.stdout.close()
    assert len(acknowledged) >= 10
    kept = [event.event_id for event in open_store(path).replay()]
    # a kill may come between the commit and its acknowledgement: such an event is there as well
    assert kept == [f"e{number}" for number in range(len(kept))]
    assert set(acknowledged) <= set(kept)
    assert len(kept) <= len(acknowledged) + 10


def test_a_killed_holder_leaves_no_lock_behind(path, open_store):
    writer = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True)
    writer.stdout.readline()
    writer.kill()
    writer.wait()
    writer.stdout.close()
    store = open_store(path)
    pinned = store.load_question()
    assert pinned is None or pinned[0].rule == "uncertain"
    store.close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]
