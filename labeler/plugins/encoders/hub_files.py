"""Files of a model repository of the Hugging Face hub, through `huggingface_hub` and its cache.

A file is asked for by the commit that it is of. What lies in the cache under that commit is taken without any network:
a commit's content never changes.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labeler.core.errors import HubError
from labeler.core.types import Progress

MAIN = "main"
"""The revision that is taken where none is named."""
PATIENCE = 10.0
"""Seconds that the hub has to answer what it holds; of a download each part has as long."""
_TICK = 0.1  # seconds between two signs of life of a download
_MEGA = 1_000_000
_OFFLINE_HINT = "is this machine online, and HF_ENDPOINT right? Then do the same again: nothing is lost"


@dataclass(frozen=True, slots=True)
class Listing:
    """A repository at one `commit`: `sizes` in bytes (0 = not known) by path of a file, and the sha256 of some."""

    commit: str
    sizes: dict[str, int]
    digests: dict[str, str]


def look_up(model: str, revision: str) -> Listing:
    """Return what the hub holds of a model at a revision (branch, tag or commit); one request.

    Raises
    ------
    HubError
        There is no such model or revision, it is gated, or the hub does not answer.
    """
    from huggingface_hub import HfApi  # an extra

    _be_quiet()
    try:
        info = HfApi().model_info(model, revision=revision, files_metadata=True, timeout=PATIENCE)
    except Exception as error:  # of its HTTP library, whichever that is, and its own
        raise _explained(error, model, revision) from error
    if not isinstance(info.sha, str) or len(info.sha) != 40:
        raise HubError(f"what answers for the hub names no commit of {model}", "is HF_ENDPOINT a hub?")
    files = {each.rfilename: each for each in info.siblings or []}
    digests = {name: each.lfs.sha256 for name, each in files.items() if each.lfs is not None}
    return Listing(info.sha, {name: each.size or 0 for name, each in files.items()}, digests)


def remembered(model: str, revision: str, file: str) -> Listing | None:
    """Return what the cache holds of a model since somebody fetched `file` at a revision; None where nobody did."""
    from huggingface_hub import try_to_load_from_cache  # an extra

    path = try_to_load_from_cache(model, file, revision=revision)
    if not isinstance(path, str):
        return None
    snapshot = Path(path).parents[len(Path(file).parts) - 1]
    sizes = {each.relative_to(snapshot).as_posix(): each.stat().st_size for each in snapshot.rglob("*.*")}
    return Listing(snapshot.name, sizes, {})


def cached(model: str, file: str, commit: str) -> Path | None:
    """Return where a file lies in the cache; None where it does not. No network is touched."""
    from huggingface_hub import try_to_load_from_cache  # an extra

    path = try_to_load_from_cache(model, file, revision=commit)
    return Path(path) if isinstance(path, str) else None


def fetch(model: str, file: str, listing: Listing, revision: str = "") -> Generator[Progress, None, Path]:
    """Yield progress while a file comes into the cache; return where it lies there.

    `revision`: the name that the commit was found under, which the cache then remembers (:func:`remembered`).

    Raises
    ------
    HubError
        It did not come whole; what is in the cache is whole files alone.
    """
    total = listing.sizes.get(file, 0)
    download = _Download(model, file, revision or listing.commit)
    download.start()
    name = f"downloading {model} (MB)" if total > _MEGA else f"downloading {model}"
    is_there = False
    while not is_there:
        download.join(_TICK)
        is_there = not download.is_alive()  # asked before it is told how far it is: the last sign is of the whole
        yield Progress(name, download.n_bytes // _MEGA, total // _MEGA)
    if download.error is not None:
        raise _explained(download.error, model, listing.commit) from download.error
    path = Path(download.path)
    if listing.commit not in path.parts:  # the name leads to another commit since it was looked up
        raise HubError(f"the model {model} was changed on the hub at this very moment", "do the same again")
    return path


class _Download(threading.Thread):
    """One file on its way, so that whoever waits for it can say how far it is. Ends with the program."""

    def __init__(self, model: str, file: str, revision: str) -> None:
        super().__init__(daemon=True)
        self._wanted = {"repo_id": model, "filename": file, "revision": revision}
        self.n_bytes, self.path = 0, ""
        self.error: Exception | None = None

    def run(self) -> None:
        """Fetch the file, or keep why it does not come."""
        from huggingface_hub import hf_hub_download  # an extra

        _be_quiet()
        # older releases do not say how far they are
        counts = "tqdm_class" in inspect.signature(hf_hub_download).parameters
        counter: dict[str, Any] = {"tqdm_class": _counter_of(self)} if counts else {}
        try:
            self.path = hf_hub_download(**self._wanted, etag_timeout=PATIENCE, **counter)
        except Exception as error:  # it is raised where somebody waits for it
            self.error = error


def _counter_of(download: _Download) -> type[Any]:
    """A progress bar that draws nothing: the terminal is the application's."""
    from huggingface_hub.utils import tqdm  # an extra

    class Counter(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **settings: Any) -> None:
            super().__init__(*args, **(settings | {"disable": True}))

        def update(self, n: float | None = 1) -> None:
            download.n_bytes += int(n or 0)

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
    if isinstance(error, OSError) and error.strerror and not isinstance(error, ConnectionError):
        return HubError(
            f"the model {model} cannot be kept: {error.strerror}", "make room, or set HF_HOME to another folder"
        )
    reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
    return HubError(f"the hub did not give {model}: {reason}", _OFFLINE_HINT, is_unreachable=True)
