"""Files of a model repository of the Hugging Face hub, through `huggingface_hub` and its cache.

A file is asked for by the commit that it is of. What lies in the cache under that commit is taken without any network:
a commit's content never changes.
"""

from __future__ import annotations

import inspect
import re
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labeler.core.errors import HubError
from labeler.core.types import Progress

MAIN = "main"
"""The revision that is taken where none is named."""
PATIENCE = 10.0
"""Seconds that each part of an answer has to arrive in."""
LIMIT = 60.0
"""Seconds that the hub has to say what it holds, however many parts that comes in: one that sends a byte now and then
would never end. A download has as long for its first bytes, and to go on, beside what the slowest line takes."""
SLOWEST, CHUNK = 20_000, 10_000_000
"""Bytes a second of the slowest line, and bytes that the library waits for before it says that they are here."""
COMMIT, SHA256 = re.compile(r"[0-9a-f]{40}"), re.compile(r"[0-9a-f]{64}")
_TICK = 0.1  # seconds between two signs of life of a download
_MEGA = 1_000_000
_HUB_HINT = "is HF_ENDPOINT a hub?"
_MISSHAPEN = (TypeError, AttributeError, LookupError, ValueError)
"""What the library raises where an answer is no JSON, or has another shape than it takes for granted."""
_OFFLINE_HINT = "is this machine online, and HF_ENDPOINT right? Then do the same again: nothing is lost"


@dataclass(frozen=True, slots=True)
class Listing:
    """A repository at one `commit`: `sizes` in bytes (0 = not known) by path of a file, and the sha256 of some."""

    commit: str
    sizes: dict[str, int]
    digests: dict[str, str]


def look_up(model: str, revision: str) -> Generator[Progress, None, Listing]:
    """Yield signs of life; return what the hub holds of a model at a revision (branch, tag or commit); one request.

    Raises
    ------
    HubError
        There is no such model or revision, it is gated, or the hub does not answer, or not as one does.
    """
    request = _Request(model, revision)
    yield from _awaited(request, lambda: Progress(f"asking the hub for {model}"), model, LIMIT)
    if request.error is not None:
        raise _explained(request.error, model, revision) from request.error
    return _read(request.info, model)


def _read(info: Any, model: str) -> Listing:
    """The listing in what answered; nothing of it is taken to be what it should be."""
    if not isinstance(info.sha, str) or not COMMIT.fullmatch(info.sha):
        raise HubError(f"what answers for the hub names no commit of {model}", _HUB_HINT)
    sizes: dict[str, int] = {}
    digests: dict[str, str] = {}
    for each in info.siblings or []:
        name, size, digest = each.rfilename, each.size or 0, getattr(each.lfs, "sha256", None)
        is_sound = isinstance(name, str) and type(size) is int and size >= 0
        if not is_sound or not (digest is None or (isinstance(digest, str) and SHA256.fullmatch(digest))):
            raise HubError(f"what answers for the hub lists no files of {model} as a hub does", _HUB_HINT)
        sizes[name] = size
        if digest is not None:
            digests[name] = digest
    return Listing(info.sha, sizes, digests)


def remembered(model: str, revision: str, file: str) -> Listing | None:
    """Return what the cache holds of a model since somebody fetched `file` at a revision; None where nobody did."""
    from huggingface_hub import try_to_load_from_cache  # an extra

    path = try_to_load_from_cache(model, file, revision=revision)
    if not isinstance(path, str):
        return None
    snapshot = Path(path).parents[len(Path(file).parts) - 1]
    if not COMMIT.fullmatch(snapshot.name):
        return None
    sizes = {each.relative_to(snapshot).as_posix(): each.stat().st_size for each in snapshot.rglob("*.*")}
    return Listing(snapshot.name, sizes, {})


def cached(model: str, file: str, commit: str) -> Path | None:
    """Return where a file lies in the cache; None where it does not. No network is touched."""
    from huggingface_hub import try_to_load_from_cache  # an extra

    path = try_to_load_from_cache(model, file, revision=commit)
    return Path(path) if isinstance(path, str) else None


def fetch(model: str, file: str, listing: Listing, most: int, revision: str = "") -> Generator[Progress, None, Path]:
    """Yield progress while a file comes into the cache; return where it lies there.

    `most`: bytes that are taken, whatever is listed. `revision`: the name that the commit was found under, which the
    cache then remembers (:func:`remembered`).

    Raises
    ------
    HubError
        It did not come whole; what is in the cache is whole files alone.
    """
    total = listing.sizes.get(file, 0)
    download = _Download(model, file, revision or listing.commit, most)
    name = f"downloading {model} (MB)" if total > _MEGA else f"downloading {model}"
    expected = total or most
    seconds = LIMIT + (min(expected, CHUNK) if download.counts else expected) / SLOWEST
    yield from _awaited(download, lambda: Progress(name, download.n_bytes // _MEGA, total // _MEGA), model, seconds)
    if download.n_bytes > most:
        raise HubError(f"{file} of {model} has more than {most:,} bytes, too many", "choose another")
    if download.error is not None:
        raise _explained(download.error, model, listing.commit) from download.error
    path = Path(download.path)
    if listing.commit not in path.parts:  # the name leads to another commit since it was looked up
        raise HubError(f"the model {model} was changed on the hub at this very moment", "do the same again")
    return path


class _Errand(threading.Thread):
    """An errand to the hub, so that whoever waits for it can give signs of life. Ends with the program.

    `n_bytes`: of what has arrived. `error`: why it did not come.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.n_bytes, self.is_given_up = 0, False
        self.error: Exception | None = None

    def run(self) -> None:
        """Do it, or keep why it does not come."""
        _be_quiet()
        try:
            self.fetch()
        except Exception as error:  # of its HTTP library, whichever that is, and its own: raised where somebody waits
            self.error = error

    def fetch(self) -> None:
        """Ask the hub, and keep what it gives."""
        raise NotImplementedError


class _Request(_Errand):
    """The listing of a model."""

    def __init__(self, model: str, revision: str) -> None:
        super().__init__()
        self._model, self._revision, self.info = model, revision, None

    def fetch(self) -> None:
        from huggingface_hub import HfApi  # an extra

        self.info = HfApi().model_info(self._model, revision=self._revision, files_metadata=True, timeout=PATIENCE)


class _Download(_Errand):
    """One file on its way, of `most` bytes at most."""

    def __init__(self, model: str, file: str, revision: str, most: int) -> None:
        from huggingface_hub import hf_hub_download  # an extra

        super().__init__()
        self._wanted = {"repo_id": model, "filename": file, "revision": revision}
        self._most, self.path = most, ""
        # older releases do not say how far they are
        self.counts = "tqdm_class" in inspect.signature(hf_hub_download).parameters

    def fetch(self) -> None:
        from huggingface_hub import hf_hub_download  # an extra

        counter: dict[str, Any] = {"tqdm_class": _counter_of(self)} if self.counts else {}
        self.path = hf_hub_download(**self._wanted, etag_timeout=PATIENCE, **counter)

    def add(self, n_bytes: int) -> None:
        """Count what has arrived; ends a download that nobody waits for, or that is too large."""
        self.n_bytes += n_bytes
        if self.is_given_up or self.n_bytes > self._most:
            raise _GivenUp


class _GivenUp(Exception):
    """Ends a download from within."""


def _awaited(
    errand: _Errand, sign: Callable[[], Progress], model: str, seconds: float
) -> Generator[Progress, None, None]:
    """Yield signs of life until an errand is done; it is given up when nothing arrives in so many `seconds`."""
    errand.start()
    began, had = time.monotonic(), 0
    is_there = False
    while not is_there:
        errand.join(_TICK)
        is_there = not errand.is_alive()  # asked before it is told how far it is: the last sign is of the whole
        yield sign()
        if is_there or time.monotonic() - began <= seconds:
            continue
        if errand.n_bytes == had:
            errand.is_given_up = True
            raise HubError(f"the hub is too slow to give {model}", _OFFLINE_HINT, is_unreachable=True)
        began, had = time.monotonic(), errand.n_bytes


def _counter_of(download: _Download) -> type[Any]:
    """A progress bar that draws nothing: the terminal is the application's."""
    from huggingface_hub.utils import tqdm  # an extra

    class Counter(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **settings: Any) -> None:
            super().__init__(*args, **(settings | {"disable": True}))

        def update(self, n: float | None = 1) -> None:
            download.add(int(n or 0))

    return Counter


def _be_quiet() -> None:
    """Let the library write nothing to standard error, which is the screen."""
    from huggingface_hub.utils import disable_progress_bars, logging  # an extra

    logging.set_verbosity_error()
    disable_progress_bars()


def _explained(error: Exception, model: str, revision: str) -> HubError:
    """Return what went wrong between here and the hub, in one line and with what to do."""
    from huggingface_hub import errors  # an extra

    if isinstance(error, errors.GatedRepoError):
        return HubError(
            f"the model {model} is gated: its owners want their terms accepted first",
            "accept them on its page of the hub, log in with: hf auth login, then do the same again",
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return HubError(
            f"the hub has no revision {revision} of {model}", f"what is there now: hub:{model}:revision={MAIN}"
        )
    if isinstance(error, errors.RepositoryNotFoundError | errors.HFValidationError):
        return HubError(
            f"the hub has no model {model}, or it is private", "check the name ORG/NAME; some are in: labeler models"
        )
    if isinstance(error, errors.OfflineModeIsEnabled):
        return HubError(
            f"the hub is not asked for {model}: HF_HUB_OFFLINE is set", "unset it once", is_unreachable=True
        )
    if isinstance(error, errors.HfHubHTTPError):
        status = error.response.status_code
        return HubError(f"the hub refuses {model} (status {status})", _OFFLINE_HINT, is_unreachable=status >= 500)
    if isinstance(error, _MISSHAPEN) and not isinstance(error, OSError):
        what = f"what answers for the hub does not speak of {model} as a hub does"
        return HubError(what, _HUB_HINT, is_unreachable=True)
    if isinstance(error, OSError) and error.strerror and not isinstance(error, ConnectionError):
        return HubError(
            f"the model {model} cannot be kept: {error.strerror}", "make room, or set HF_HOME to another folder"
        )
    reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
    return HubError(f"the hub did not give {model}: {reason}", _OFFLINE_HINT, is_unreachable=True)
