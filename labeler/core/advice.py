"""All that a person is advised to do next: each advice a function of the figures in it, and no advice anywhere else.

Every text names what to do. Where it is longer than a line of 80 cells there is a short form that names the same.
"""

from __future__ import annotations

from labeler.core.types import Advice

NO_PROPAGATION = "no-propagation"
"""The code of the advice to take other features."""


def answer_first() -> Advice:
    """Advise an answer: no round was computed yet."""
    return Advice("answer", "answer the first questions")


def answer_representatives() -> Advice:
    """Advise the representatives: no class was learned yet."""
    return Advice("answer", "answer the representatives: each names a whole group")


def answer_question() -> Advice:
    """The chain of plug-ins asks on."""
    return Advice("answer", "answer the question on the screen")


def expect_classes_missed(n_clusters: int, n_classes: int) -> Advice:
    """There are too few clusters to meet every class."""
    few = "only 1 cluster" if n_clusters == 1 else f"only {n_clusters} clusters"
    why = f"{few} for {n_classes} classes"
    return Advice(
        "answer",
        f"{why}: their representatives may miss some, so answer on where margin asks",
        short=f"{why}: some may be missed, answer on",
    )


def choose_other_features(n_answers: int, extra: str = "") -> Advice:
    """Labels do not propagate here: how to go on; by an `extra` of this program where one brings better features."""
    why = (
        f"labels do not spread on these features (by {n_answers} answers, hardly more are expected to be right than if"
        " all were of the commonest class)"
    )
    if extra:
        how, short = (
            f"quit, pip install '.[{extra}]' in the clone, then open it again",
            f"quit, pip install '.[{extra}]'",
        )
    else:
        how = "quit, then open it with --features FILE or --encoder hub:ORG/NAME, as docs/photos.md tells"
        short = "quit, use --features or --encoder: docs/photos.md"
    return Advice(NO_PROPAGATION, f"{why}: {how}", "Q", short=f"labels do not spread: {short}")


def export() -> Advice:
    """Advise the export: no question is left."""
    return Advice("stop", "everything is asked: quit and export", "Q")


def stop(window: int, *, page_pays: bool) -> Advice:
    """The last answers changed nothing."""
    why = f"the last {window} answers changed hardly any label"
    if page_pays:
        return Advice(
            "stop",
            f"{why}: stop here, or confirm pages with G",
            "G",
            short=f"{window} answers changed hardly a label: stop, or confirm pages (G)",
        )
    return Advice("stop", f"{why}: stop here", "Q")


def confirm_page() -> Advice:
    """A page mends more than a question."""
    return Advice("grids", "confirm a page at a glance: it mends more a key than a question now", "G")


def go_on() -> Advice:
    """Questions mend most."""
    return Advice("answer", "go on: the question that helps most comes first")


def rest_from_pages(left: int) -> Advice:
    """The last pages held hardly an error: single questions teach more for a while."""
    return Advice("answer", f"the last pages held hardly an error: answer {left} more, then pages again")


def look_again(n_doubts: int) -> Advice:
    """Before the end, the answers in doubt."""
    look, them = ("1 answer looks odd", "it") if n_doubts == 1 else (f"{n_doubts:,} answers look odd", "them")
    return Advice(
        "second-look",
        f"hardly a label changes now, but {look}: S looks at {them} again",
        "S",
        short=f"{look}: S looks at {them} again",
    )
