"""The encoder as it was fitted and the centroids: a file that each worker reads once.

It lies in the folder of the results beside the job: tasks name the folder, and never carry what is in it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from labeler.core import files
from labeler.core.errors import EngineError, UsageError
from labeler.core.text import display_safe
from labeler.core.types import FloatArray
from labeler.plugins import custom, registry
from labeler.plugins.encoders.base import Encoder, Images, Portable
from labeler.worker.features import encoder_of, fitted
from labeler.worker.shards.job import FITTED, Job, read_job

CLOSE = 1e-3
"""Share by which features of the same images may differ between two machines, whose processors add up in other ways."""
_LEARNED = "learned."


@dataclass(frozen=True, slots=True)
class Tools:
    """The job, its encoder as it was fitted, the centroids (k, d)."""

    job: Job
    encoder: Encoder
    centroids: FloatArray


def write_fitted(out: Path, encoder: Encoder, sample: Images, seen: Images, centroids: FloatArray) -> str:
    """Write an encoder as it is fitted, and return the file's sha256.

    What an encoder that is Portable learned travels as arrays, for another one the `sample` that it was fitted on; some
    images as it has `seen` them travel with what it makes of them, by which a worker knows that it has the same.
    """
    arrays: dict[str, NDArray[Any]] = {"centroids": centroids, "seen": seen, "expected": encoder.transform(seen)}
    if isinstance(encoder, Portable):
        arrays |= {_LEARNED + name: np.asarray(values) for name, values in encoder.learned().items()}
    else:
        arrays["sample"] = sample
    with files.whole(out / FITTED) as draft:
        with open(draft, "wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
        return hashlib.sha256(draft.read_bytes()).hexdigest()


@lru_cache(maxsize=2)
def tools_of(out: str, digest: str, plugins: tuple[str, ...]) -> Tools:
    """Return what the shards of a job are computed with, read once a process.

    `plugins`: files of a person's own, which the recipe names and never the folder: that may come from anybody.

    Raises
    ------
    UsageError
        The folder is not seen from here, or holds another job.
    EngineError
        The encoder here is another one: it gives other features.
    """
    job = read_job(Path(out))
    if job is None:
        what = f"a worker does not see the folder {display_safe(out)}"
        raise UsageError(what, "give one that all machines of the cluster share, under the same path")
    content = (Path(out) / FITTED).read_bytes() if job.digest == digest else b""
    if hashlib.sha256(content).hexdigest() != job.fitted:
        what = f"the folder {display_safe(out)} is not as it was when the command began"
        raise UsageError(what, "run one command at a time in it; or remove it and start over")
    for file in plugins:
        custom.load(Path(file))
    with np.load(Path(out) / FITTED, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    encoder = _encoder_again(job, arrays)
    # for good: threads of a cluster's worker share the limit, and one that ends must not lift it for the others
    threadpool_limits(limits=1)
    expected, seen = arrays["expected"], encoder.transform(arrays["seen"])
    if seen.shape != expected.shape or not np.allclose(seen, expected, CLOSE, CLOSE):
        what = f"the encoder {job.encoder} gives other features in a worker than where the command began"
        raise EngineError(what, "install the same versions of labeler and its packages on all machines")
    return Tools(job, encoder, arrays["centroids"])


def _encoder_again(job: Job, arrays: dict[str, NDArray[Any]]) -> Encoder:
    encoder = encoder_of(registry.parse_spec(job.encoder), "images")
    if encoder.version != job.version:
        what = f"the encoder {job.encoder} is of version {job.version} in the job, and of {encoder.version} here"
        raise EngineError(what, "install the same version of labeler on all machines, or start over in another folder")
    if isinstance(encoder, Portable):
        names = {name for name in arrays if name.startswith(_LEARNED)}
        encoder.take_over({name.removeprefix(_LEARNED): arrays[name] for name in names})
        return encoder
    return fitted(encoder, arrays["sample"])
