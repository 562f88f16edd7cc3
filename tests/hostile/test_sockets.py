"""Nothing opens a socket: no command, not the application, not its worker, no module when it is imported.

The one exception there is to be is `labeler serve`, the application in a browser on this machine. It gets an entry of
its own here when it comes; until then a socket anywhere is a mistake (or somebody's surprise).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.terminal import Terminal
from labeler.api import Options, open_project
from tests.test_cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]

GUARD = '''
import sys
def _forbid(event, arguments):
    if event.startswith("socket.") and event != "socket.__new__" or event == "socket.__new__" and arguments[1] not in (1,):
        import os
        os.write(os.open(os.environ["SEEN"], os.O_WRONLY | os.O_APPEND | os.O_CREAT), f"{event} {arguments!r}\\n".encode())
        raise RuntimeError("no socket is opened by anything")
sys.addaudithook(_forbid)
'''
'''Put into every Python process by its path. A pair of local sockets (family 1) is how an event loop wakes itself up.'''
