"""The backups that a project has in the user's state folder: which there are, in which order, and which may go.

No clock puts them in order, for clocks are set back: the journal does. Events are only ever added, so of two copies of
one line of answers the later one has more. A project that was brought back to an older copy goes on along another line;
the newest of each line is kept, for none holds what is in the other.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from labeler.core.errors import DamagedProject, LabelerError, ProjectError
from labeler.core.pool import Pool
from labeler.project.paths import SUFFIX, key_of
from labeler.session.fold import fold
from labeler.session.state import State
from labeler.store.journal_ends import End, end_of, ends_at, n_instances
from labeler.store.store import Store

KEPT = 10
"""Backups that each line of answers keeps."""
LINES = 5
"""Lines of answers that are kept besides the one that holds most."""
_NAME = re.compile(r"\d+T\d+Z-(?:(\d+)-)?(?:asked|exit|lost|migration)(?:\.\d+)?" + re.escape(SUFFIX))


@dataclass(frozen=True, slots=True)
class Backup:
    """One copy: where it is, whose it is (None = it does not say), why and when it was made, how many events it has.

    `number`: the how manyth of its project it is (0 = it does not say); `end`: where its journal ends.
    """

    path: Path
    of: Path | None
    reason: str
    at: float
    events: int
    mark: str
    instances: int = 0
    number: int = 0
    end: End = field(default=End())

    @property
    def rank(self) -> tuple[int, int, int, float, str]:
        """The order of copies: by content first, the clock and the name last."""
        return self.events, self.instances, self.number, self.at, self.path.name


def folder_of(project: Path) -> Path:
    """Return the folder of a project file's backups: the same for the same file, however it is named."""
    from platformdirs import user_state_path  # start-up: 0.02 s, which no screen waits for

    return user_state_path("labeler", appauthor=False) / "backups" / key_of(project)


# -- one copy --------------------------------------------------------------------------------------------------------


def about(path: Path) -> Backup:
    """Return what a copy says of itself. Raises ProjectError where it cannot be opened."""
    with closing(Store.open(path, read_only=True)) as store:
        noted = store.project().get("backup", {})
        noted = noted if isinstance(noted, dict) else {}
        of, at, number = noted.get("of"), noted.get("at"), noted.get("number")
        return Backup(
            path,
            Path(of) if isinstance(of, str) else None,
            str(noted.get("reason", "")),
            float(at) if isinstance(at, (int, float)) and math.isfinite(at) else 0.0,
            store.n_events(),
            store.mark(),
            n_instances(store),
            number if isinstance(number, int) else 0,
            end_of(store),
        )


def verified(path: Path) -> Backup:
    """Read a copy whole and fold its journal.

    Raises
    ------
    ProjectError
        It is damaged, or no project.
    """
    with closing(Store.open(path, read_only=True)) as store:
        if wrong := store.quick_check():
            raise ProjectError(f"{path} is damaged: {wrong[0]}", "choose an older backup")
        state = folded(store)
        for audit in state.audits:
            if not store.frozen(audit.number):  # they are not derived: without them its certificate speaks of nothing
                raise ProjectError(
                    f"{path} is damaged: the labels of audit {audit.number} are gone", "choose an older backup"
                )
    return about(path)


def folded(store: Store) -> State:
    """Return what the journal of a project amounts to; raises DamagedProject where it cannot be read or add up."""
    try:
        return fold(State(Pool(store.instance_ids())), store.replay())
    except DamagedProject as error:
        raise DamagedProject(
            f"{store.path} is damaged: {error.message}",
            f"what is lost, and which backup to restore: labeler check {store.path}",
        ) from error


# -- all of a project ------------------------------------------------------------------------------------------------


def listed(project: Path) -> list[Backup]:
    """The backups of a project, the newest by content first; what cannot be opened or is no backup is left out."""
    backups = []
    for path in _files(folder_of(project)):
        with suppress(LabelerError):
            backup = about(path)
            backups += [backup] if backup.of is not None else []
    return sorted(backups, key=lambda backup: backup.rank, reverse=True)


def sound(backups: Iterable[Backup]) -> Backup | None:
    """The first of some backups that can be restored."""
    for backup in backups:
        with suppress(LabelerError):
            return verified(backup.path)
    return None


def newest_sound(project: Path) -> Backup | None:
    """The newest backup of a project, by content, that can be restored."""
    return sound(listed(project))


def has(project: Path, events: int, mark: str) -> bool:
    """Whether there is a backup with this content; only those are opened whose name says that they may have it."""
    for path in _files(folder_of(project)):
        named = _NAME.fullmatch(path.name)
        if named is None or named[1] is None or int(named[1]) == events:
            with suppress(LabelerError):
                backup = about(path)
                if backup.of is not None and backup.mark == mark:
                    return True
    return False


def lines(backups: list[Backup]) -> list[list[Backup]]:
    """Backups in their order, line by line: a line is what one of them, the first, goes on from.

    What was copied before two lines parted is in both.
    """
    parted: list[tuple[dict[int, End], list[Backup]]] = []
    places = {backup.end.seq for backup in backups}
    for backup in backups:
        own = [line for ends, line in parted if ends.get(backup.end.seq) == backup.end]
        for line in own:
            line.append(backup)
        if not own:
            with suppress(LabelerError), closing(Store.open(backup.path, read_only=True)) as store:
                parted.append((ends_at(store, places), [backup]))
    return [line for _, line in parted]


def split(backups: list[Backup], event_ids: dict[int, str]) -> tuple[list[Backup], list[Backup]]:
    """The backups that a project (place -> id of its sound events) is a line with, and those of other lines."""
    own: list[Backup] = []
    others: list[Backup] = []
    for backup in backups:
        place = max((seq for seq in event_ids if seq <= backup.end.seq), default=0)
        ends: dict[int, End] = {}
        with suppress(LabelerError), closing(Store.open(backup.path, read_only=True)) as store:
            ends = ends_at(store, [place])
        agrees = place in ends and ends[place].event_id == event_ids.get(place, "")
        (own if agrees else others).append(backup)
    return own, others


def let_go(project: Path, latest: Backup, before: list[Backup]) -> None:
    """Remove of the backups there were `before` what each line has beyond its newest, and the lines that were left long
    ago; only files written here.
    """
    backups = sorted([latest, *before], key=lambda backup: backup.rank, reverse=True)
    if len(backups) <= KEPT:  # no line can have too many: none needs to be opened
        return
    parted = lines(backups)
    latest_first = sorted(parted, key=lambda line: max(backup.number for backup in line), reverse=True)
    # the line that holds most, whenever it was gone on with, and those that were gone on with last
    stays = {backup.path for line in (parted[0], *latest_first[:LINES]) for backup in line[:KEPT]}
    for backup in before:
        # whatever else lies there, put by a person or named by chance as ours are, stays
        if backup.path not in stays and backup.of == project.resolve() and _NAME.fullmatch(backup.path.name):
            with suppress(OSError):
                backup.path.unlink()


def number_after(backups: list[Backup]) -> int:
    """The number of the backup that is made next."""
    return 1 + max((backup.number for backup in backups), default=0)


def free(path: Path) -> Path:
    """`path`, or where it is taken the next name like it."""
    base, number = path.name.removesuffix(SUFFIX), 1
    while os.path.lexists(path):
        number += 1
        path = path.with_name(f"{base}.{number}{SUFFIX}")
    return path


def _files(folder: Path) -> list[Path]:
    with suppress(OSError):
        # no links: what is behind one lies elsewhere, and is not ours to read or remove
        return sorted(path for path in folder.glob(f"*{SUFFIX}") if path.is_file() and not path.is_symlink())
    return []
