"""Source -> image store -> features, each kept in the project's cache as a memory-mapped array.

The cache may be deleted at any time: everything in it is made anew from the source.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeler.core.errors import UsageError
from labeler.core.mapped import let_go
from labeler.core.types import ByteArray, FloatArray, Progress
from labeler.plugins import custom, registry
from labeler.plugins.encoders.automatic import choose_encoder
from labeler.plugins.encoders.base import Encoder, Images
from labeler.plugins.importers.base import Source
from labeler.plugins.pins import pinned
from labeler.plugins.registry import Spec
from labeler.worker.cache import (
    IMAGE_ENTRIES,
    features_entry,
    key_of,
    make_folder,
    version_of_class,
    why_broken,
    writing,
)
from labeler.worker.children import Children
from labeler.worker.heavy_encoders import Pool, encode_in_steps, is_heavy, looks_itself
from labeler.worker.image_store import LARGEST, ImagePlan, blank_rows, fill_images
from labeler.worker.mapped_file import check_room, create
from labeler.worker.picture_reader import plan_reading, read_images
from labeler.worker.protocol import Employ
from labeler.worker.vectors import from_elsewhere

FIT_SAMPLE = 10_000
"""Rows an encoder is fitted on at most."""
CHUNK = 2_000  # rows that are read and encoded between two signs of life


@dataclass(frozen=True, slots=True)
class Prepared:
    """`raw` uint8 images (n, h, w[, 3]), a table (n, d) or texts (n,); `features` (n, d) float32; `hashes`
    (n, 32) uint8."""

    raw: Images
    features: FloatArray
    hashes: ByteArray
    unreadable: dict[int, str]
    encoder: str
    reason: str
    path: str  # of the cached features; "" where they are not cached
    blank: tuple[int, ...] = ()  # rows whose picture is of one single value


def prepare(
    source: Source, ids: Sequence[str], cache: Path, encoder: str, features: str, seed: int
) -> Generator[Progress, None, Prepared]:
    """Yield progress; return what the engine needs, one row an id of `ids` (zeros where there is nothing to read).

    Parameters
    ----------
    encoder
        ``NAME[:key=value,...]``; "" chooses one by looking at the pool.
    features
        A file of vectors from elsewhere, or a folder of `labeler features` ("" = none): they take the encoder's place.

    Raises
    ------
    UsageError
        The encoder does not exist, or does not take what the source holds.
    SourceError
        The features file does not fit the source.
    """
    if encoder and not features:  # before anything is read: a model that cannot be had is said at once
        encoder = yield from pinned("encoder", encoder)
    rows = _rows_in_source(source, ids)
    raw: Images
    key = key_of(source, ids)
    make_folder(cache)
    # refused before anything is read
    given = (yield from from_elsewhere(features, source, ids, cache, key)) if features else None
    unreadable: dict[int, str] = {}
    blank: tuple[int, ...] = ()
    if source.content == "images":
        raw, hashes, unreadable, blank = yield from _images(source, rows, cache, key)
    elif source.content == "text":
        raw, hashes = _texts(source, rows)
    else:
        raw, hashes = yield from _table(source, rows)
    if given is not None:
        vectors, path = given
        return Prepared(raw, vectors, hashes, unreadable, "features", f"from {features}", str(path), blank)
    reason = "chosen by you"
    if not encoder:
        yield Progress("choosing an encoder")
        encoder, reason = choose(raw, seed)
    pool = Pool(source, rows, raw, hashes, unreadable, cache)
    path = yield from _encode(pool, registry.parse_spec(encoder), key)
    return Prepared(raw, np.load(path, mmap_mode="r"), hashes, unreadable, encoder, reason, str(path), blank)


def encode_again(
    source: Source, ids: Sequence[str], cache: Path, prepared: Prepared, encoder: str, *, is_optional: bool = False
) -> Generator[Progress, None, FloatArray]:
    """Yield progress; return the features (n, d) of a prepared pool by another encoder, kept as well.

    `is_optional`: nobody chose it, so that it may neither take the last of the disk nor end this process.
    """
    encoder = yield from pinned("encoder", encoder)
    rows = _rows_in_source(source, ids)
    pool = Pool(source, rows, prepared.raw, prepared.hashes, prepared.unreadable, cache, is_optional)
    spec, key = registry.parse_spec(encoder), key_of(source, ids)
    path = yield from (_encode_warily if is_optional and _is_brought(spec) else _encode)(pool, spec, key)
    features: FloatArray = np.load(path, mmap_mode="r")
    return features


def choose(raw: Images, seed: int) -> tuple[str, str]:
    """The encoder that suits the pool, and why in one line."""
    return choose_encoder(raw, seed)


def _rows_in_source(source: Source, ids: Sequence[str]) -> NDArray[np.int64]:
    """Position in the source of every id; -1 where it is missing there."""
    if ids is source.ids or list(ids) == list(source.ids):
        return np.arange(len(ids), dtype=np.int64)
    positions = {name: position for position, name in enumerate(source.ids)}
    return np.array([positions.get(name, -1) for name in ids], dtype=np.int64)


def _images(
    source: Source, rows: NDArray[np.int64], cache: Path, key: str
) -> Generator[Progress, None, tuple[ByteArray, ByteArray, dict[int, str], tuple[int, ...]]]:
    store, hashes, broken = (cache / f"{name}-{key}" for name in IMAGE_ENTRIES)
    # all three or none: they are of one reading, and hashes of another would tie labels to the wrong content
    if any(why_broken(path, len(rows)) for path in (store, hashes, broken)):
        plan, seconds = plan_reading(source, len(rows))
        with writing(store) as draft:
            target = create(draft, np.uint8, (len(rows), *plan.shape))
            digests, unreadable = yield from read_images(source, rows, plan, target, seconds)
            blank = blank_rows(target, rows, unreadable)
            target.flush()  # and unmapped, before the draft gets its name: under that it must be whole
            del target
        with writing(hashes) as draft, open(draft, "wb") as file:
            np.save(file, digests)
        with writing(broken) as draft:
            draft.write_text(json.dumps({"unreadable": unreadable, "blank": blank}))
    record = json.loads(broken.read_text())
    unread = {int(row): str(why) for row, why in record["unreadable"].items()}
    return np.load(store, mmap_mode="r"), np.load(hashes), unread, tuple(record["blank"])


def _table(source: Source, rows: NDArray[np.int64]) -> Generator[Progress, None, tuple[FloatArray, ByteArray]]:
    yield Progress("reading", 0, len(rows))
    table = source.table()
    if table is None:
        raise UsageError("the source holds neither images nor a table of features", "see: labeler plugins")
    hashes = np.zeros((len(rows), 32), dtype=np.uint8)
    for index, row in enumerate(rows.tolist()):
        if row >= 0:
            hashes[index] = np.frombuffer(hashlib.sha256(source.content_bytes(row)).digest(), dtype=np.uint8)
        if index % CHUNK == 0:
            yield Progress("reading", index, len(rows))
    if np.array_equal(rows, np.arange(len(table))):
        return table, hashes
    out = np.zeros((len(rows), table.shape[1]), dtype=np.float32)
    out[rows >= 0] = table[rows[rows >= 0]]
    return out, hashes


def _texts(source: Source, rows: NDArray[np.int64]) -> tuple[Images, ByteArray]:
    """The texts (n,) as objects, empty where there is none, and their hashes."""
    texts = source.texts() or []
    raw = np.array([texts[row] if row >= 0 else "" for row in rows.tolist()], dtype=object)
    hashes = np.zeros((len(rows), 32), dtype=np.uint8)
    for index, row in enumerate(rows.tolist()):
        if row >= 0:
            hashes[index] = np.frombuffer(hashlib.sha256(source.content_bytes(row)).digest(), dtype=np.uint8)
    return raw, hashes


def _is_brought(spec: Spec) -> bool:
    """Whether an encoder runs what does not come with the program: compiled by others, for other machines maybe."""
    line = registry.entry("encoder", spec.name)
    return bool(line.extra or line.origin)


def _encode_warily(pool: Pool, spec: Spec, key: str) -> Generator[Progress, None, Path]:
    """Encode a pool by what may end the process that loads or runs it: that is a child, and never this one.

    Raises
    ------
    EngineError
        It ended the child.
    """
    version = version_of_class(spec)
    if version is not None and not why_broken(pool.cache / features_entry(key, spec, version), len(pool.raw)):
        return (yield from _encode(pool, spec, key))
    with Children(Employ(str(spec), custom.loaded()), 1, None, is_wary=True) as helpers:
        for _ in helpers.try_out():
            yield Progress("encoding", 0, len(pool.raw))
        return (yield from _encode(replace(pool, helpers=helpers), spec, key))


def _encode(pool: Pool, spec: Spec, key: str) -> Generator[Progress, None, Path]:
    encoder = encoder_of(spec, pool.source.content)
    path = pool.cache / features_entry(key, spec, encoder.version)
    if why_broken(path, len(pool.raw)):
        yield from bring(encoder)
        with writing(path) as draft:
            encoder = fitted(encoder, pool.raw)
            if is_heavy(encoder) and len(pool.raw):
                yield from encode_in_steps(pool, encoder, spec, draft)
            else:
                yield from _encode_into(pool, encoder, draft)
    return path


def encoder_of(spec: Spec, content: str) -> Encoder:
    """The encoder of `spec`, not fitted. Raises UsageError where it does not take what the source holds."""
    encoder: Encoder = registry.create("encoder", spec)
    if content not in encoder.takes:
        takers = [name for name in registry.names("encoder") if _takes(name, content)]
        raise UsageError(f"encoder {spec.name!r} does not take {content}", f"these do: {', '.join(takers)}")
    return encoder


def bring(encoder: Encoder) -> Generator[Progress, None, None]:
    """Yield progress until what an encoder takes from elsewhere is here; the others need nothing."""
    fetch = getattr(encoder, "bring", None)
    if fetch is not None:
        yield from fetch()


def fitted(encoder: Encoder, raw: Images) -> Encoder:
    """The encoder, fitted on a sample of a pool's images or table (n, ...)."""
    # not the project's seed: an entry's name does not hold that, and new instances must meet the same encoder
    rng = np.random.default_rng(0)
    n = len(raw)
    sample = np.sort(rng.choice(n, FIT_SAMPLE, replace=False)) if n > FIT_SAMPLE else slice(None)
    return encoder.fit(np.ascontiguousarray(raw[sample]))


def _encode_into(pool: Pool, encoder: Encoder, draft: Path) -> Generator[Progress, None, None]:
    raw, n, step = pool.raw, len(pool.raw), rows_a_chunk(encoder)
    check_room(draft.parent, pool.leaves)
    yield Progress("encoding", 0, n)
    target: NDArray[Any] | None = None
    for start in range(0, n, step):
        here = slice(start, start + step)
        part = encoder.transform((yield from seen_by(encoder, pool.source, pool.rows[here], raw[here])))
        if target is None:
            target = create(draft, np.float32, (n, part.shape[1]), pool.leaves)
        target[here] = part
        let_go(target)  # pages of a mapped file that were used count as memory until they are let go
        let_go(raw)
        yield Progress("encoding", min(start + step, n), n)
    if target is None:
        create(draft, np.float32, (0, 1))  # or an empty pool would be encoded at each opening


def rows_a_chunk(encoder: Encoder) -> int:
    """Images handed to the encoder at once: the larger it wants to see them, the fewer."""
    if is_heavy(encoder):
        return int(encoder.rows_a_step)  # type: ignore[attr-defined]
    side = max(LARGEST, side_of(encoder))
    return max(16, CHUNK * LARGEST**2 // side**2)  # as many pixels as CHUNK images of the store have


def side_of(encoder: Encoder) -> int:
    """Pixels a side at which it wants to see images; 0 = as the image store has them."""
    return int(getattr(encoder, "side", 0))


def seen_by(
    encoder: Encoder, source: Source, rows: NDArray[np.int64], stored: Images
) -> Generator[Progress, None, Images]:
    """Yield signs of life; return the images at `rows` of the source as the encoder wants to see them.

    That is as they are `stored`, or read once more, in color, where it wants them larger than the store has them or
    frames them in its own way.
    """
    if not looks_itself(encoder, source):
        return np.ascontiguousarray(stored)
    side = side_of(encoder)
    framing: Any = encoder if hasattr(encoder, "framed") else None
    images = np.zeros((len(rows), side, side, 3), dtype=np.uint8)
    yield from fill_images(source, rows, ImagePlan((side, side, 3), exact=False), images, framing)
    return images


def _takes(name: str, kind: str) -> bool:
    # of a person's own, a function makes them: what they take is known of what it makes
    return registry.entry("encoder", name).available and kind in getattr(registry.load("encoder", name), "takes", ())


@dataclass(frozen=True, slots=True)
class EncodedSource:
    """`features` (m, d) float32 of a source's instances; of the `unreadable` (row -> why) they mean nothing."""

    features: FloatArray
    unreadable: dict[int, str]


def encode_others(source: Source, prepared: Prepared) -> Generator[Progress, None, EncodedSource]:
    """Yield progress; return the instances of `source` in the features of a prepared pool, a chunk at a time.

    Raises
    ------
    UsageError
        The pool's features came from a file, so nothing here can encode an image the same way; or the instances are
        of another kind than the pool's.
    """
    table = source.table() if source.content == "table" else None
    texts = source.texts() if source.content == "text" else None
    _check_kind(table, texts, prepared)
    shape = prepared.raw.shape[1:]
    encoder = encoder_of(registry.parse_spec(prepared.encoder), source.content)
    yield from bring(encoder)
    encoder = fitted(encoder, prepared.raw)
    plan, total, step = ImagePlan(shape, exact=False), len(source.ids), rows_a_chunk(encoder)
    parts: list[FloatArray] = []
    unreadable: dict[int, str] = {}
    for start in range(0, total, step):
        yield Progress("encoding", start, total)
        rows = np.arange(start, min(start + step, total), dtype=np.int64)
        seen: Images
        if texts is not None:
            seen = np.array([texts[row] for row in rows.tolist()], dtype=object)
        elif table is not None:
            seen = np.ascontiguousarray(table[rows])
        else:
            stored = np.zeros((len(rows), *shape), dtype=np.uint8)
            broken: dict[int, str]
            _, broken = yield from fill_images(source, rows, plan, stored)
            unreadable |= {start + row: why for row, why in broken.items()}
            seen = yield from seen_by(encoder, source, rows, stored)
        parts.append(encoder.transform(seen))
    width = prepared.features.shape[1]
    return EncodedSource(np.concatenate(parts) if parts else np.empty((0, width), dtype=np.float32), unreadable)


def _check_kind(table: FloatArray | None, texts: list[str] | None, prepared: Prepared) -> None:
    """Refuse instances that the encoder of a pool cannot take."""
    if prepared.encoder == "features":
        raise UsageError("the pool's features came from a file", "new instances need features from the same model")
    shape = prepared.raw.shape[1:]
    if (texts is None) != (prepared.raw.ndim > 1):
        raise UsageError("these instances are not of the pool's kind", "texts for texts: a CSV with the same column")
    if (texts is None and (table is None) != (len(shape) > 1)) or (table is not None and table.shape[1:] != shape):
        raise UsageError(
            "these instances are not of the pool's shape", "images for images, the same columns for a table"
        )
