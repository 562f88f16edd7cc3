"""onnxruntime where it cannot be loaded: one line, whatever the library raises."""

from __future__ import annotations

import sys

import pytest

from labeler.plugins.encoders.onnx_session import open_session


def test_a_library_that_cannot_be_imported_is_said_in_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ValueError, match=r"onnxruntime cannot be loaded, install it anew: .+") as caught:
        open_session(b"", "a model", 1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "raised", ["ImportError('DLL load failed\\nmore')", "OSError(8, 'Exec format error')", "KeyError"]
)
def test_so_is_whatever_else_its_import_raises(tmp_path, monkeypatch, raised):
    (tmp_path / "onnxruntime.py").write_text(f"raise {raised}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    with pytest.raises(ValueError, match=r"onnxruntime cannot be loaded, install it anew: [^\n]+$"):
        open_session(b"", "a model", 1)
