from __future__ import annotations

import pytest

from labeler.core.errors import HubError
from labeler.plugins.encoders.hub_choice import choose_file, choose_output
from labeler.plugins.encoders.hub_files import Listing

VARIANTS = ("bnb4", "fp16", "int8", "q4", "quantized", "uint8")
DINO = [f"onnx/model{suffix}.onnx" for suffix in ("", *(f"_{name}" for name in VARIANTS))]
CLIP = [f"onnx/{part}{suffix}.onnx" for part in ("model", "text_model", "vision_model") for suffix in ("", "_fp16")]


def listing(*files):
    return Listing("a" * 40, dict.fromkeys(["README.md", "config.json", *files], 1), {})


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        (DINO, "onnx/model.onnx"),
        (CLIP, "onnx/vision_model.onnx"),
        (["model.onnx", "onnx/model.onnx"], "onnx/model.onnx"),
        (["model.onnx"], "model.onnx"),
        (["dinov2_vits14.onnx"], "dinov2_vits14.onnx"),
        (["onnx/visual.onnx", "onnx/textual.onnx"], "onnx/visual.onnx"),
    ],
)
def test_the_one_of_images_in_full_precision_is_taken(files, chosen):
    assert choose_file("org/name", listing(*files), "") == chosen


def test_one_that_is_named_is_taken_and_one_that_is_not_there_is_said():
    assert choose_file("org/name", listing(*DINO), "onnx/model_int8.onnx") == "onnx/model_int8.onnx"
    with pytest.raises(HubError, match=r"has no model\.onnx") as caught:
        choose_file("org/name", listing(*DINO), "model.onnx")
    assert caught.value.hint == (
        "it has: onnx/model.onnx, onnx/model_bnb4.onnx, onnx/model_fp16.onnx, onnx/model_int8.onnx,"
        " onnx/model_q4.onnx, onnx/model_quantized.onnx, 1 more"
    )


@pytest.mark.parametrize("files", [["a.onnx", "b.onnx"], ["a/model.onnx", "b/model.onnx"], DINO[1:]])
def test_where_it_cannot_be_told_the_candidates_are_named(files):
    with pytest.raises(HubError, match="cannot be told which file of org/name") as caught:
        choose_file("org/name", listing(*files), "")
    assert files[0] in caught.value.hint
    assert "file=" in caught.value.hint


def test_without_an_onnx_file_it_is_said_where_some_are():
    with pytest.raises(HubError, match="org/name has no ONNX file") as caught:
        choose_file("org/name", listing("model.safetensors"), "")
    assert "labeler models" in caught.value.hint


def test_a_name_that_a_spec_could_not_hold_is_no_candidate():
    assert choose_file("org/name", listing("a,b=c.onnx", "e\x1b[2J.onnx", "ok.onnx"), "") == "ok.onnx"


@pytest.mark.parametrize(
    ("outputs", "chosen"),
    [
        (["last_hidden_state", "pooler_output"], "pooler_output"),
        (["text_embeds", "image_embeds", "last_hidden_state"], "image_embeds"),
        (["last_hidden_state", "attentions"], "last_hidden_state"),
        (["anything"], "anything"),
    ],
)
def test_the_best_summary_of_an_image_is_taken(outputs, chosen):
    assert choose_output(outputs) == chosen


def test_outputs_of_unknown_names_are_named():
    with pytest.raises(ValueError, match="output=: one, two"):
        choose_output(["one", "two"])
