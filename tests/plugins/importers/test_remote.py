"""Images on other machines: fsspec's memory, and a web server on loopback."""

import pytest

from labeler.core.errors import MissingExtra, SourceError, UnreadableInstance
from labeler.plugins.importers import remote
from labeler.plugins.importers.detect import open_source
from tests.remote_places import WHY, Server, memory, png, web  # noqa: F401 - fixtures

pytest.importorskip("fsspec", reason=WHY)
pytest.importorskip("aiohttp", reason=WHY)


class TestBelowAnAddress:
    def test_every_image_is_an_instance(self, memory):  # noqa: F811
        source = remote.open_address(memory)
        assert len(source.ids) == 41
        assert source.ids[:3] == ["memory:///pool/0/0.png", "memory:///pool/0/2.png", "memory:///pool/0/4.png"]
        assert all(name.endswith(".png") for name in source.ids)
        assert [int(source.image(row)[0, 0]) for row in range(20)] == list(range(0, 40, 2))
        assert int(source.image(source.ids.index("memory:///pool/a[1]*.png"))[0, 0]) == 99
        assert source.kind == "remote"
        assert source.location(0) is None

    def test_the_pages_of_a_web_server_are_followed(self, web):  # noqa: F811
        address, _, _ = web
        source = remote.open_address(address)
        assert len(source.ids) == 12
        by_name = {name.rpartition("/")[2]: row for row, name in enumerate(source.ids)}
        assert int(source.image(by_name["7.png"])[0, 0]) == 7

    def test_images_in_their_order_are_fetched_ahead_and_others_alone(self, memory, monkeypatch):  # noqa: F811
        source = remote.open_address(memory)
        sizes = []
        read = remote.read_many
        monkeypatch.setattr(remote, "read_many", lambda names: sizes.append(len(names)) or read(names))
        for row in (30, 3, *range(10, 16)):
            source.content_bytes(row)
        assert sizes == [1, 1, 1, remote.AHEAD - 2]  # 41 in all: fewer are left than are fetched ahead

    def test_nothing_there(self, memory, web):  # noqa: F811
        with pytest.raises(SourceError, match="there is no image at memory://other"):
            remote.open_address("memory://other")
        with pytest.raises(SourceError, match="there is no image at http"):
            remote.open_address(f"{web[0]}/nothing/")

    def test_a_page_that_fails_is_not_passed_over(self, web):  # noqa: F811
        address, _, handler = web
        handler.do_GET = lambda self: self.send_error(503) if self.path.endswith("sub/") else Server.do_GET(self)
        with pytest.raises(SourceError, match="cannot list"):
            remote.open_address(address)

    def test_a_server_that_is_not_there(self):
        with pytest.raises(SourceError, match=r"cannot list http://127\.0\.0\.1:9") as refused:
            remote.open_address("http://127.0.0.1:9/")
        assert "\n" not in refused.value.message


class TestNamedByAText:
    def test_on_the_web_relative_to_itself_or_whole(self, web):  # noqa: F811
        address, folder, _ = web
        (folder / "list.txt").write_text(f"# mine\n0.png\nsub/1.png\r\n{address}/sub/3.png\n\nnotes.md\n0.png\n")
        source = remote.open_address(f"{address}/list.txt")
        assert source.ids == [f"{address}/0.png", f"{address}/sub/1.png", f"{address}/sub/3.png"]
        assert [int(source.image(row)[0, 0]) for row in range(3)] == [0, 1, 3]

    def test_that_is_gone(self, web):  # noqa: F811
        with pytest.raises(SourceError, match="the file is gone"):
            remote.open_address(f"{web[0]}/none.txt")

    def test_on_this_machine_it_is_a_list_as_any_other(self, web, tmp_path):  # noqa: F811
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

    def test_of_addresses_alone_has_the_fingerprint_of_the_addresses(self, memory, tmp_path):  # noqa: F811
        source = remote.open_address(memory)
        (tmp_path / "list.txt").write_text("".join(f"{name}\n" for name in source.ids))
        assert open_source(tmp_path / "list.txt").fingerprint() == source.fingerprint()


class TestWhatGoesWrong:
    def test_an_image_that_is_gone_or_forbidden_is_unreadable(self, web):  # noqa: F811
        address, _, handler = web
        handler.answers["2.png"] = [403]
        contents = remote.read_many([f"{address}/{name}.png" for name in ("0", "none", "2")])
        assert contents[0] == png(0)
        assert [str(content) for content in contents[1:]] == [
            "the file is gone",
            "cannot be read (the server says 403)",
        ]

    @pytest.mark.parametrize("status", [500, 503, 429])
    def test_a_server_in_trouble_makes_nothing_unreadable(self, web, status):  # noqa: F811
        address, _, handler = web
        handler.answers["0.png"] = [status]
        with pytest.raises(remote.Unreachable, match=r"0\.png cannot be reached"):
            remote.read_many([f"{address}/0.png"])
        assert remote.read_many([f"{address}/0.png"]) == [png(0)]

    def test_more_than_the_limit(self, memory, monkeypatch):  # noqa: F811
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
