"""The program run inside the tests' process, as a shell would, and what every answer of it must be."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from labeler import cli
from tests.fuzz.targets import UNSAFE

Done = subprocess.CompletedProcess


@pytest.fixture
def labeler(monkeypatch, capfdbinary, tmp_path) -> Callable[..., Done]:
    """Runs a command in `tmp_path`; its exit code and what it wrote. Nothing in it may be acted upon by a terminal.

    `data`: standard output is a table for another program, and holds names as they are.
    """

    def run(*arguments: Any, data: bool = False, **env: str) -> Done:
        with monkeypatch.context() as patch:
            patch.chdir(tmp_path)
            patch.setattr(sys, "argv", ["labeler", *(os.fspath(a) for a in arguments)])
            for name, value in env.items():
                patch.setenv(name, value)
            if "TEXTUAL_DRIVER" in env:
                patch.setattr("textual.constants.DRIVER", env["TEXTUAL_DRIVER"])  # read when Textual is loaded
            capfdbinary.readouterr()
            code: Any = 0
            try:
                cli.run(0.0)
            except SystemExit as ended:
                code = ended.code or 0
        out, err = capfdbinary.readouterr()
        for stream in (err,) if data else (out, err):
            for line in stream.decode().split("\n"):
                assert not UNSAFE.search(line.replace("\t", "")), line
        assert b"Traceback" not in err
        return Done(arguments, code, out.decode(), err.decode())

    return run


@pytest.fixture
def refused(labeler) -> Callable[..., str]:
    """Runs a command that has to be refused: exit code 2, one line what is wrong, one what to do."""

    def run(*arguments: Any, **env: str) -> str:
        done = labeler(*arguments, **env)
        assert done.returncode == 2, done
        said = done.stderr.splitlines()
        assert len(said) == 2, done.stderr
        assert said[0].startswith("labeler: ")
        assert said[1].startswith("  ")
        assert said[1].strip()
        assert not done.stdout
        return str(done.stderr)

    return run
