"""Modules that are loaded when they are first used."""

from __future__ import annotations

import importlib

import pytest

from labeler.core import lazy


def test_what_stands_for_a_module_looks_a_name_up_once(monkeypatch):
    later, imported = lazy.Later("labeler.core.text"), []
    load = importlib.import_module
    monkeypatch.setattr(importlib, "import_module", lambda name: imported.append(name) or load(name))
    assert imported == []
    assert later.counted is later.counted
    assert imported == ["labeler.core.text"]
    with pytest.raises(AttributeError):
        _ = later.nothing
