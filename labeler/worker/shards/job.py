"""The job of all shards of a folder: what was asked for, and what a sample made of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from pathlib import Path

from labeler.core import codec, files
from labeler.core.errors import SourceError
from labeler.core.recipe import AS_IT_IS, Reading
from labeler.core.text import display_safe
from labeler.worker.image_store import ImagePlan

JOB, FITTED = "job.json", "encoder.npz"
FORMAT = 1
"""Raised where shards of an older program are no longer what this one would compute."""


@dataclass(frozen=True, slots=True)
class Asked:
    """All that decides what the shards hold; another one in the same folder is refused."""

    kind: str
    fingerprint: str
    n: int
    ids: str  # their digest
    encoder: str  # "" = chosen by looking at the sample
    n_clusters: int
    n_nearest: int
    seed: int
    reading: Reading = AS_IT_IS
    shown: str = ""  # the range of values deeper than 8 bits
    format: int = FORMAT

    def differs(self, other: Asked) -> str:
        """Return in words what two of them do not share; "" where they are the same."""
        words = dict.fromkeys(("kind", "fingerprint", "n", "ids"), "source")
        words |= {"n_clusters": "number of clusters", "n_nearest": "number of nearest", "shown": "range"}
        differing = [item.name for item in fields(self) if getattr(self, item.name) != getattr(other, item.name)]
        names = list(dict.fromkeys(words.get(name, name) for name in differing))
        return " and ".join(names)


@dataclass(frozen=True, slots=True)
class Job:
    """The record of a job: what was asked for, and what the sample made of it."""

    asked: Asked
    source: str  # where it was; workers are told where it is
    encoder: str
    version: int  # of the encoder
    reason: str
    shape: tuple[int, ...]  # of an image as the encoder gets it
    is_exact: bool
    step: int  # rows encoded at once, at the same places whatever the shards are: so the bits are the same
    rows_a_shard: int
    width: int
    fitted: str  # sha256 of the file beside it
    labeler: str

    @property
    def plan(self) -> ImagePlan:
        """The shape in which images are brought to the encoder."""
        return ImagePlan(self.shape, self.is_exact)

    @property
    def n_shards(self) -> int:
        """The number of shards."""
        return -(-self.asked.n // self.rows_a_shard)

    @property
    def text(self) -> str:
        """The job as it is written."""
        return json.dumps(codec.encode(self, {}), indent=1)

    @property
    def digest(self) -> str:
        """The name of the job: no two are alike."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def read_job(out: Path) -> Job | None:
    """Return the job of a folder; None where there is none.

    Raises
    ------
    SourceError
        It cannot be read.
    """
    try:
        text = (out / JOB).read_text()
    except FileNotFoundError:
        return None
    try:
        job = codec.decode(Job, codec.loads(text))
        check_job(job)
    except ValueError as error:
        what = f"{display_safe(str(out / JOB))} cannot be read: {display_safe(str(error), 100)}"
        raise SourceError(what, "remove the folder, or give another one") from error
    return job


def check_job(job: Job) -> None:
    """Refuse what no sample makes of a source; raises ValueError."""
    if min(job.step, job.rows_a_shard, job.width, job.asked.n) < 1:
        raise ValueError("a number in it is out of range")


def write_job(out: Path, job: Job) -> None:
    """Write the job of a folder, last of what describes it."""
    with files.whole(out / JOB) as draft:
        draft.write_text(job.text)
