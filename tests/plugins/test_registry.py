from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.commands.plugins import describe
from labeler.core.errors import MissingExtra, UsageError
from labeler.plugins import registry
from labeler.plugins.builtin import TABLE, Plugin
from labeler.plugins.exporters.write import format_of

EVERY = [(kind, name) for kind in registry.KINDS for name in registry.names(kind)]


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_every_plugin_loads_and_every_parameter_has_a_default(kind, name):
    line = registry.entry(kind, name)
    assert line.summary
    assert len(line.summary) <= 60
    if not line.available:
        with pytest.raises(MissingExtra) as caught:
            registry.load(kind, name)
        assert caught.value.hint == f"install it with: pip install '.[{line.extra}]' (in the clone of labeler)"
        return
    assert callable(registry.load(kind, name))
    if name in ("onnx", "hub"):  # there is no model to fall back on
        with pytest.raises(UsageError, match="name the"):
            registry.create(kind, name)
    elif kind not in ("importer",):
        registry.create(kind, name)
    import inspect

    assert inspect.Parameter.empty not in registry.parameters(kind, name).values()


def test_listing_imports_no_plugin():
    code = (
        "import sys; from labeler.plugins import registry; from labeler.commands import plugins; plugins.listing();"
        "print([m for m in sys.modules if m.count('.') > 2 and m.startswith('labeler.plugins.')"
        " or m in ('numpy', 'sklearn')])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"  # of the rooms below plugins/, none


def test_a_miss_names_what_there_is():
    with pytest.raises(UsageError) as caught:
        registry.entry("clusterer", "kmean")
    assert "'kmean'" in caught.value.message
    assert "kmeans, minibatch-kmeans" in caught.value.hint
    with pytest.raises(UsageError, match="kind"):
        registry.names("widget")


def test_an_unknown_parameter_lists_the_known_ones():
    with pytest.raises(UsageError) as caught:
        registry.create("clusterer", "kmeans:k=3")
    assert "'k'" in caught.value.message
    assert "n_init" in caught.value.hint
    assert "max_iter" in caught.value.hint


@pytest.mark.parametrize("text", ["kmeans:n_init", "kmeans:n_init=0", "kmeans:n_init=1.5", "kmeans:n_init=x"])
def test_a_parameter_that_cannot_be_used_is_a_usage_error(text):
    with pytest.raises(UsageError) as caught:
        registry.create("clusterer", text)
    assert caught.value.hint


def test_defaults_are_passed_where_taken_and_the_spec_wins():
    clusterer = registry.create("clusterer", "kmeans:n_init=2", n_init=9, max_iter=7, nonsense=1)
    assert (clusterer.n_init, clusterer.max_iter) == (2, 7)


NAMES = st.text("abcdefghij_-", min_size=1, max_size=8)
VALUES = st.one_of(
    st.integers(),
    st.floats(allow_nan=False),
    st.booleans(),
    st.none(),
    NAMES.filter(lambda word: word not in ("none", "true", "false")),
)


@given(NAMES, st.dictionaries(NAMES, VALUES, max_size=4))
def test_a_spec_reads_back_as_it_was_written(name, parameters):
    spec = registry.Spec(name, parameters)
    again = registry.parse_spec(str(spec))
    assert again == spec
    assert {key: type(value) for key, value in again.parameters.items()} == {k: type(v) for k, v in parameters.items()}


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("hub:org/name", {"model": "org/name"}),
        ("hub:org/name:file=onnx/model.onnx", {"model": "org/name", "file": "onnx/model.onnx"}),
        ("hub:org/name:file=a.onnx,threads=2", {"model": "org/name", "file": "a.onnx", "threads": 2}),
        ("hub:model=org/name", {"model": "org/name"}),
        ("hub", {}),
    ],
)
def test_a_subject_stands_right_after_the_name(text, parameters):
    spec = registry.parse_spec(text)
    assert spec == registry.Spec("hub", parameters)
    assert registry.parse_spec(str(spec)) == spec


def test_a_plugin_without_a_subject_takes_none():
    with pytest.raises(UsageError, match="is not key=value"):
        registry.parse_spec("pca:org/name")


@pytest.mark.parametrize("digest", ["1" * 64, "12e4" + "5" * 36, "0" * 40])
def test_a_digest_of_digits_is_no_number(digest):
    again = registry.parse_spec(f"hub:org/name:revision={digest}").parameters["revision"]
    assert again == digest


def test_a_missing_package_says_what_to_install(monkeypatch):
    cloud = Plugin("encoder", "cloud", "nowhere:Cloud", "from afar", "cloud", ("no_such_package",))
    monkeypatch.setitem(registry._TABLE["encoder"], "cloud", cloud)
    assert not registry.entry("encoder", "cloud").available
    with pytest.raises(MissingExtra) as caught:
        registry.create("encoder", "cloud")
    assert "pip install '.[cloud]'" in caught.value.hint


def test_no_name_stands_twice_in_the_table_and_every_line_is_of_a_kind():
    assert len({(plugin.kind, plugin.name) for plugin in TABLE}) == len(TABLE)
    assert sum(len(lines) for lines in registry._TABLE.values()) == len(TABLE)
    endings = [ending for plugin in TABLE for ending in plugin.endings]
    assert len(set(endings)) == len(endings)


def test_a_persons_own_name_is_brought_anew_but_takes_none_of_the_programs(monkeypatch):
    monkeypatch.setitem(registry._OWN, "strategy", {})
    registry.bring(Plugin("strategy", "ratio", "here:ratio", "first", thing=object(), origin="here"))
    registry.bring(Plugin("strategy", "ratio", "here:ratio", "second", thing=object(), origin="here"))
    assert registry.entry("strategy", "ratio").summary == "second"
    with pytest.raises(UsageError, match="of its own"):
        registry.bring(Plugin("strategy", "margin", "here:margin", "", thing=object(), origin="here"))


@pytest.mark.parametrize("plugin", [plugin for plugin in TABLE if plugin.endings and plugin.available])
def test_the_endings_of_a_line_lead_to_its_format(plugin):
    assert [format_of(Path(f"x{ending}")) for ending in plugin.endings] == [plugin.name] * len(plugin.endings)


def test_what_a_plug_in_is_and_whose_is_said_without_its_package(monkeypatch):
    line = Plugin("encoder", "net", "", "a network", "photos", ("no_such_module_of_labeler",), weights="MIT, by them")
    monkeypatch.setitem(registry._TABLE["encoder"], "net", line)
    first, weights, missing = describe("net").lines()
    assert (first, weights) == ("encoder net: a network", "weights: MIT, by them")
    assert "pip install '.[photos]'" in missing


@pytest.mark.parametrize(
    ("spec", "extra"), [("net", "photos"), ("net:size=3", "photos"), ("hog", ""), ("", ""), (":", ""), ("no such", "")]
)
def test_a_missing_extra_is_named_of_specs_of_any_origin(monkeypatch, spec, extra):
    line = Plugin("encoder", "net", "", "a network", "photos", ("no_such_module_of_labeler",))
    monkeypatch.setitem(registry._TABLE["encoder"], "net", line)
    assert registry.missing_extra("encoder", spec) == extra
