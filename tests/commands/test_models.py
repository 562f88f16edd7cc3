from __future__ import annotations

import pytest

from labeler.commands import models
from labeler.plugins import registry


def test_five_of_the_hub_and_one_that_needs_no_download():
    listed = models.listing().models
    assert len([model for model in listed if model.is_from_hub]) == 5
    assert [model.encoder for model in listed if not model.is_from_hub] == ["efficientnet-lite0"]


@pytest.mark.parametrize("model", [each for each in models.MODELS if each.is_from_hub], ids=lambda each: each.encoder)
def test_each_word_is_one_that_encoder_takes(model):
    spec = registry.parse_spec(model.encoder)
    assert str(spec) == model.encoder
    assert registry.entry("encoder", spec.name).extra == model.extra
    if model.is_installed:
        registry.create("encoder", model.encoder)  # asks nobody: tests/hostile/test_sockets.py


def test_the_lines_name_word_size_license_and_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    lines = models.listing().lines()
    assert "--encoder hub:onnx-community/dinov2-small  [pip install '.[hub]']" in lines
    assert lines[lines.index("--encoder hub:Xenova/clip-vit-base-patch32  [pip install '.[hub]']") + 1].startswith(
        "    352 MB, MIT: "
    )
    assert max(map(len, lines)) <= 100


def test_the_one_that_joins_by_itself_is_not_to_be_named():
    lines = models.listing().lines()
    place = next(number for number, line in enumerate(lines) if "efficientnet-lite0" in line)
    assert not lines[place].startswith("--encoder")
    assert "`labeler label photos/` takes it by itself" in lines[place + 1]
    assert lines[-1] == "with --encoder the pictures are looked at by that one alone"


def test_a_program_gets_the_same():
    first = models.listing().to_json()["models"][1]
    assert first["encoder"] == "hub:onnx-community/dinov2-small"
    assert (first["megabytes"], first["license"], first["extra"]) == (88.5, "Apache-2.0", "hub")
    assert first["is_from_hub"] is True
    assert isinstance(first["is_installed"], bool)
