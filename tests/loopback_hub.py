"""A hub of our own on loopback: what `huggingface_hub` asks of one, with models made by a test."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Repository:
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    main: str = ""
    is_gated: bool = False


class Hub:
    """Repositories by name; `requests` holds what was asked (method, path). Stop it as often as you like."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.requests: list[tuple[str, str]] = []
        self.cut_after: int | None = None  # bytes of a model's file after which the connection breaks, and the hub ends
        self.status: int | None = None  # what it answers to everything
        self.listing: bytes | None = None  # what it answers when it is asked for one
        self.is_slow = False  # whether it sends a byte now and then
        self.ended = threading.Event()
        self.falsify: bytes = b""  # what it sends in place of the last bytes of a model
        self._server: ThreadingHTTPServer | None = None
        self.start()

    def start(self) -> None:
        hub = self

        class Handler(_Handler):
            def __init__(self, *arguments: Any) -> None:
                self.hub = hub
                super().__init__(*arguments)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        server, self._server = self._server, None
        self.ended.set()
        if server is not None:
            server.shutdown()
            server.server_close()

    def publish(self, name: str, files: dict[str, bytes], *, is_gated: bool = False) -> str:
        """Put a commit on top of a model's main branch and return its hash."""
        repository = self.repositories.setdefault(name, Repository())
        content = b"".join(path.encode() + data for path, data in sorted(files.items()))
        commit = hashlib.sha1(content + str(len(repository.commits)).encode()).hexdigest()  # noqa: S324 - as git's
        repository.commits[commit], repository.main, repository.is_gated = dict(files), commit, is_gated
        return commit


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        hub, path = self.hub, self.path.partition("?")[0]
        if hub._server is None:  # stopped, and this connection was held open
            self.close_connection = True
            return
        hub.requests.append((self.command, path))
        if hub.status is not None:
            self._send(hub.status, b"out of order")
            return
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            self._list("/".join(parts[2:4]), "/".join(parts[5:]) or "main")
        elif len(parts) > 4 and parts[2] == "resolve":
            self._resolve("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
        else:
            self._send(404, b"")

    def _commit(self, name: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        repository = self.hub.repositories.get(name)
        if repository is None:
            self._refuse("RepoNotFound", 401)
            return None
        commit = repository.main if revision == "main" else revision
        if commit not in repository.commits:
            self._refuse("RevisionNotFound")
            return None
        return commit, repository.commits[commit]

    def _list(self, name: str, revision: str) -> None:
        if (at := self._commit(name, revision)) is None:
            return
        siblings = []
        for path, content in at[1].items():
            sibling: dict[str, Any] = {"rfilename": path, "size": len(content), "blobId": "0" * 40}
            if path.endswith(".onnx"):  # in LFS: these have a sha256 in the listing
                digest = hashlib.sha256(content).hexdigest()
                sibling["lfs"] = {"sha256": digest, "size": len(content), "pointerSize": 134}
            siblings.append(sibling)
        answer = {"_id": "1", "id": name, "modelId": name, "sha": at[0], "siblings": siblings, "tags": []}
        content = json.dumps(answer).encode() if self.hub.listing is None else self.hub.listing
        self._send(200, content, {"Content-Type": "application/json"})

    def _resolve(self, name: str, revision: str, path: str) -> None:
        if (at := self._commit(name, revision)) is None:
            return
        if self.hub.repositories[name].is_gated:
            self._refuse("GatedRepo", 403)
            return
        if path not in at[1]:
            self._refuse("EntryNotFound")
            return
        content = at[1][path]
        if path.endswith(".onnx") and self.hub.falsify:
            content = content[: -len(self.hub.falsify)] + self.hub.falsify
        headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": at[0]}
        if path.endswith(".onnx") and self.hub.cut_after is not None and self.command == "GET":
            self._break_off(content, headers)
        else:
            self._send(200, content, headers)

    def _break_off(self, content: bytes, headers: dict[str, str]) -> None:
        self._head(200, len(content), headers)
        self.wfile.write(content[: self.hub.cut_after])
        self.wfile.flush()
        self.close_connection = True
        threading.Thread(target=self.hub.stop, daemon=True).start()

    def _refuse(self, code: str, status: int = 404) -> None:
        self._send(status, b"", {"X-Error-Code": code})

    def _send(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self._head(status, len(content), headers or {})
        if self.command == "HEAD":
            return
        if not self.hub.is_slow:
            self.wfile.write(content)
            return
        for byte in content:
            if self.hub.ended.wait(0.05):
                self.close_connection = True
                return
            self.wfile.write(bytes([byte]))
            self.wfile.flush()

    def _head(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(length)} | headers).items():
            self.send_header(name, value)
        self.end_headers()


SIDE = 64
CONFIG = {
    "do_resize": True,
    "size": {"shortest_edge": 72},
    "do_center_crop": True,
    "crop_size": {"height": SIDE, "width": SIDE},
    "do_normalize": True,
    "image_mean": [0.5, 0.4, 0.3],
    "image_std": [0.2, 0.2, 0.2],
    "resample": 3,
}


def tones(cells: int = 4, **options: Any) -> bytes:
    """A model of mean tones over a raster, as bytes: `outputs`, `inputs` besides, `shape`, unused numbers."""
    from onnx import TensorProto, helper

    step = SIDE // cells
    ballast = (
        [helper.make_tensor("ballast", TensorProto.FLOAT, [n], [0.0] * n)] if (n := options.get("ballast")) else []
    )
    outputs, others = options.get("outputs", ("pooler_output",)), options.get("inputs", ())
    nodes = [helper.make_node("AveragePool", ["pixel_values"], ["tones"], kernel_shape=[step] * 2, strides=[step] * 2)]
    nodes += [helper.make_node("Flatten", ["tones"], [name]) for name in outputs]
    taken = [
        helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, options.get("shape", ["n", 3, "h", "w"])),
        *(helper.make_tensor_value_info(name, TensorProto.INT64, ["n"]) for name in others),
    ]
    given = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    graph = helper.make_graph(nodes, "tones", taken, given, ballast)
    content: bytes = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()
    return content


def files(model: bytes | None = None, config: Any = None, file: str = "onnx/model.onnx") -> dict[str, bytes]:
    """The files of a model's repository."""
    content = {"README.md": b"a model", "preprocessor_config.json": json.dumps(config or CONFIG).encode()}
    return content | {file: model if model is not None else tones()}
