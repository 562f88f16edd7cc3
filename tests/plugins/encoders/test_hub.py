"""A model of the hub as an encoder: chosen, downloaded once, pinned; and everything that may be wrong with one."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest

from labeler.core import steps
from labeler.core.errors import HubError, MissingExtra, UsageError
from labeler.plugins import registry
from labeler.plugins.encoders import hub_files
from labeler.plugins.encoders.hub_files import MAIN, Listing
from labeler.plugins.pins import pinned
from tests.loopback_hub import CONFIG, SIDE, files, tones

NAME = "org/tones"


def pin(spec=f"hub:{NAME}"):
    return steps.run(pinned("encoder", spec))


def pictures(n=5, height=72, width=72):
    return np.random.default_rng(0).integers(0, 256, (n, height, width, 3)).astype(np.uint8)


def refused(spec=f"hub:{NAME}"):
    """The error of a model that cannot be had: one line what, one line what to do."""
    with pytest.raises(HubError) as caught:
        pin(spec)
    assert caught.value.message
    assert caught.value.hint
    assert "\n" not in caught.value.message + caught.value.hint
    return caught.value


def blobs(tmp_path):
    """The files in the cache, without its locks."""
    return [path for path in (tmp_path / "hub-cache").rglob("*") if path.is_file() and ".locks" not in path.parts]


def test_the_first_use_downloads_and_pins(hub):
    commit = hub.publish(NAME, files())
    spec = pin()
    sha, config = (
        hashlib.sha256(files()[name]).hexdigest() for name in ("onnx/model.onnx", "preprocessor_config.json")
    )
    assert spec == f"hub:{NAME}:file=onnx/model.onnx,processor={config[:16]},revision={commit},sha256={sha}"
    assert pin(spec) == spec
    downloads = [path for method, path in hub.requests if method == "GET" and "/resolve/" in path]
    assert len(downloads) == 2


def test_features_are_the_models_output_of_its_own_preprocessing(hub):
    hub.publish(NAME, files())
    images = pictures()
    encoder = registry.create("encoder", pin()).fit(images)
    features = encoder.transform(images)
    cropped = images[:, 4:68, 4:68].reshape(5, 4, 16, 4, 16, 3).mean(axis=(2, 4)) / 255
    expected = ((cropped - [0.5, 0.4, 0.3]) / 0.2).transpose(0, 3, 1, 2).reshape(5, -1)
    np.testing.assert_allclose(features, expected, atol=1e-4)
    assert features.dtype == np.float32
    assert encoder.transform(images[:0]).shape == (0, 48)
    grey = encoder.transform(images[..., 0])
    np.testing.assert_allclose(grey.reshape(5, 3, 16)[:, 0] * 0.2 + 0.5, grey.reshape(5, 3, 16)[:, 2] * 0.2 + 0.3, 1e-5)
    with pytest.raises(ValueError, match="takes images"):
        encoder.fit(np.zeros((3, 5), np.float32))


def test_once_pinned_and_in_the_cache_no_network_is_touched(hub):
    hub.publish(NAME, files())
    spec = pin()
    hub.stop()
    asked = list(hub.requests)
    assert pin(spec) == spec
    assert registry.create("encoder", spec).fit(pictures()).transform(pictures()).shape == (5, 48)
    assert hub.requests == asked


def test_a_name_says_what_is_there_now_and_a_pin_what_was_there_then(hub):
    hub.publish(NAME, files(tones(4)))
    before = pin()
    hub.publish(NAME, files(tones(2)))
    assert registry.create("encoder", before).fit(pictures()).transform(pictures()).shape == (5, 48)
    after = pin(f"hub:{NAME}:revision={MAIN}")
    assert after != before
    assert registry.create("encoder", after).fit(pictures()).transform(pictures()).shape == (5, 12)


def test_another_machine_downloads_the_pinned_commit(hub, monkeypatch, tmp_path):
    hub.publish(NAME, files(tones(4)))
    spec = pin()
    hub.publish(NAME, files(tones(2)))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "another"))
    hub.requests.clear()
    assert registry.create("encoder", spec).fit(pictures()).transform(pictures()).shape == (5, 48)
    commit = registry.parse_spec(spec).parameters["revision"]
    assert all(commit in path for _, path in hub.requests if NAME in path)


def test_other_content_under_the_pinned_commit_is_refused(hub, monkeypatch, tmp_path):
    hub.publish(NAME, files())
    spec = pin()
    commit = registry.parse_spec(spec).parameters["revision"]
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "another"))
    for other, what in ((files(tones(2)), "onnx/model.onnx"), (files(config=CONFIG | {"resample": 2}), "preproc")):
        hub.repositories[NAME].commits[commit] = other
        with pytest.raises(HubError, match=f"{what}.* of {NAME} is not what was pinned") as caught:
            registry.create("encoder", spec).fit(pictures())
        assert f"hub:{NAME}:revision={MAIN}" in caught.value.hint
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "a third"))


def test_a_file_that_was_changed_in_the_cache_is_refused(hub, tmp_path):
    hub.publish(NAME, files())
    spec = pin()
    model = next(path for path in blobs(tmp_path) if path.name == "model.onnx")
    model.resolve().write_bytes(tones(2))
    with pytest.raises(HubError, match="is not what was pinned") as caught:
        registry.create("encoder", spec).fit(pictures())
    assert str(model) in caught.value.hint


def test_another_sha256_than_a_person_asks_for_is_refused(hub):
    hub.publish(NAME, files())
    assert "its sha256 is" in refused(f"hub:{NAME}:sha256={'0' * 64}").message


def test_what_arrives_otherwise_than_it_is_listed_is_refused(hub):
    hub.publish(NAME, files())
    hub.falsify = b"\x00\x01\x02"
    error = refused()
    assert f"onnx/model.onnx of {NAME} did not arrive as the hub has it" in error.message


def test_a_person_may_name_file_and_revision(hub):
    first = hub.publish(NAME, files() | {"onnx/model_fp16.onnx": tones(2)})
    hub.publish(NAME, files(tones(8)))
    spec = pin(f"hub:{NAME}:file=onnx/model_fp16.onnx,revision={first}")
    assert "file=onnx/model_fp16.onnx" in spec
    assert f"revision={first}" in spec
    assert registry.create("encoder", spec).fit(pictures()).transform(pictures()).shape == (5, 12)


def test_output_and_threads_stay_in_the_spec(hub):
    hub.publish(NAME, files(tones(outputs=("last", "other"))))
    assert "cannot be told which output" in refused().message
    spec = pin(f"hub:{NAME}:output=other,threads=2")
    assert registry.parse_spec(spec).parameters["output"] == "other"
    assert registry.parse_spec(spec).parameters["threads"] == 2
    assert "no output 'third'" in refused(f"hub:{NAME}:output=third").message


def test_without_the_hub_what_is_in_the_cache_serves_another_project(hub):
    hub.publish(NAME, files())
    spec = pin()
    hub.stop()
    assert pin() == spec


# -- what may be wrong -----------------------------------------------------------------------------------------------


def test_an_unknown_name(hub):
    error = refused("hub:org/nothing")
    assert error.message == "the hub has no model org/nothing, or it is private"
    assert "labeler models" in error.hint


def test_an_unknown_revision(hub):
    hub.publish(NAME, files())
    assert "no revision nowhere of org/tones" in refused(f"hub:{NAME}:revision=nowhere").message


def test_a_gated_model(hub):
    hub.publish(NAME, files(), is_gated=True)
    error = refused()
    assert "gated" in error.message
    assert "hf auth login" in error.hint


def test_no_hub_at_all(hub):
    hub.publish(NAME, files())
    hub.stop()
    error = refused()
    assert f"the hub did not give {NAME}" in error.message
    assert "online" in error.hint


@pytest.mark.parametrize("status", [500, 503, 403, 429])
def test_a_hub_that_is_out_of_order(hub, status):
    hub.publish(NAME, files())
    hub.status = status
    assert f"(status {status})" in refused().message


def test_offline_by_choice(hub, monkeypatch):
    hub.publish(NAME, files())
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE" in refused().message
    assert not hub.requests


def test_a_download_that_breaks_off_leaves_nothing_half_and_is_done_again(hub, tmp_path):
    hub.publish(NAME, files())
    hub.cut_after = 40
    error = refused()
    assert f"the hub did not give {NAME}" in error.message
    assert not [path for path in blobs(tmp_path) if path.name == "model.onnx" or path.suffix == ".incomplete"]


def test_no_onnx_file(hub):
    hub.publish(NAME, {"model.safetensors": b"weights", "preprocessor_config.json": b"{}"})
    assert refused().message == f"the model {NAME} has no ONNX file"


def test_no_preprocessing(hub):
    hub.publish(NAME, {"onnx/model.onnx": tones()})
    error = refused()
    assert error.message == f"the model {NAME} has no preprocessor_config.json"
    assert "onnx:model=FILE" in error.hint


def test_odd_preprocessing_is_said_before_the_model_is_downloaded(hub):
    hub.publish(NAME, files(config=CONFIG | {"do_pad": True}))
    assert "it asks for do_pad" in refused().message
    assert not [path for _, path in hub.requests if path.endswith(".onnx")]


def test_weights_in_a_second_file(hub):
    hub.publish(NAME, files() | {"onnx/model.onnx_data": b"weights", "onnx/model_int8.onnx": tones()})
    error = refused()
    assert "onnx/model.onnx_data" in error.message
    assert error.hint.endswith("onnx/model_int8.onnx")


def test_a_file_that_no_onnx_file_can_be(hub, monkeypatch):
    hub.publish(NAME, files())
    monkeypatch.setattr("labeler.plugins.encoders.hub.MAX_MODEL", 10)
    assert "too many" in refused().message
    assert not [path for _, path in hub.requests if path.endswith(".onnx")]


@pytest.mark.parametrize(
    ("model", "what"),
    [
        (b"no model at all", "no ONNX model that can be run"),
        ({"inputs": ("input_ids",)}, "takes more than images: pixel_values, input_ids"),
        ({"shape": ["n", 3, 32, 32]}, "takes 3 x 32 x 32"),
        ({"shape": ["n", 1, "h", "w"]}, "takes 1 x any x any"),
    ],
)
def test_a_model_that_cannot_be_used_is_not_pinned(hub, model, what):
    content = model if isinstance(model, bytes) else tones(**model)
    hub.publish(NAME, files(content))
    assert what in refused().message


@pytest.mark.parametrize(
    "spec",
    [
        "hub",
        "hub:",
        "hub:name",
        "hub:a/b/c",
        "hub:../b",
        "hub:org/a..b",
        "hub:org/-",
        "hub:org/name:file=../../x.onnx",
        "hub:org/name:file=/etc/x.onnx",
        "hub:org/name:file=model.bin",
        "hub:org/name:revision=../main",
        "hub:org/name:revision=a b",
        "hub:org/name:sha256=abc",
        f"hub:org/name:sha256={'G' * 64}",
        "hub:org/name:processor=1",
        "hub:org/name:threads=0",
        "hub:org/name:nonsense=1",
        "hub:https://host/name",
    ],
)
def test_what_is_no_spec_is_refused_before_anything_is_asked(hub, spec):
    with pytest.raises(UsageError):
        registry.create("encoder", spec)
    assert not hub.requests


def test_a_listing_that_is_not_a_hubs(hub, monkeypatch):
    hub.publish(NAME, files())
    monkeypatch.setattr(hub.repositories[NAME], "main", "short")
    hub.repositories[NAME].commits["short"] = files()
    assert "names no commit" in refused().message


SHA = "0" * 40


def listing(*siblings, sha=SHA):
    whole = {"_id": "1", "id": NAME, "modelId": NAME, "sha": sha, "siblings": list(siblings), "tags": []}
    return json.dumps(whole).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"\x00\xff<html>",
        b"[]",
        b"null",
        b"",
        listing({"rfilename": "onnx/model.onnx", "size": "big"}),
        listing({"rfilename": "onnx/model.onnx", "size": [1]}),
        listing({"rfilename": "onnx/model.onnx", "size": True}),
        listing({"rfilename": "onnx/model.onnx", "size": -5}),
        listing({"rfilename": "onnx/model.onnx", "size": 1e300}),
        listing({"rfilename": "onnx/model.onnx", "lfs": {"sha256": 5, "size": 1, "pointerSize": 1}}),
        listing({"rfilename": "onnx/model.onnx", "lfs": {"sha256": "../x", "size": 1, "pointerSize": 1}}),
        listing({"rfilename": "onnx/model.onnx", "lfs": 5}),
        listing({"rfilename": 5}),
        listing({"rfilename": ["onnx/model.onnx"]}),
        listing({}),
        listing("abc"),
        listing(None),
        listing().replace(b"[]", b'"abc"', 1),
        listing().replace(b"[]", b"5", 1),
        listing(sha="../" * 13 + "x"),
        listing(sha="A" * 40),
        listing(sha=[0] * 40),
    ],
)
def test_a_listing_of_garbage_is_one_line(hub, content):
    hub.publish(NAME, files())
    hub.listing = content
    error = refused()
    assert error.hint == "is HF_ENDPOINT a hub?"
    assert "hub" in error.message.split(NAME)[0]  # and nothing of what the library tripped over:
    assert not re.search("argument|object|attribute|mapping|index|value|NoneType|char", error.message)


@pytest.mark.parametrize("name", ["../../x.onnx", "/etc/x.onnx", "a/../../x.onnx"])
def test_no_file_outside_of_a_model_is_taken(hub, tmp_path, name):
    hub.publish(NAME, {"preprocessor_config.json": json.dumps(CONFIG).encode(), name: tones()})
    refused()
    assert not list(tmp_path.rglob("x.onnx"))


def test_a_hub_that_sends_a_byte_now_and_then_is_given_up_with_signs_of_life(hub, monkeypatch):
    monkeypatch.setattr(hub_files, "LIMIT", 0.2)
    hub.publish(NAME, files())
    hub.is_slow = True
    said = []
    with pytest.raises(HubError, match=f"the hub is too slow to give {NAME}") as caught:
        steps.run(pinned("encoder", f"hub:{NAME}"), said.append)
    assert caught.value.is_unreachable
    assert {step.what for step in said} == {f"asking the hub for {NAME}"}
    assert len(said) > 1


def test_so_is_a_download_of_which_nothing_arrives(hub, monkeypatch):
    hub.publish(NAME, files())
    commit = hub.repositories[NAME].main
    listed = Listing(commit, {"onnx/model.onnx": 20}, {})
    monkeypatch.setattr(hub_files, "LIMIT", 0.2)
    hub.is_slow = True
    said = []
    with pytest.raises(HubError, match="too slow"):
        steps.run(hub_files.fetch(NAME, "onnx/model.onnx", listed, 1_000_000), said.append)
    assert len(said) > 1


def test_a_slow_hub_does_not_keep_from_what_is_in_the_cache(hub, monkeypatch):
    hub.publish(NAME, files())
    spec = pin()
    monkeypatch.setattr(hub_files, "LIMIT", 0.2)
    hub.is_slow = True
    assert pin() == spec


@pytest.mark.parametrize("sizes", [{}, {"onnx/model.onnx": 0}, {"onnx/model.onnx": 1}])
def test_a_file_is_no_larger_than_may_be_whatever_is_listed(hub, tmp_path, sizes):
    hub.publish(NAME, files(tones(ballast=600_000)))
    listed = Listing(hub.repositories[NAME].main, sizes, {})
    with pytest.raises(HubError, match="more than 1,000,000 bytes, too many"):
        steps.run(hub_files.fetch(NAME, "onnx/model.onnx", listed, 1_000_000))
    assert not [path for path in blobs(tmp_path) if path.stat().st_size > 1_000_000]


def test_a_file_in_the_cache_that_is_too_large_is_not_read(hub, tmp_path, monkeypatch):
    hub.publish(NAME, files())
    spec = pin()
    monkeypatch.setattr("labeler.plugins.encoders.hub.MAX_MODEL", 10)
    with pytest.raises(HubError, match="too many"):
        registry.create("encoder", spec).fit(pictures())


def test_progress_counts_what_has_arrived(hub):
    hub.publish(NAME, files(tones(ballast=600_000)))
    said = []
    steps.run(pinned("encoder", f"hub:{NAME}"), said.append)
    assert said[0].what == f"asking the hub for {NAME}"
    arrived = [step for step in said if step.what == f"downloading {NAME} (MB)"]
    assert {step.total for step in arrived} == {2}
    assert [step.done for step in arrived] == sorted(step.done for step in arrived)
    assert arrived[-1].done == 2


def test_without_the_packages_the_one_command_is_said(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra) as caught:
        registry.create("encoder", f"hub:{NAME}")
    assert "pip install '.[hub]'" in caught.value.hint


def test_tokens_are_told_from_places(hub):
    """Of tokens the first is taken where there is one more than a square of patches, else their mean."""
    from onnx import TensorProto, helper

    def model(n_tokens):
        nodes = [
            helper.make_node("Flatten", ["pixel_values"], ["flat"]),
            helper.make_node("Slice", ["flat", "zero", "end", "one"], ["few"]),
            helper.make_node("Reshape", ["few", "shape"], ["last_hidden_state"]),
        ]
        constants = [
            helper.make_tensor(name, TensorProto.INT64, [len(values)], values)
            for name, values in (("zero", [0]), ("one", [1]), ("end", [n_tokens * 2]), ("shape", [-1, n_tokens, 2]))
        ]
        graph = helper.make_graph(
            nodes,
            "tokens",
            [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])],
            [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, None)],
            constants,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()

    images = pictures(height=SIDE, width=SIDE)
    first = (images[:, 0, :10, 0].astype(np.float32) / 255 - 0.5) / 0.2
    for n_tokens, expected in ((5, first[:, :2]), (4, first[:, :8].reshape(5, 4, 2).mean(axis=1))):
        hub.publish(f"org/t{n_tokens}", files(model(n_tokens)))
        encoder = registry.create("encoder", pin(f"hub:org/t{n_tokens}"))
        np.testing.assert_allclose(encoder.transform(images), expected, atol=1e-5)


def test_a_model_in_half_precision_gets_half_precision(hub, tmp_path):
    from onnx import TensorProto, helper

    nodes = [helper.make_node("Flatten", ["pixel_values"], ["pooler_output"])]
    graph = helper.make_graph(
        nodes,
        "half",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT16, ["n", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("pooler_output", TensorProto.FLOAT16, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    hub.publish(NAME, files(model.SerializeToString()))
    features = registry.create("encoder", pin()).fit(pictures()).transform(pictures())
    assert features.shape == (5, 3 * SIDE * SIDE)
    assert features.dtype == np.float32


def test_the_cache_keeps_what_json_says(hub, tmp_path):
    """What lies in the cache is what the hub sent, to the byte: other programs share it."""
    hub.publish(NAME, files())
    pin()
    kept = {path.name: path.read_bytes() for path in blobs(tmp_path) if "snapshots" in path.parts}
    assert kept["model.onnx"] == files()["onnx/model.onnx"]
    assert json.loads(kept["preprocessor_config.json"]) == CONFIG
    assert all(isinstance(path, Path) for path in blobs(tmp_path))
