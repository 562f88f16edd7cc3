"""What a project pinned holds where the same is named again, and gives way to what says otherwise."""

from __future__ import annotations

import pytest

from labeler.core import steps
from labeler.core.errors import UsageError
from labeler.plugins.pins import in_force, is_pin_of, pinned

COMMIT, SHA = "a" * 40, "b" * 64
PINNED = f"hub:org/name:file=onnx/model.onnx,processor={'c' * 16},revision={COMMIT},sha256={SHA}"


@pytest.mark.parametrize(
    "given",
    ["hub:org/name", "hub:org/name:file=onnx/model.onnx", f"hub:org/name:revision={COMMIT}", PINNED],
)
def test_the_same_named_again_is_what_was_pinned(given):
    assert in_force("encoder", given, PINNED) == PINNED


@pytest.mark.parametrize(
    "given",
    [
        "hub:org/other",
        "hub:org/name:revision=main",
        "hub:org/name:file=onnx/model_quantized.onnx",
        "hub:org/name:output=logits",
        f"hub:org/name:sha256={'d' * 64}",
        "pca",
        "mine-that-nobody-brought",
    ],
)
def test_what_says_otherwise_is_a_change(given):
    assert in_force("encoder", given, PINNED) == given


def test_a_parameter_that_is_no_pin_is_never_filled_in():
    assert in_force("encoder", "pca", "pca:n_components=40") == "pca"
    assert in_force("encoder", "hub:org/name", "hub:org/name:output=logits") == "hub:org/name"


def test_an_encoder_that_takes_nothing_from_elsewhere_is_left_as_it_is():
    assert steps.run(pinned("encoder", "pca:n_components=40")) == "pca:n_components=40"
    with pytest.raises(UsageError, match="no encoder is called"):
        steps.run(pinned("encoder", "nothing"))


@pytest.mark.parametrize(
    ("named", "is_one"),
    [
        ("hub:org/name", True),
        ("hub:org/name:revision=main", True),
        ("hub:org/name:file=onnx/model.onnx", True),
        (PINNED, False),
        ("hub:org/other", False),
        ("hub:org/name:output=logits", False),
        ("pca", False),
        ("", False),
    ],
)
def test_a_pin_is_of_what_was_named(named, is_one):
    assert is_pin_of("encoder", PINNED, named) is is_one
    assert not is_pin_of("encoder", "features", named)
    assert not is_pin_of("encoder", "pca:n_components=2", "pca")
