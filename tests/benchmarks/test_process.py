"""A process measured from outside; where it is stopped, how far it had come."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from benchmarks.rows.process import Used, cpu_so_far, in_turns, median_of, run


def script(*lines: str) -> list[str]:
    return [sys.executable, "-S", "-c", "\n".join(lines)]


def test_the_last_object_of_its_output_is_what_it_reports():
    used = run(script("print('{\"a\": 1}')", "print('{\"a\": 2}')", "print('a word')"))
    assert (used.facts, used.ended) == ({"a": 2}, True)
    assert 0 < used.cpu < 10
    assert used.peak_mb > 1


def test_what_is_stopped_says_how_far_it_came():
    used = run(script("import time", "print('{\"rows\": 7}', flush=True)", "time.sleep(60)"), limit=0.25)
    assert not used.ended
    assert used.wall < 30


def test_the_work_of_a_child_is_counted():
    work = "sum(range(4_000_000))"
    used = run(script("import subprocess, sys", f"subprocess.run([sys.executable, '-S', '-c', '{work}'])"))
    alone = run(script(work))
    assert used.cpu > 0.5 * alone.cpu


def test_a_failure_is_raised_with_its_last_words():
    with pytest.raises(RuntimeError, match="no such thing"):
        run(script("raise SystemExit('no such thing')"))


def test_turns_end_where_the_next_one_would_not_fit():
    order: list[str] = []

    def measure(name: str, seconds: float) -> Used:
        order.append(name)
        time.sleep(seconds)
        return Used(len(order), seconds, 1.0, {}, True)

    jobs = {"a": lambda: measure("a", 0.03), "b": lambda: measure("b", 0.0)}
    runs = in_turns(jobs, most=50, budget=0.1)
    assert order[:4] == ["a", "b", "a", "b"] or len(runs["a"]) == 1  # a stalled machine has no time for a second turn
    assert 1 <= len(runs["a"]) < 50
    assert len(runs["a"]) == len(runs["b"])
    assert [len(each) for each in in_turns(jobs, most=2, budget=1e9).values()] == [2, 2]


def test_the_median_is_of_the_figure_that_is_named():
    runs = [Used(cpu, 1.0, mb, {}, True) for cpu, mb in ((3.0, 10.0), (1.0, 30.0), (2.0, 20.0))]
    assert (median_of(runs, "cpu"), median_of(runs, "peak_mb")) == (2.0, 20.0)


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="the system tells nothing of running processes")
def test_the_work_of_what_runs_is_counted_with_its_children():
    busy = "x = 0\nwhile True: x += 1"
    parent = subprocess.Popen(
        script("import subprocess, sys", f"subprocess.run([sys.executable, '-S', '-c', {busy!r}])")
    )
    try:
        end = time.monotonic() + 30
        while cpu_so_far(parent.pid) - cpu_so_far(parent.pid, alone=True) < 0.05 and time.monotonic() < end:
            time.sleep(0.01)
        assert cpu_so_far(parent.pid) - cpu_so_far(parent.pid, alone=True) >= 0.05
    finally:
        for task in os.listdir(f"/proc/{parent.pid}/task"):
            with open(f"/proc/{parent.pid}/task/{task}/children") as children:
                for child in children.read().split():
                    os.kill(int(child), 9)
        parent.kill()
        parent.wait()
    assert cpu_so_far(parent.pid) == 0.0
