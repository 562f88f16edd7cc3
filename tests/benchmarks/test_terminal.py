"""The first frame is what a full-screen program draws: neither what it says before, nor its terminal's modes."""

from __future__ import annotations

import sys

from benchmarks.terminal import Terminal

SCRIPT = r"""
import os, sys, time
def write(text):
    os.write(1, text.encode())
write("starting\r\n")
write("\x1b[?1049h\x1b[?25l\x1b[>25u\x1b[?2026$p\x1b]22;default\x07\x1b[1;1H   \r\n")
time.sleep(0.1)
write("\x1b[2;1H\x1b[1mlabeler\x1b[0m")
sys.stdin.read()
"""


def test_the_first_frame_is_the_first_visible_character_on_the_other_screen():
    with Terminal([sys.executable, "-S", "-c", SCRIPT]) as terminal:
        drawn = terminal.wait_drawn()
        assert "labeler" in terminal.painted
        assert drawn - terminal.started >= 0.1
        terminal.process.terminate()
