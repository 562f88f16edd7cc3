"""What is written to a terminal that is gone, or that nobody reads: it neither raises nor lasts for ever."""

from __future__ import annotations

import os
import threading

import pytest

from labeler.ui.signals import Ending
from labeler.ui.terminal import Output

PATIENCE = 60
MUCH = "x" * 1_000_000


@pytest.fixture
def pair():
    ours, theirs = os.openpty()
    closed = []

    def close(descriptor):
        if descriptor not in closed:
            closed.append(descriptor)
            os.close(descriptor)

    yield ours, theirs, close
    close(ours)
    close(theirs)


def written(output, text):
    """Write in a thread, as the driver does; the thread."""
    thread = threading.Thread(target=lambda: (output.write(text), output.flush()), daemon=True)
    thread.start()
    return thread


def test_what_is_read_comes_whole(pair):
    ours, theirs, _ = pair
    thread, came = written(Output(theirs, "utf-8", lambda: False), MUCH), 0
    while came < len(MUCH):
        came += len(os.read(ours, 1 << 16))
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert came == len(MUCH)


def test_nobody_reads_and_it_waits_until_it_is_told_to_give_up(pair):
    _, theirs, _ = pair
    told = threading.Event()
    thread = written(Output(theirs, "utf-8", told.is_set), MUCH)
    thread.join(0.3)
    assert thread.is_alive()
    told.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_terminal_that_is_gone_takes_everything(pair):
    ours, theirs, close = pair
    output = Output(theirs, "utf-8", lambda: False)
    close(ours)
    thread = written(output, MUCH)
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_the_first_signal_counts_and_time_runs_from_it():
    ending = Ending()
    assert ending.waited == 0
    ending.ask(15)
    ending.ask(1)
    assert ending.number == 15
    assert ending.waited >= 0
