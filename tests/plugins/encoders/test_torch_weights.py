"""Files of weights, made here as PyTorch wrote them; and what somebody could make on purpose."""

from __future__ import annotations

import contextlib
import hashlib
import io
import pickle
import sys
from collections import OrderedDict
from types import ModuleType

import numpy as np
import pytest

from labeler.plugins.encoders.torch_weights import MAGIC, PROTOCOL, parse_weights, read_weights

MACHINE = {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {"int": 4}}
VALUES = np.arange(24, dtype=np.float32)


class Named:
    """A stand-in for a storage: `pid` is how a tensor refers to it."""

    def __init__(self, pid):
        self.pid = pid


class Tensor:
    def __init__(self, *arguments):
        self.arguments = arguments

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.arguments


class Pickler(pickle.Pickler):
    def persistent_id(self, item):
        return item.pid if isinstance(item, Named) else None


@pytest.fixture
def torch(monkeypatch):
    """Modules of PyTorch's names, as far as pickling asks for them."""
    modules = {name: ModuleType(name) for name in ("torch", "torch._utils")}
    for kind in ("FloatStorage", "LongStorage", "HalfStorage"):
        setattr(modules["torch"], kind, type(kind, (), {"__module__": "torch", "__qualname__": kind}))

    def _rebuild_tensor_v2():
        raise AssertionError("a stand-in")

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    modules["torch._utils"]._rebuild_tensor_v2 = _rebuild_tensor_v2
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return modules["torch"]


def pickled(item):
    stream = io.BytesIO()
    Pickler(stream, 2).dump(item)
    return stream.getvalue()


def storage(torch, key="7", kind="FloatStorage", length=24):
    return Named(("storage", getattr(torch, kind), key, "cpu", length, None))


def file_of(tensors, storages, head=None, keys=None):
    """The bytes of a file: `tensors` by name, `storages` (key -> values)."""
    pickles = [MAGIC, PROTOCOL, MACHINE, tensors, list(storages) if keys is None else keys]
    parts = [pickled(item) if item is not head else head for item in pickles]
    parts += [len(values).to_bytes(8, "little") + values.tobytes() for values in storages.values()]
    return b"".join(parts)


def view(torch, offset=0, size=(24,), strides=(1,), **named):
    return Tensor(storage(torch, **named), offset, size, strides, False, OrderedDict())


def test_tensors_are_views_of_their_storages_whatever_the_strides(torch):
    tensors = OrderedDict(
        rows=view(torch, 0, (4, 6), (6, 1)),
        columns=view(torch, 0, (6, 4), (1, 6)),
        part=view(torch, 5, (2, 3), (1, 4)),
        number=view(torch, 1, (), (), key="8", kind="LongStorage", length=2),
    )
    weights = parse_weights(file_of(tensors, {"7": VALUES, "8": np.array([3, 2**40])}), "w.pth")
    np.testing.assert_array_equal(weights["rows"], VALUES.reshape(4, 6))
    np.testing.assert_array_equal(weights["columns"], VALUES.reshape(4, 6).T)
    np.testing.assert_array_equal(weights["part"], [[5, 9, 13], [6, 10, 14]])
    assert weights["number"].shape == ()
    assert weights["number"] == 2**40
    assert all(values.flags.c_contiguous and values.flags.owndata for values in weights.values())
    assert [values.dtype for values in weights.values()] == [np.float32] * 3 + [np.int64]


def test_one_file_and_no_other(torch, tmp_path):
    path = tmp_path / "w.pth"
    path.write_bytes(file_of({"t": view(torch)}, {"7": VALUES}))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    np.testing.assert_array_equal(read_weights(path, digest)["t"], VALUES)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ValueError, match=r"^w\.pth is not the file it should be: sha256 \w{12}\.{3}, not \w{12}\.{3}$"):
        read_weights(path, digest)
    with pytest.raises(ValueError, match=r"^cannot read the weights none\.pth: No such file"):
        read_weights(tmp_path / "none.pth", digest)


def test_a_file_of_another_hash_is_not_looked_into(tmp_path):
    mark = tmp_path / "ran"
    path = tmp_path / "w.pth"
    path.write_bytes(b"cos\nsystem\n(Vtouch " + str(mark).encode() + b"\ntR.")
    with pytest.raises(ValueError, match="is not the file it should be"):
        read_weights(path, "0" * 64)
    assert not mark.exists()


GLOBALS = (
    *("os system", "builtins eval", "builtins getattr", "torch load", "torch.storage _load_from_bytes", "numpy load"),
    *("torch HalfStorage", "collections OrderedDict.fromkeys", "torch._utils _rebuild_parameter"),
)


@pytest.mark.parametrize("name", GLOBALS)
def test_what_weights_do_not_need_is_not_imported(name, tmp_path):
    mark = tmp_path / "ran"
    module, _, attribute = name.partition(" ")
    call = f"open({str(mark)!r}, 'w')" if attribute == "eval" else f"touch {mark}"
    for place in range(5):
        pickles = [pickled(item) for item in (MAGIC, PROTOCOL, MACHINE, {}, [])]
        pickles[place] = f"c{module}\n{attribute}\n(V{call}\ntR.".encode()
        with pytest.raises(ValueError) as caught:
            parse_weights(b"".join(pickles), "w.pth")
        reason = f"it asks for {module}.{attribute}, which weights do not need"
        assert str(caught.value) == f"w.pth holds no weights that can be read: {reason}"
        assert not mark.exists()


def test_a_name_put_together_on_the_stack_is_refused_as_well(tmp_path):
    mark = tmp_path / "ran"
    call = f"touch {mark}".encode()
    bad = b"\x80\x04\x8c\x02os\x8c\x06system\x93(X" + len(call).to_bytes(4, "little") + call + b"tR."
    with pytest.raises(ValueError, match=r"asks for os\.system"):
        parse_weights(bad, "w.pth")
    assert not mark.exists()


def refused(content):
    with pytest.raises(ValueError) as caught:
        parse_weights(content, "w.pth")
    text = str(caught.value)
    assert text.startswith("w.pth holds no weights that can be read: ")
    assert "\n" not in text
    return text.partition("read: ")[2]


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        ((0, (25,), (1,)), "reaches out"),
        ((1, (24,), (1,)), "reaches out"),
        ((0, (4, 6), (7, 1)), "reaches out"),
        ((24, (), ()), "reaches out"),
        ((2**80, (1,), (1,)), "reaches out"),
        ((0, (2**40, 2**40), (1, 1)), "reaches out"),
        ((0, (5, 5), (1, 1)), "reaches out"),  # values used twice would let a small file ask for all memory
        ((23, (24,), (-1,)), "below 1"),
        ((0, (2**40,), (0,)), "below 1"),
        ((-1, (2,), (1,)), "negative offset"),
        ((0, (0,), (1,)), "below 1"),
        ((0, (-2, -12), (1, 1)), "below 1"),
        ((0, (24,), (1, 1)), "no size"),
        ((0, (24.0,), (1,)), "no size"),
        ((True, (24,), (1,)), "no size"),
        ((0, "24", (1,)), "no size"),
        ((0, [24], (1,)), "no size"),
        ((None, (24,), (1,)), "no size"),
    ],
)
def test_a_view_out_of_its_storage_is_refused(torch, numbers, reason):
    assert reason in refused(file_of({"t": view(torch, *numbers)}, {"7": VALUES}))


def test_what_is_no_storage_is_refused(torch):
    good = storage(torch)
    for pid in (
        ("storage", torch.FloatStorage, good, "cpu", 24, None),  # a storage within the name of one
        (good,) * 6,
        ("module", torch.FloatStorage, "7", "cpu", 24, None),
        ("storage", "FloatStorage", "7", "cpu", 24, None),
        ("storage", torch.FloatStorage, "7", "cpu", -1, None),
        ("storage", torch.FloatStorage, "7", "cpu", True, None),
        ("storage", torch.FloatStorage, "7", "cpu", 24, ("view", 0, 4)),
        "7",
        (),
    ):
        tensor = Tensor(Named(pid), 0, (24,), (1,), False, OrderedDict())
        assert "refers to" in refused(file_of({"t": tensor}, {"7": VALUES}))


def test_tensors_without_a_storage_and_tables_of_other_things(torch):
    assert "has no storage" in refused(file_of({"t": Tensor("7", 0, (24,), (1,))}, {"7": VALUES}))
    assert "no table of tensors" in refused(file_of({"t": view(torch), "u": 3}, {"7": VALUES}))
    assert "no table of tensors" in refused(file_of([view(torch)], {"7": VALUES}))
    assert "no name" in refused(file_of({3: view(torch)}, {"7": VALUES}))
    assert "no name" in refused(file_of({"t": view(torch)}, {"7": VALUES}, keys=[7]))
    assert "no name" in refused(file_of({"t": view(torch)}, {"7": VALUES}, keys=7))
    both = {"t": view(torch), "u": view(torch, length=12, size=(12,))}
    assert "in two ways" in refused(file_of(both, {"7": VALUES}))


def test_storages_are_those_of_the_tensors_and_whole(torch):
    tensors = {"t": view(torch)}
    whole = file_of(tensors, {"7": VALUES})
    assert "not those" in refused(file_of(tensors, {"8": VALUES}))
    assert "not those" in refused(file_of(tensors, {"7": VALUES}, keys=["7", "7"]))
    assert "not those" in refused(file_of(tensors, {"7": VALUES}, keys=[]))
    assert "not as long" in refused(file_of(tensors, {"7": VALUES[:23]}))
    assert "not as long" in refused(file_of({"t": view(torch, length=2**62)}, {"7": VALUES}))
    assert "behind the last" in refused(whole + b"\0")
    assert parse_weights(whole, "w.pth")["t"].shape == (24,)


def test_a_file_cut_off_anywhere_is_refused_in_one_line(torch):
    whole = file_of({"t": view(torch)}, {"7": VALUES})
    for length in range(len(whole)):
        refused(whole[:length])


def test_other_files_are_refused_in_one_line(torch):
    tensors, storages = {"t": view(torch)}, {"7": VALUES}
    for content in (b"", b"PK\x03\x04" + bytes(60), b"\x89PNG\r\n\x1a\n", pickled(MAGIC) * 5, pickled({}) * 5):
        refused(content)
    other = file_of(tensors, storages).replace(pickled(MACHINE), pickled(MACHINE | {"little_endian": False}))
    assert "little-endian" in refused(other)


def test_bent_bytes_raise_nothing_but_the_one_line(torch):
    whole = file_of({"t": view(torch)}, {"7": VALUES})
    end = len(whole) - VALUES.nbytes
    rng = np.random.default_rng(0)
    for _ in range(400):
        bent = bytearray(whole)
        for place in rng.integers(0, end, 3):
            bent[place] = rng.integers(0, 256)
        with contextlib.suppress(ValueError):  # bent in a place that means nothing, it may still be read
            parse_weights(bytes(bent), "w.pth")
