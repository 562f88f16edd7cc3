"""The one table of what a key does: footer, help and palette are made from it, every screen obeys it.

Small letters and digits answer, capitals command.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from labeler.session.keys import COMMAND_LETTERS


class Place(StrEnum):
    """The screens where keys answer or command (the others are forms and pages to read)."""

    QUESTION = "question"
    SHEET = "sheet"
    GRID = "grid"
    ALIKE = "alike"
    CLUSTERS = "clusters"
    SEARCH = "search"
    SECOND_LOOK = "second-look"
    WHY = "why"
    DASHBOARD = "dashboard"
    CLASSES = "classes"
    SPLIT = "split"
    CHOOSE_K = "choose-k"
    ODD = "odd"
    HUNT = "hunt"
    AUDIT = "audit"
    AUDIT_PAGES = "audit-pages"


EVERYWHERE = frozenset(Place)
ANSWERING = EVERYWHERE - {Place.WHY, Place.DASHBOARD, Place.CLASSES, Place.SPLIT, Place.CHOOSE_K}
"""Where class keys answer."""


@dataclass(frozen=True, slots=True)
class Action:
    """One command.

    `name` is the method (``do_<name>``) of the screen, `keys` what calls it: characters or Textual's key names.
    `speaks_of_instance`: an answer or its taking back, which needs a painted question; the other commands do not.
    """

    name: str
    keys: tuple[str, ...]
    label: str
    help: str
    places: frozenset[Place] = EVERYWHERE
    speaks_of_instance: bool = False
    in_footer: bool = False
    repeats: bool = False  # holding the key down is meant

    @property
    def shown_keys(self) -> str:
        """The keys as people read them."""
        return " ".join(key_name(key) for key in self.keys if key not in HIDDEN)

    @property
    def main_key(self) -> str:
        """The first key as people read it."""
        return key_name(self.keys[0])

    @property
    def gives_way(self) -> int:
        """How soon it leaves a footer that is too narrow: 0 never, then the higher the sooner."""
        if self.name in ("help", "quit") or self.label == "back":
            return 0
        if self.name not in _GIVE_WAY or len(self.places) <= _FEW:
            return 1  # what its screen is for
        return 2 + _GIVE_WAY.index(self.name)


_GIVE_WAY = (
    "undo", "unsure", "new_class", "dashboard", "reject", "grid", "search", "clusters", "sheet", "classes", "alike",
    "second_look",
)  # fmt: skip
"""Commands of many screens in the order of their weight; the dashboard leads on to those behind it."""
_FEW = 2
"""A command of so many screens at most is what they are for."""

HIDDEN = frozenset({"ctrl+h", "ctrl+c"})
"""Keys that work and need no mention: what some terminals send for backspace, and a habit."""

_NAMES = {
    "enter": "⏎",
    "space": "space",
    "backspace": "⌫",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
}


def key_name(key: str) -> str:
    """A key as people read it: ``⏎``, ``ctrl+z``, ``A``."""
    return _NAMES.get(key, key)


_QUESTION, _SHEET, _GRID = frozenset({Place.QUESTION}), frozenset({Place.SHEET}), frozenset({Place.GRID})
_ALIKE, _CLUSTERS, _SEARCH = frozenset({Place.ALIKE}), frozenset({Place.CLUSTERS}), frozenset({Place.SEARCH})
_SECOND_LOOK, _WHY, _DASHBOARD = (frozenset({place}) for place in (Place.SECOND_LOOK, Place.WHY, Place.DASHBOARD))
_CHOOSE_K = frozenset({Place.CHOOSE_K})
_CLASSES, _SPLIT, _AUDIT = (frozenset({place}) for place in (Place.CLASSES, Place.SPLIT, Place.AUDIT))
_AUDIT_PAGES, _ODD = frozenset({Place.AUDIT_PAGES}), frozenset({Place.ODD})
_HUNT = frozenset({Place.HUNT})
_AUDITS = _AUDIT | _AUDIT_PAGES
_SEEING = ANSWERING - _AUDITS  # an audit is blind: nothing leads from it to where labels are shown
_ONE_AT_A_TIME, _PAGES = _QUESTION | _SHEET | _CLUSTERS | _SEARCH | _ODD | _HUNT, _GRID | _ALIKE
_THUMBNAILS = _SHEET | _SEARCH | _ODD | _HUNT | _PAGES | _WHY | _SPLIT | _AUDIT_PAGES
_PAGED = _SHEET | _CLUSTERS | _SEARCH | _ODD | _HUNT | _WHY | _CLASSES | _SPLIT | _AUDIT_PAGES
_LEADS_ON = EVERYWHERE - _WHY - _CLASSES - _SPLIT - _AUDITS - _CHOOSE_K

ACTIONS: tuple[Action, ...] = (
    # where no picture is answered, capitals say what is done to the class that is chosen
    Action("accept", ("enter", "A"), "rename", "another name; go ahead with a merge", _CLASSES, False, True),
    Action("class_key", ("K",), "key", "another key for the class", _CLASSES, in_footer=True),
    Action("merge", ("M",), "merge", "merge the class into another one", _CLASSES, in_footer=True),
    Action("split", ("S",), "split", "give some labels of the class to a new one", _CLASSES, in_footer=True),
    Action("retire", ("X",), "retire", "take the class out of use, or bring it back", _CLASSES, in_footer=True),
    Action("new_class", ("N",), "add", "add a class", _CLASSES, in_footer=True),
    Action("mark", ("X", "space"), "mark", "this label goes to the new class, or stays", _SPLIT, in_footer=True),
    Action("accept", ("enter", "A"), "name", "name the class that the marked labels go to", _SPLIT, False, True),
    Action("accept", ("enter", "A"), "take it", "cluster into so many from here on", _CHOOSE_K, in_footer=True),
    Action("choose_k", ("K",), "back", "back to where the numbers of clusters were opened", _CHOOSE_K, in_footer=True),
    Action("move_up", ("up",), "fewer", "fewer clusters", _CHOOSE_K, repeats=True),
    Action("move_down", ("down",), "more", "more clusters", _CHOOSE_K, repeats=True),
    Action("classes", ("C",), "back", "back to where the classes were opened", _CLASSES, in_footer=True),
    Action("split", ("S",), "back", "back to the classes", _SPLIT, in_footer=True),
    Action("accept", ("enter", "A"), "accept", "accept the guess shown", _ONE_AT_A_TIME - _SEARCH, True, True),
    Action("open", ("enter",), "open", "ask about this picture next, large", _SEARCH, True, True),
    Action("accept", ("A",), "accept", "accept the guess shown", _SEARCH, True, True),
    Action(
        "accept", ("enter", "A"), "all right", "confirm the page: every picture as its caption says", _PAGES, True, True
    ),
    Action(
        "accept", ("enter", "A"), "keep", "keep the answer as it is: it is not offered again", _SECOND_LOOK, True, True
    ),
    Action("accept", ("enter", "A"), "ask on", "why is the answer under the cursor what it is", _WHY, in_footer=True),
    Action("reject", ("X",), "take the other", "change the answer to what stands beside it", _SECOND_LOOK, True, True),
    Action(
        "accept",
        ("enter", "A"),
        "all right",
        "confirm the page: every picture as its heading says",
        _AUDIT_PAGES,
        True,
        True,
    ),
    Action("accept", ("enter", "A"), "no guess", "an audit is blind: there is no guess to accept", _AUDIT),
    Action("skip", ("space",), "no skipping", "an audit leaves none out: U if you cannot tell", _AUDITS),
    Action("skip", ("space",), "later", "leave it for a later look", _SECOND_LOOK, True, True),
    Action("skip", ("space",), "skip", "ask it again later in this session", _ONE_AT_A_TIME - _CLUSTERS, True, True),
    Action("skip", ("space",), "skip", "ask it again later in this session", _CLUSTERS, True),
    Action("skip", ("space",), "leave", "leave the page as it is and look at the next", _PAGES, True, True),
    Action(
        "undo",
        ("backspace", "ctrl+z", "ctrl+h"),
        "undo",
        "take the last answer back, any number of times",
        EVERYWHERE,
        True,
        True,
    ),
    Action("second_look", ("S",), "back", "back to where the second look was opened", _SECOND_LOOK, in_footer=True),
    Action("why", ("I",), "back", "back: to the instance before, then to where it was asked", _WHY, in_footer=True),
    Action("sheet", ("R",), "back", "back to where the contact sheet was opened", _SHEET, in_footer=True),
    Action("grid", ("G",), "back", "back to where the pages were opened", _GRID, in_footer=True),
    Action("odd", ("O",), "back", "back to where the odd ones were opened", _ODD, in_footer=True),
    Action("hunt", ("H",), "back", "back to where the hunt was opened", _HUNT, in_footer=True),
    Action("alike", ("M",), "back", "back to the picture they are near to", _ALIKE, in_footer=True),
    Action("clusters", ("T",), "back", "back to where the clusters were opened", _CLUSTERS, in_footer=True),
    Action(
        "further", ("+", "=", ">"), "further", "labels spread further in this cluster alone", _CLUSTERS, in_footer=True
    ),
    Action("less", ("-", "<"), "less", "labels spread less far in this cluster alone", _CLUSTERS, in_footer=True),
    Action("common", ("*",), "as all", "this cluster follows the rule of all again (P)", _CLUSTERS),
    Action(
        "halve", ("H",), "halve", "divide this cluster in two; both centers are asked next", _CLUSTERS, in_footer=True
    ),
    Action("order", ("O",), "order", "largest or most mixed clusters first", _CLUSTERS, in_footer=True),
    Action("dashboard", ("D",), "back", "back to where the dashboard was opened", _DASHBOARD, in_footer=True),
    Action("search", ("/",), "back", "back to where the search began; once more to change it", _SEARCH, in_footer=True),
    Action("redo", ("ctrl+y",), "redo", "bring back what undo took", speaks_of_instance=True),
    Action(
        "unsure", ("U",), "unsure", "cannot tell: not asked again, its label stays the model's", _SEEING, True, True
    ),
    Action("unsure", ("U",), "unsure", "cannot tell: its label counts as wrong", _AUDITS, True, True),
    Action("reject", ("X",), "reject", "belongs to no class: its label was wrong", _AUDIT, True, True),
    Action(
        "reject", ("X",), "reject", "belongs to no class or is unusable: leaves the pool", _ONE_AT_A_TIME, True, True
    ),
    Action("reject", ("X",), "not this", "the runner-up instead of the caption, for this picture", _GRID, True, True),
    Action("reject", ("X",), "not this", "the likeliest other class instead, or back", _AUDIT_PAGES, True, True),
    Action("reject", ("X",), "a miss", "of another kind: left without an answer, or back", _ALIKE, True, True),
    Action(
        "flag",
        ("F",),
        "flag",
        "set or take away a bookmark; answers nothing",
        EVERYWHERE - _DASHBOARD - _CLASSES - _CHOOSE_K,
        True,
    ),
    Action("new_class", ("N",), "class", "add a new class, and answer with it", ANSWERING, in_footer=True),
    Action("move_up", ("up", "shift+up"), "guess up", "choose the guess above", _QUESTION, repeats=True),
    Action("move_down", ("down", "shift+down"), "guess down", "choose the guess below", _QUESTION, repeats=True),
    Action("move_left", ("left", "shift+left"), "left", "move over a zoomed picture", _QUESTION, repeats=True),
    Action("move_right", ("right", "shift+right"), "right", "move over a zoomed picture", _QUESTION, repeats=True),
    Action("view", ("V",), "view", "fit, zoom ×2 and ×4, contrast, 8 and 3 colors", _QUESTION | _AUDIT),
    Action("move_up", ("up",), "up", "the picture above", _THUMBNAILS, repeats=True),
    Action("move_down", ("down",), "down", "the picture below", _THUMBNAILS, repeats=True),
    Action("move_left", ("left",), "left", "the picture before", _THUMBNAILS, repeats=True),
    Action("move_right", ("right",), "right", "the next picture", _THUMBNAILS, repeats=True),
    Action("move_up", ("up",), "up", "the class above", _CLASSES, repeats=True),
    Action("move_down", ("down",), "down", "the class below", _CLASSES, repeats=True),
    Action("move_up", ("up",), "up", "the cluster above", _CLUSTERS, repeats=True),
    Action("move_down", ("down",), "down", "the cluster below", _CLUSTERS, repeats=True),
    Action("move_left", ("left",), "left", "the picture before", _CLUSTERS, repeats=True),
    Action("move_right", ("right",), "right", "the next picture of the cluster", _CLUSTERS, repeats=True),
    Action("page_back", ("pageup",), "page back", "the page before", _PAGED, repeats=True),
    Action("page_on", ("pagedown",), "page on", "the next page", _PAGED, repeats=True),
    Action("sheet", ("R",), "sheet", "contact sheet of the representatives", _LEADS_ON - _SHEET, in_footer=True),
    Action("grid", ("G",), "pages", "grid of one class to confirm at a glance", _LEADS_ON - _GRID, in_footer=True),
    Action(
        "alike",
        ("M",),
        "more like this",
        "what is most like it, nearest first",
        _SEEING - _ALIKE,
        in_footer=True,
    ),
    Action(
        "clusters",
        ("T",),
        "clusters",
        "what each cluster holds, how far its labels spread",
        _LEADS_ON - _CLUSTERS,
        in_footer=True,
    ),
    Action("choose_k", ("K",), "how many clusters", "compare numbers of clusters, and choose one", _LEADS_ON),
    Action(
        "odd",
        ("O",),
        "odd ones",
        "the oddest pictures: broken, rare, of no class",
        _LEADS_ON - _ODD - _CLUSTERS - _DASHBOARD,
    ),
    Action(
        "hunt",
        ("H",),
        "hunt",
        "hunt for more of a rare class, one picture after the other",
        (_LEADS_ON | _CLASSES) - _HUNT - _CLUSTERS - _DASHBOARD,
    ),
    Action("why", ("I",), "why", "why its label is what it is, back to the key press", _SEEING),
    Action("why", ("I",), "not now", "an audit is blind: its label is shown on other screens", _AUDITS),
    Action(
        "second_look",
        ("S",),
        "second look",
        "answers in doubt, one at a time",
        _LEADS_ON - _SECOND_LOOK,
        in_footer=True,
    ),
    Action("search", ("/",), "search", "find pictures by path, class or mark", _SEEING - _SEARCH, in_footer=True),
    Action("copy_path", ("Y",), "copy path", "copy the path of the picture, and show it", ANSWERING),
    Action(
        "dashboard",
        ("D",),
        "dashboard",
        "the learning curve, and what pays next",
        EVERYWHERE - _DASHBOARD - _CLASSES - _SPLIT - _AUDITS - _CHOOSE_K,
        in_footer=True,
    ),
    Action(
        "classes",
        ("C",),
        "classes",
        "add, rename, merge, split, retire classes; their keys",
        EVERYWHERE - _CLASSES - _SPLIT - _AUDITS - _CHOOSE_K,
        in_footer=True,
    ),
    Action(
        "percentile", ("P",), "percentile", "percentile: how far labels spread over their cluster", EVERYWHERE - _AUDITS
    ),
    Action("grid", ("G",), "pages", "pages of pictures under their labels: fewer keys", _AUDIT, in_footer=True),
    Action("grid", ("G",), "single", "one by one and blind, between two blocks", _AUDIT_PAGES, in_footer=True),
    Action("audit", ("E",), "back", "back to the questions", _AUDITS, in_footer=True),
    Action("audit", ("E",), "audit", "evidence: begin an audit, or go on with it, blind", _LEADS_ON),
    Action("help", ("?",), "help", "every key", in_footer=True),
    Action("palette", ("ctrl+p",), "palette", "find a command by its name"),
    Action("saved", ("ctrl+s",), "save", "nothing to do: every answer is saved at once"),
    Action("suspend", ("ctrl+t",), "shell", "to the shell for a while; fg comes back (ctrl+z is undo)"),
    Action("quit", ("Q", "ctrl+q", "ctrl+c"), "quit", "leave; everything is saved", in_footer=True),
)
"""In the order of help and footer."""

SMALL_COMMANDS = frozenset(COMMAND_LETTERS) - {"q"}
"""Prodigy's small letters: they mean their capital while no class owns them. `q` never quits by chance."""


def find(key: str, place: Place) -> Action | None:
    """The command of `key` on that screen."""
    return next((action for action in ACTIONS if key in action.keys and place in action.places), None)


def on(place: Place) -> list[Action]:
    """The commands of a screen, in the order of the table."""
    return [action for action in ACTIONS if place in action.places]


def refusal(key: str, *, has_classes: bool) -> str:
    """One line on why a key does nothing."""
    shown = key_name(key)
    if key == "q":
        return "q does nothing, so that nobody quits by chance: Q quits"
    elsewhere = [action for action in ACTIONS if key in action.keys and action.label != "back"]
    if elsewhere:
        known = next((action for action in elsewhere if action.places & ANSWERING), elsewhere[0])
        return f"{shown} does nothing here (elsewhere: {known.label}): ? lists the keys"
    if len(key) == 1 and key.isupper():
        return f"no command has the key {shown}: ? lists them all"
    if len(key) == 1:
        return f"no class has the key {shown}" + (": N adds a class" if has_classes else " yet: N adds the first class")
    return f"{shown} does nothing: ? lists the keys"
