"""The cache of drawn pictures and its thread."""

import threading
import time

import numpy as np

from labeler.core.errors import UnreadableInstance
from labeler.ui.pictures.cache import Pictures, _Recent
from labeler.ui.pictures.half_blocks import Depth


class Source:
    def __init__(self) -> None:
        self.loaded: list[int] = []
        self.ready: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.busy = threading.Event()  # the thread has an instance in hand

    def load(self, index: int) -> np.ndarray:
        self.busy.set()
        self.gate.wait(60)
        self.loaded.append(index)
        if index == 13:
            raise UnreadableInstance("cut short")
        if index == 14:
            raise RuntimeError("boom")
        return np.full((8, 8), index, dtype=np.uint8)


def pictures(source: Source) -> Pictures:
    return Pictures(source.load, source.ready.append, Depth.TRUE)


def wait_for(condition) -> None:
    for _ in range(6000):  # a minute: a bound for a machine that does much else
        if condition():
            return
        time.sleep(0.01)
    raise TimeoutError


def test_what_is_not_there_is_drawn_announced_and_kept():
    source = Source()
    cache = pictures(source)
    assert cache.strips(3, 16, 8) is None
    wait_for(lambda: source.ready == [3])
    drawn = cache.strips(3, 16, 8)
    assert (drawn.height, drawn.width) == (8, 8)
    assert len(drawn.strips) == 8
    assert cache.strips(3, 16, 8) is drawn
    cache.close()


def test_another_size_is_drawn_without_reading_the_file_again():
    source = Source()
    cache = pictures(source)
    cache.strips(3, 16, 8)
    wait_for(lambda: source.ready == [3])
    cache.strips(3, 32, 16)
    wait_for(lambda: source.ready == [3, 3])
    assert source.loaded == [3]
    cache.close()


def test_the_question_goes_before_what_is_expected():
    source = Source()
    source.gate.clear()
    cache = pictures(source)
    cache.expect(range(100, 108), 16, 8)
    assert source.busy.wait(60)  # the thread waits with the first of them in hand
    cache.strips(5, 16, 8)
    cache.strips(107, 16, 8)  # expected, and now asked for
    source.gate.set()
    wait_for(lambda: len(source.ready) == 2)
    assert source.loaded[:3] == [100, 5, 107]
    wait_for(lambda: len(source.loaded) == 9)
    assert source.ready == [5, 107]  # what was only expected is not announced
    cache.close()


def test_broken_files_end_neither_the_thread_nor_the_others():
    source = Source()
    cache = pictures(source)
    for index in (13, 14, 15):
        cache.strips(index, 16, 8)
    wait_for(lambda: len(source.ready) == 3)
    assert cache.strips(13, 16, 8).trouble == "cut short"
    assert cache.strips(14, 16, 8).trouble == "RuntimeError: boom"
    assert cache.strips(15, 16, 8).strips
    cache.close()


def test_the_cache_forgets_what_was_used_longest_ago():
    kept = _Recent(10)
    for number in range(5):
        kept.put(number, str(number), 3)
    kept.get(3)
    kept.put(9, "nine", 5)
    assert [number for number in range(10) if kept.get(number) is not None] == [3, 9]
    kept.put(1, "larger than all", 100)
    assert kept.get(1) == "larger than all"


def test_no_room_is_no_work():
    source = Source()
    cache = pictures(source)
    assert cache.strips(3, 0, 8) is None
    cache.expect([1], 16, 0)
    time.sleep(0.05)
    assert source.loaded == []
    cache.close()
