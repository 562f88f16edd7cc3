"""An open project: its session, its source and, once started, its engine. Every door goes through one."""

from __future__ import annotations

import contextlib
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Any

from labeler.core.errors import LabelerError, NotSaved
from labeler.core.text import counted, display_safe
from labeler.project import backups, paths, source_changes
from labeler.project.engine import Behind
from labeler.session.quality.summary import measure
from labeler.session.summary import in_the_export, keys_pressed, this_session


class Project(Behind):
    """One open project: its session, its source and, once started, its engine."""

    def summary(self) -> str:
        """What to say on quitting: the work, where it is, how to go on."""
        measurements = measure(self.session.state, self.session.audit.certificate())
        lines = [
            *([self._score()] if self.truth is not None else []),
            this_session(self.session),
            in_the_export(self.session),
            *(f"{line.title}: {line.statement}" for measurement in measurements for line in measurement.lines),
            *(self._what_is_lost() if self.is_lost else self._how_to_go_on()),
        ]
        return "\n".join(lines)

    @property
    def is_lost(self) -> bool:
        """Whether the project file was removed, moved or replaced while it was open."""
        return self._store.is_lost

    def _how_to_go_on(self) -> list[str]:
        path = shlex.quote(display_safe(str(self.path), 1000))
        return [
            f"saved in {display_safe(str(self.path), 1000)}",
            "resume: labeler demo" if self.truth is not None else f"resume: labeler label {path}",
            f"export: labeler export {path} labels.csv",
        ]

    def _what_is_lost(self) -> list[str]:
        """Where the answers are now that the file is not: in a backup that is made here, before anything is let go."""
        lines = [f"NOT saved in {display_safe(str(self.path), 1000)}: it was removed, moved or replaced while open"]
        try:
            made = backups.keep(self._store, "lost")
        except LabelerError as error:
            return [*lines, f"no backup could be made of what was open: {error.message} ({error.hint})"]
        self.backed_up = False
        place = shlex.quote(display_safe(str(made.path), 1000))
        return [*lines, f"all answers are in its backup: labeler restore {place}"]

    def save_elsewhere(self, place: str) -> Path:
        """Copy all that is saved to `place` (a folder or a new file) and go on there; what was here stays as it is.

        Returns the file. Raises ProjectError, NotSaved where it cannot be written or is there already.
        """
        path = Path(place).expanduser()
        path = path / self.path.name if path.is_dir() else path
        if not path.name.endswith(paths.SUFFIX):
            path = path.with_name(path.name + paths.SUFFIX)
        store = backups.go_on_at(self._store, path, self.source_path)
        self.session.recorder.go_on_in(store)
        before, self._store, self.path = self._store, store, store.path
        before.close()
        self.notices.append(f"the disk of {before.path} did not take an answer: all is in {path} from there on")
        return path

    def close(self) -> None:
        """End the worker, leave a backup where something changed since the last one, and a single file."""
        if self._client is not None:
            self._client.close()
        if self.source is not None:
            self._complete_hashes()
            self.source.close()
        if self.backed_up:
            try:
                backups.at_exit(self._store)
            except LabelerError as error:  # nothing is lost by it, and what was done is done
                self.notices.append(f"no backup was made: {error.message} ({error.hint})")
        self._store.close()

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- inside --------------------------------------------------------------------------------------------------

    def _complete_hashes(self) -> None:
        """What was answered before the pool was read, or in a table: a label stays with the content it was given to."""
        if self._store.read_only or self.source is None:
            return
        found = source_changes.completed(self.source, self.session.pool.ids, self.session.state.answers, self._hashes)
        if found is not None:
            with contextlib.suppress(NotSaved):
                self._store.put_arrays("pool", {"sha256": found})

    def _score(self) -> str:
        truth, session = self.truth or {}, self.session
        names = {class_id: info.name for class_id, info in session.state.classes.items()}
        right = sum(
            names.get(session.label_of(index)[0]) == truth.get(instance_id)
            for index, instance_id in enumerate(session.pool.ids)
        )
        share = 100 * right / max(len(session.pool), 1)
        keys = counted(keys_pressed(session), "key")
        return f"you: {keys}; right: {share:.1f} % of {len(session.pool):,} (only the demo knows)"


def summary_of(project: Project) -> dict[str, Any]:
    """Options in force, for a manifest."""
    return {"options": project.options, "recipe": {k: v for k, v in asdict(project.recipe()).items() if k != "cache"}}
