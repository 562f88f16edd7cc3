"""Places that are not on this machine's disk, for tests: fsspec's memory, and a web server on loopback.

Fixtures that a test module imports by name; skipped where the extra `remote` is not installed.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

WHY = "the extra is not installed: pip install '.[remote]'"


def png(value: int) -> bytes:
    """A picture of 5 x 4 pixels of one value."""
    out = io.BytesIO()
    Image.fromarray(np.full((4, 5), value, np.uint8)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def memory() -> Iterator[str]:
    """The address of 40 pictures in memory, a text and a name that a pattern would not match."""
    files = pytest.importorskip("fsspec", reason=WHY).filesystem("memory")
    for number in range(40):
        files.pipe(f"/pool/{number % 2}/{number}.png", png(number))
    files.pipe("/pool/notes.txt", b"no image")
    files.pipe("/pool/a[1]*.png", png(99))
    yield "memory://pool"
    files.rm("/pool", recursive=True)


class Server(SimpleHTTPRequestHandler):
    """Serves a folder, and says some answers of its own; `asked` are the paths in order."""

    asked: list[str]
    answers: dict[str, list[int]]

    def do_GET(self) -> None:
        name = unquote(self.path)
        self.asked.append(name)
        left = self.answers.get(name.rpartition("/")[2])
        if left:
            self.send_error(left.pop(0))
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, Path, type[Server]]]:
    """The address of a web server of 12 pictures, its folder, and its handler."""
    pytest.importorskip("aiohttp", reason=WHY)
    pytest.importorskip("fsspec", reason=WHY)
    folder = tmp_path / "served"
    (folder / "sub").mkdir(parents=True)
    for number in range(12):
        (folder / ("sub" if number % 2 else ".") / f"{number}.png").write_bytes(png(number))
    handler = type("Here", (Server,), {"asked": [], "answers": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", folder, handler
    server.shutdown()
    server.server_close()
    thread.join()
