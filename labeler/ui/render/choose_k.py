"""Numbers of clusters side by side: pure functions from what was compared and a size to styled text."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from labeler.core.numeric.choose_k import Tried, best_by, elbow
from labeler.core.text import counted
from labeler.ui.render.lines import bar

_INERTIA, _SILHOUETTE = 9, 7
"""Cells of the two numbers."""
_K = 6
_REMARK = 22
_AROUND = 5
"""Lines around the rows: two above, an empty one and the explanation below."""
_EXPLAINED = (
    "elbow: where the inertia lies farthest below a straight line (Kneedle).",
    "silhouette: 1 = near its own cluster and far from the next, 0 = between.",
)


def table(tried: Sequence[Tried], cursor: int, now: int | None, width: int, height: int) -> Content:
    """A row a number of clusters: inertia and silhouette as bars, and what speaks for it; `now` = the one in force."""
    if not tried:
        return Content.styled("comparing numbers of clusters ...", "$quiet")
    room = max((width - _K - _INERTIA - _SILHOUETTE - _REMARK - 6) // 2, 4)
    rows = max(height - _AROUND, 1)
    # the cursor in the middle, but for the ends
    first = min(max(cursor - rows // 2, 0), max(len(tried) - rows, 0))
    most = max(trial.inertia for trial in tried) or 1.0
    best = max((trial.silhouette or 0.0 for trial in tried), default=0.0) or 1.0
    remarks = _remarks(tried, now)
    head = Content.assemble(("how many clusters", "bold"), ("  ↑ ↓ choose", "$quiet"))
    title = f"  {'k':>{_K - 2}}  {'inertia':<{room + _INERTIA + 1}} {'silhouette':<{room + _SILHOUETTE + 1}}"
    lines = [head, Content.styled(title, "$quiet")]
    for place, trial in list(enumerate(tried))[first : first + rows]:
        chosen = place == cursor
        score = "-" if trial.silhouette is None else f"{trial.silhouette:.3f}"
        # it may be below 0, which no bar shows
        share = max(trial.silhouette or 0.0, 0.0) / best
        lines.append(
            Content.assemble(
                ("▸ " if chosen else "  ", "bold $command"),
                (f"{trial.k:>{_K - 2}}  ", "bold" if chosen else ""),
                (bar(trial.inertia / most, room), "$guess on $panel"),
                (f"{trial.inertia:>{_INERTIA},.0f}  ", "bold" if chosen else "$quiet"),
                (bar(share, room), "$saved on $panel"),
                (f"{score:>{_SILHOUETTE}}  ", "bold" if chosen else "$quiet"),
                (remarks.get(trial.k, ""), "bold $answer"),
            ).truncate(width, ellipsis=True)
        )
    space = height - len(lines)
    notes = [Content.styled(text, "$quiet").truncate(width, ellipsis=True) for text in _EXPLAINED]
    return Content("\n").join([*lines, *([Content(""), *notes] if space > len(notes) else [])])


def _remarks(tried: Sequence[Tried], now: int | None) -> dict[int, str]:
    """Return what speaks for a number, by k."""
    remarks: dict[int, list[str]] = {}
    for k, words in (
        (now, "now"),
        (elbow(tried), "elbow"),
        (best_by(tried, "silhouette"), "silhouette"),
        (best_by(tried, "bic"), "BIC"),
        (best_by(tried, "aic"), "AIC"),
    ):
        if k is not None:
            remarks.setdefault(k, []).append(words)
    return {k: " · ".join(words) for k, words in remarks.items()}


def about(what: str, done: int, total: int, now: int | None) -> Content:
    """The line below: what was compared, how far it is, what is in force."""
    state = f"{done} of {total} compared" if done < total else f"{counted(total, 'number')} compared"
    force = f" · now {counted(now, 'cluster')}" if now else ""
    return Content.assemble((what, "bold"), (f" · {state}{force}", "$quiet"))
