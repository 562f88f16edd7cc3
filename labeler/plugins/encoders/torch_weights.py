"""Tensors of a file that PyTorch saved, read without PyTorch and without running anything that the file names.

The format is the one before zip archives (`torch/serialization.py`, `_legacy_save`): pickles of a magic number, the
protocol's version, the writer's machine, the tensors by name and the keys of their storages; then each storage, its
length before its values. A tensor is a view into a storage: offset, size and strides, which need not be contiguous.
"""

from __future__ import annotations

import hashlib
import io
import math
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

LARGEST = 1 << 28
"""Bytes a file of weights may have: more is not read into memory to be refused."""
MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
DTYPES = {"FloatStorage": "<f4", "LongStorage": "<i8"}
"""The kinds of storage that are read: names in the file, which nothing calls."""

Weights = dict[str, NDArray[Any]]


class Storage(NamedTuple):
    """A storage as the tensors name it: the values themselves come behind all pickles."""

    key: str
    dtype: np.dtype[Any]
    length: int


class View(NamedTuple):
    """A tensor before the storages are read; nothing of it is checked yet."""

    storage: Any
    offset: Any
    size: Any
    strides: Any


def read_weights(path: Path, sha256: str) -> Weights:
    """Return the tensors of a file by name, C-contiguous; a file of another hash is refused before it is looked into.

    Raises
    ------
    ValueError
        It cannot be read, is another file, or not such a one; the message is one line.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise ValueError(f"cannot read the weights {path.name}: {error.strerror}") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise ValueError(f"{path.name} is not the file it should be: sha256 {digest[:12]}..., not {sha256[:12]}...")
    return parse_weights(content, path.name)


def parse_weights(content: bytes, name: str) -> Weights:
    """Return the tensors in the bytes of a file called `name`, C-contiguous.

    Raises
    ------
    ValueError
        As :func:`read_weights`.
    """
    stream = io.BytesIO(content)
    try:
        views, keys = _unpickled(stream)
        storages = _storages(stream, keys, _declared(views))
        return {tensor: _materialized(view, storages) for tensor, view in views.items()}
    except ValueError as error:
        raise ValueError(f"{name} holds no weights that can be read: {error}") from error


def _unpickled(stream: io.BytesIO) -> tuple[dict[str, View], list[str]]:
    """The tensors by name and the keys of the storages in their order; the stream stands behind them."""
    if (_load(stream), _load(stream)) != (MAGIC, PROTOCOL):
        raise ValueError("it does not begin as PyTorch's files did before the zip format")
    machine, views, keys = (_load(stream) for _ in range(3))
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise ValueError("it is not of a little-endian machine")
    if not isinstance(views, dict) or not all(type(view) is View for view in views.values()):
        raise ValueError("it is no table of tensors")
    if not all(isinstance(name, str) for name in [*views, *(keys if isinstance(keys, list) else [None])]):
        raise ValueError("a tensor or a storage has no name")
    return views, keys


def _load(stream: io.BytesIO) -> Any:
    try:
        return _Restricted(stream).load()
    except Exception as error:  # a bent pickle raises nearly every kind
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(reason) from error


class _Restricted(pickle.Unpickler):
    """An unpickler that knows two names to call, both of which only group values, and the kinds of storage."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _view
        if module == "torch" and name in DTYPES:
            return np.dtype(DTYPES[name])
        raise ValueError(f"it asks for {module}.{name}, which weights do not need")

    def persistent_load(self, pid: Any) -> Storage:
        # a storage is itself a tuple, of another type: one that is named by one is refused here
        if type(pid) is not tuple or len(pid) != 6 or pid[0] != "storage" or pid[5] is not None:
            raise ValueError("it refers to something that is no storage")
        _, dtype, key, _, length, _ = pid
        if not isinstance(dtype, np.dtype) or type(key) is not str or type(length) is not int or length < 0:
            raise ValueError("it refers to a storage without a kind, a key or a length")
        return Storage(key, dtype, length)


def _view(storage: Any, offset: Any, size: Any, strides: Any, *_: Any) -> View:
    """Stand in for `torch._utils._rebuild_tensor_v2`: gradients and hooks, which come behind, are passed over."""
    return View(storage, offset, size, strides)


def _declared(views: dict[str, View]) -> dict[str, Storage]:
    """The storages that the tensors name, by key."""
    declared: dict[str, Storage] = {}
    for name, view in views.items():
        if type(view.storage) is not Storage:
            raise ValueError(f"the tensor {name} has no storage")
        if declared.setdefault(view.storage.key, view.storage) != view.storage:
            raise ValueError(f"the storage {view.storage.key} is declared in two ways")
    return declared


def _storages(stream: io.BytesIO, keys: list[str], declared: dict[str, Storage]) -> Weights:
    """The values of every storage, read-only, by key."""
    if len(keys) != len(declared) or set(keys) != set(declared):
        raise ValueError("its storages are not those of its tensors")
    storages: Weights = {}
    for key in keys:
        _, dtype, length = declared[key]
        # compared before anything is read: a length of the file's own choice allocates nothing
        if int.from_bytes(stream.read(8), "little") != length:
            raise ValueError(f"the storage {key} is not as long as declared, or the file is cut off")
        values = stream.read(length * dtype.itemsize)
        if len(values) != length * dtype.itemsize:
            raise ValueError(f"it is cut off in the storage {key}")
        storages[key] = np.frombuffer(values, dtype)
    if stream.read(1):
        raise ValueError("there is more in it behind the last storage")
    return storages


def _materialized(view: View, storages: Weights) -> NDArray[Any]:
    """The tensor of a view, a copy in C order; strides are counted in values, each value used once at most."""
    _, offset, size, strides = view
    values = storages[view.storage.key]
    whole = [*size, *strides, offset] if isinstance(size, tuple) and isinstance(strides, tuple) else [None]
    if not all(type(number) is int for number in whole) or len(size) != len(strides):
        raise ValueError("a tensor has no size, strides or offset")
    if offset < 0 or any(number < 1 for number in (*size, *strides)):
        raise ValueError("a tensor has a negative offset, or a size or stride below 1")
    last = offset + sum((length - 1) * stride for length, stride in zip(size, strides, strict=True))
    if last >= len(values) or math.prod(size) > len(values):
        raise ValueError("a tensor reaches out of its storage")
    steps = [stride * values.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(values[offset:], size, steps).copy()
