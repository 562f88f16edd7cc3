"""Images on other machines: fsspec's memory, and a web server on loopback."""

import io
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from labeler.core.errors import MissingExtra, SourceError, UnreadableInstance
from labeler.plugins.importers import remote
from labeler.plugins.importers.detect import open_source

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed: pip install '.[remote]'")
pytest.importorskip("aiohttp", reason="aiohttp is not installed: pip install '.[remote]'")


def png(value):
    out = io.BytesIO()
    Image.fromarray(np.full((4, 5), value, np.uint8)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def memory():
    """memory://pool with 40 pictures, a text and a name that a pattern would not match."""
    files = fsspec.filesystem("memory")
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

    def do_GET(self):
        name = unquote(self.path)
        self.asked.append(name)
        left = self.answers.get(name.rpartition("/")[2])
        if left:
            self.send_error(left.pop(0))
        else:
            super().do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def web(tmp_path):
    """(address, folder, handler) of a web server."""
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


class TestBelowAnAddress:
    def test_every_image_is_an_instance(self, memory):
        source = remote.open_address(memory)
        assert len(source.ids) == 41
        assert source.ids[:3] == ["memory:///pool/0/0.png", "memory:///pool/0/2.png", "memory:///pool/0/4.png"]
        assert all(name.endswith(".png") for name in source.ids)
        assert [int(source.image(row)[0, 0]) for row in range(20)] == list(range(0, 40, 2))
        assert int(source.image(source.ids.index("memory:///pool/a[1]*.png"))[0, 0]) == 99
        assert source.kind == "remote"
        assert source.location(0) is None

    def test_the_pages_of_a_web_server_are_followed(self, web):
        address, _, _ = web
        source = remote.open_address(address)
        assert len(source.ids) == 12
        by_name = {name.rpartition("/")[2]: row for row, name in enumerate(source.ids)}
        assert int(source.image(by_name["7.png"])[0, 0]) == 7

    def test_images_in_their_order_are_fetched_ahead_and_others_alone(self, memory, monkeypatch):
        source = remote.open_address(memory)
        sizes = []
        read = remote.read_many
        monkeypatch.setattr(remote, "read_many", lambda names: sizes.append(len(names)) or read(names))
        for row in (30, 3, *range(10, 16)):
            source.content_bytes(row)
        assert sizes == [1, 1, 1, remote.AHEAD - 2]  # 41 in all: fewer are left than are fetched ahead

    def test_nothing_there(self, memory, web):
        with pytest.raises(SourceError, match="there is no image at memory://other"):
            remote.open_address("memory://other")
        with pytest.raises(SourceError, match="there is no image at http"):
            remote.open_address(f"{web[0]}/nothing/")

    def test_a_page_that_fails_is_not_passed_over(self, web):
        address, _, handler = web
        handler.do_GET = lambda self: self.send_error(503) if self.path.endswith("sub/") else Server.do_GET(self)
        with pytest.raises(SourceError, match="cannot list"):
            remote.open_address(address)

    def test_a_server_that_is_not_there(self):
        with pytest.raises(SourceError, match=r"cannot list http://127\.0\.0\.1:9") as refused:
            remote.open_address("http://127.0.0.1:9/")
        assert "\n" not in refused.value.message


class TestNamedByAText:
    def test_on_the_web_relative_to_itself_or_whole(self, web):
        address, folder, _ = web
        (folder / "list.txt").write_text(f"# mine\n0.png\nsub/1.png\r\n{address}/sub/3.png\n\nnotes.md\n0.png\n")
        source = remote.open_address(f"{address}/list.txt")
        assert source.ids == [f"{address}/0.png", f"{address}/sub/1.png", f"{address}/sub/3.png"]
        assert [int(source.image(row)[0, 0]) for row in range(3)] == [0, 1, 3]

    def test_that_is_gone(self, web):
        with pytest.raises(SourceError, match="the file is gone"):
            remote.open_address(f"{web[0]}/none.txt")

    def test_on_this_machine_it_is_a_list_as_any_other(self, web, tmp_path):
        address, folder, _ = web
        (folder / "here.png").write_bytes(png(77))
        (tmp_path / "list.txt").write_text(f"{address}/sub/1.png\nserved/here.png\n{address}/none.png\n")
        source = open_source(tmp_path / "list.txt")
        assert source.kind == "list"
        assert [int(source.image(row)[0, 0]) for row in range(2)] == [1, 77]
        assert source.location(0) is None
        assert source.location(1) == folder / "here.png"
        with pytest.raises(UnreadableInstance, match="the file is gone"):
            source.image(2)

    def test_of_addresses_alone_has_the_fingerprint_of_the_addresses(self, memory, tmp_path):
        source = remote.open_address(memory)
        (tmp_path / "list.txt").write_text("".join(f"{name}\n" for name in source.ids))
        assert open_source(tmp_path / "list.txt").fingerprint() == source.fingerprint()


class TestWhatGoesWrong:
    def test_an_image_that_is_gone_or_forbidden_is_unreadable(self, web):
        address, _, handler = web
        handler.answers["2.png"] = [403]
        contents = remote.read_many([f"{address}/{name}.png" for name in ("0", "none", "2")])
        assert contents[0] == png(0)
        assert [str(content) for content in contents[1:]] == [
            "the file is gone",
            "cannot be read (the server says 403)",
        ]

    @pytest.mark.parametrize("status", [500, 503, 429])
    def test_a_server_in_trouble_makes_nothing_unreadable(self, web, status):
        address, _, handler = web
        handler.answers["0.png"] = [status]
        with pytest.raises(remote.Unreachable, match=r"0\.png cannot be reached"):
            remote.read_many([f"{address}/0.png"])
        assert remote.read_many([f"{address}/0.png"]) == [png(0)]

    def test_more_than_the_limit(self, memory, monkeypatch):
        monkeypatch.setattr(remote, "MAX_FILE_BYTES", 10)
        (content,) = remote.read_many([f"{memory}/0/0.png"])
        assert "more than the limit of 10" in str(content)

    @pytest.mark.parametrize(
        ("address", "missing", "error", "line"),
        [
            ("s3://b/x", "s3fs", SourceError, "pip install s3fs"),
            ("gs://b/x", "gcsfs", SourceError, "pip install gcsfs"),
            ("https://b/x", "aiohttp", MissingExtra, r"pip install '.\[remote\]'"),
            ("s3://b/x", "fsspec", MissingExtra, r"pip install '.\[remote\]'"),
        ],
    )
    def test_what_is_not_installed_is_named(self, monkeypatch, address, missing, error, line):
        find = remote.find_spec
        monkeypatch.setattr(remote, "find_spec", lambda name: None if name == missing else find(name))
        with pytest.raises(error) as refused:
            remote.open_address(address)
        assert refused.match("reading")
        assert line.replace("\\", "") in refused.value.hint
        assert not remote.can_read(address)
