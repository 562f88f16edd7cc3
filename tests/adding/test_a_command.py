"""A newcomer adds a command: a module for what it does, its options at the command line, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
import types
from dataclasses import dataclass

import click
import pytest

from labeler import cli, commands
from labeler.cli.command import command
from labeler.cli.main import main
from labeler.cli.output import narrator_of
from labeler.commands.result import Result
from labeler.core.errors import UsageError
from labeler.core.types import Progress


@dataclass(frozen=True, slots=True)
class Wordcount(Result):
    """How many words a file holds."""

    file: str
    n_words: int
    notes: list[str]

    def lines(self):
        return [f"{self.n_words} words in {self.file}"]

    def warnings(self):
        return self.notes

    def is_success(self):
        return self.n_words > 0


def wordcount(path, progress=lambda _: None):
    """The module's function: no terminal, no click."""
    progress(Progress("counting"))
    if not path.exists():
        raise UsageError(f"there is no file {path}", "check the path")
    return Wordcount(path.name, len(path.read_text().split()), ["words are what spaces part"])


@pytest.fixture
def added(monkeypatch):
    """The command `wordcount`, as two files would add it; gone again afterwards."""
    module = types.ModuleType("labeler.commands.wordcount")
    module.wordcount = wordcount
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(main, "commands", dict(main.commands))
    monkeypatch.setattr(main, "headings", {heading: list(names) for heading, names in main.headings.items()})

    @command("Inspect", "wordcount", project=True, json=True)
    @click.option("--twice", is_flag=True, help="Count twice.")
    def count(project, twice):
        """Count the words of a file.

        Example: labeler wordcount FILE
        """
        with narrator_of() as narrator:
            for _ in range(1 + twice):
                result = commands.wordcount.wordcount(project, narrator.progress)
            return result


@pytest.fixture
def labeler(monkeypatch, capsys):
    """Runs the program in this process: (exit code, standard output, standard error)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["labeler", *map(str, arguments)])
        code = 0
        try:
            cli.run(0.0)
        except SystemExit as ended:
            code = ended.code
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("three small words")
    return path


def test_it_stands_in_the_help_under_its_heading_and_says_its_options(added, labeler):
    text = labeler("--help")[1]
    section = text.partition("Inspect:")[2].partition("Export:")[0]
    assert section.splitlines()[-2].split(maxsplit=1) == ["wordcount", "Count the words of a file."]
    options = labeler("wordcount", "--help")[1]
    assert "[OPTIONS] PROJECT" in options
    order = [options.index(name) for name in ("--twice", "--json", "--quiet", "--help")]
    assert order == sorted(order)


def test_it_prints_for_a_person_and_for_a_program_and_notes_go_beside(added, labeler, file):
    assert labeler("wordcount", file) == (0, "3 words in words.txt\n", "note: words are what spaces part\n")
    code, out, _ = labeler("wordcount", file, "--json", "--twice")
    assert code == 0
    assert json.loads(out) == {"file": "words.txt", "n_words": 3, "notes": ["words are what spaces part"]}


def test_an_outcome_that_was_not_hoped_for_is_printed_and_ends_with_one(added, labeler, file):
    file.write_text("")
    assert labeler("wordcount", file)[:2] == (1, "0 words in words.txt\n")


@pytest.mark.parametrize("arguments", [("wordcount", "nowhere.txt"), ("wordcount",), ("wordcount", "x", "--thrice")])
def test_errors_are_two_lines_and_exit_code_2(added, labeler, arguments):
    code, out, err = labeler(*arguments)
    assert (code, out) == (2, "")
    first, second = err.splitlines()
    assert first.startswith("labeler: ")
    assert second.startswith("  ")


def test_nothing_of_it_stays(labeler):
    assert "wordcount" not in labeler("--help")[1]
    with pytest.raises(AttributeError, match="no attribute 'wordcount'"):
        _ = commands.wordcount


def test_the_modules_of_the_commands_are_loaded_when_they_are_used_and_not_before():
    code = "import sys, labeler.cli; print(*[name for name in sys.modules if name.startswith('labeler.commands.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
