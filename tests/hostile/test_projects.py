"""A project file that somebody else made on purpose: every command answers, or refuses in one line, and soon."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import pytest

from labeler.core.errors import LabelerError
from labeler.project.options import Options
from labeler.store import limits
from labeler.store.settings import OPTIONS
from labeler.store.store import Store
from tests.chaos.mutations import make
from tests.hostile.commands import every_command
from tests.hostile.projects import KINDS, SCHEMAS, Hostile, bent

SECONDS = 10.0
"""Of processor time that any command may take: the promise itself, which nothing here comes near but long journals."""
EACH = {"json": 23, "fields": 17, "arrays": 9, "cells": 29, "schemas": 3, "pages": 6, "journals": 6}
"""Every so many of a kind are made in the quick tests, for the commands that read a file first."""
FIRST = ("status", "check", "label")


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        at_rest, _, _ = make(folder)
    shutil.copy(folder / "digits.npz", at_rest.with_name("digits.npz"))
    return at_rest


@pytest.fixture
def run(sound, tmp_path, monkeypatch):
    """Makes a hostile file and runs commands on it; returns code by command, after asking what must hold of each."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def run(hostile: Hostile, only=None) -> dict[str, int]:
        path = tmp_path / "chaos.labeler.db"
        shutil.copyfile(sound, path)
        hostile.make(path)
        codes, said = {}, {}
        for ended in every_command(path, sound, tmp_path / "scratch", only):
            where = f"{hostile.name}: {ended.command}"
            assert not ended.trouble, f"{where}: {ended.trouble}"
            assert ended.seconds < SECONDS, f"{where} took {ended.seconds:.1f} s"
            codes[ended.command], said[ended.command] = ended.code, ended.said
        if codes.get("status") == 2 and "check" in codes and "never opened with a source" not in said["status"]:
            assert codes["check"], f"{hostile.name}: it is refused, and the check finds nothing"
        return codes

    return run


@pytest.mark.slow
def test_a_sound_file_passes_every_command(run):
    """Else nothing below says anything."""
    codes = run(Hostile("sound", lambda path: None))
    assert set(codes.values()) == {0}, codes
    assert len(codes) == 17


@pytest.mark.mostly_slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.timeout(300)
def test_some_of_each_kind(kind, run):
    for hostile in itertools.islice(KINDS[kind](), 0, None, EACH[kind]):
        run(hostile, FIRST)


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("LABELER_HOSTILE"), reason="a long check of its own: CONTRIBUTING.md")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.timeout(3600)
def test_all_of_each_kind(kind, run):
    """Every file for the commands that read first, every few for all of them."""
    for number, hostile in enumerate(KINDS[kind]()):
        run(hostile, None if number % EACH[kind] == 0 else FIRST)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_program_in_place_of_a_table_is_refused_before_it_runs(name, sound, tmp_path):
    path = tmp_path / "p.labeler.db"
    shutil.copyfile(sound, path)
    bent(path, *SCHEMAS[name], sealed=False)
    before = path.read_bytes()
    for read_only in (True, False):
        with pytest.raises(LabelerError, match="labeler did not put there"):
            Store.open(path, read_only=read_only)
    assert path.read_bytes() == before


def test_the_statistics_of_sqlite_are_nothing_foreign(sound, tmp_path):
    path = tmp_path / "p.labeler.db"
    shutil.copyfile(sound, path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("ANALYZE")
    with closing(Store.open(path)) as store:
        assert store.n_events()


def test_each_option_has_a_check():
    """One that is added later is checked too."""
    assert OPTIONS.keys() == {field.name for field in fields(Options)}


def test_a_budget_ends_reading_of_pages_without_end(sound, tmp_path, monkeypatch):
    """The budget is what ends it, not the check of the pages: without the lift it holds for all that is read."""
    path = tmp_path / "p.labeler.db"
    shutil.copyfile(sound, path)
    monkeypatch.setattr(limits, "SECONDS", 0.2)
    next(h for h in KINDS["pages"]() if h.name.startswith("the pages of project")).make(path)
    with pytest.raises(LabelerError), closing(Store.open(path, read_only=True)) as store:
        store.project()
