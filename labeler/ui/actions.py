"""The one table of what keys do on every screen, and how a screen says what its own keys do.

Small letters and digits answer, capitals command. Footer, help and palette of a screen are made from its `Keys`: the
common commands of the groups it has, with what its class attribute ``ACTIONS`` says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from labeler.session.keys import COMMAND_LETTERS

BACK = "back"
"""The label of a key that leads to the screen below."""


class Group(StrEnum):
    """The common commands that a screen has or has not as a whole."""

    ALWAYS = "always"
    ANSWERS = "answers"  # where class keys answer
    LEADS = "leads"  # to other screens
    MOVES = "moves"  # a cursor over thumbnails
    PAGES = "pages"


@dataclass(frozen=True, slots=True)
class Action:
    """One command.

    `name` is the method (``do_<name>``) of the screen, or the function of that name in `screens/commands.py`.
    `keys` are characters or Textual's key names. `group` is None where it is the screen's own.
    `speaks_of_instance`: an answer or its taking back, which needs a painted question; the other commands do not.
    `refusal` is what is said in place of doing it. `leads_notice`: its label, not that of the common command of the
    same key, is what the key is said to do elsewhere.
    """

    name: str
    keys: tuple[str, ...]
    label: str
    help: str
    group: Group | None = None
    speaks_of_instance: bool = False
    in_footer: bool = False
    refusal: str = ""
    leads_notice: bool = False

    @property
    def repeats(self) -> bool:
        """Whether holding the key down is meant."""
        return MAY_REPEAT.issuperset(self.keys)

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
        """The order in which commands leave a footer that is too narrow: 0 never, then the higher the sooner."""
        # nobody may be left without a way out or a way to learn the keys
        if self.name in ("help", "quit") or self.label == BACK:
            return 0
        if self.group is None or self.name not in _GIVE_WAY:
            return 1  # what its screen is for
        return 2 + _GIVE_WAY.index(self.name)


_GIVE_WAY = (
    "undo", "unsure", "new_class", "dashboard", "reject", "pages", "search", "clusters", "representatives", "classes",
    "similar", "second_look",
)  # fmt: skip
"""Commands of many screens in the order of their weight; the dashboard leads on to those behind it."""

MAY_REPEAT = frozenset(
    [*("up", "down", "left", "right"), *("shift+up", "shift+down", "shift+left", "shift+right"), "pageup", "pagedown"]
)
"""Keys that are held down on purpose: they move."""

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


def _common(group: Group, name: str, keys: str, label: str, help: str, marks: str = "") -> Action:  # noqa: A002
    return Action(name, tuple(keys.split()), label, help, group, "answer" in marks, "footer" in marks)


# an enumeration unpacks in the order in which its members are defined
_ALWAYS, _ANSWERS, _LEADS, _MOVES, _PAGES = Group

COMMON: tuple[Action, ...] = (
    _common(_ANSWERS, "accept", "enter A", "accept", "accept the guess shown", "answer footer"),
    _common(_ANSWERS, "skip", "space", "skip", "ask it again later in this session", "answer footer"),
    _common(
        _ALWAYS,
        "undo",
        "backspace ctrl+z ctrl+h",
        "undo",
        "take the last answer back, any number of times",
        "answer footer",
    ),
    _common(_ALWAYS, "redo", "ctrl+y", "redo", "bring back what undo took", "answer"),
    _common(
        _ANSWERS, "unsure", "U", "unsure", "cannot tell: not asked again, its label stays the model's", "answer footer"
    ),
    _common(_ANSWERS, "reject", "X", "reject", "belongs to no class or is unusable: leaves the pool", "answer footer"),
    _common(_ANSWERS, "flag", "F", "flag", "set or take away a bookmark; answers nothing", "answer"),
    _common(_ANSWERS, "new_class", "N", "class", "add a new class, and answer with it", "footer"),
    _common(_MOVES, "move_up", "up", "up", "the picture above"),
    _common(_MOVES, "move_down", "down", "down", "the picture below"),
    _common(_MOVES, "move_left", "left", "left", "the picture before"),
    _common(_MOVES, "move_right", "right", "right", "the next picture"),
    _common(_PAGES, "page_back", "pageup", "page back", "the page before"),
    _common(_PAGES, "page_on", "pagedown", "page on", "the next page"),
    _common(_LEADS, "representatives", "R", "sheet", "contact sheet of the representatives", "footer"),
    _common(_LEADS, "pages", "G", "pages", "grid of one class to confirm at a glance", "footer"),
    _common(_ANSWERS, "similar", "M", "more like this", "what is most like it, nearest first", "footer"),
    _common(_LEADS, "clusters", "T", "clusters", "what each cluster holds, how far its labels spread", "footer"),
    _common(_LEADS, "choose_k", "K", "how many clusters", "compare numbers of clusters, and choose one"),
    _common(_LEADS, "outliers", "O", "odd ones", "the oddest pictures: broken, rare, of no class"),
    _common(_LEADS, "hunt", "H", "hunt", "hunt for more of a rare class, one picture after the other"),
    _common(_ANSWERS, "why", "I", "why", "why its label is what it is, back to the key press"),
    _common(_LEADS, "second_look", "S", "second look", "answers in doubt, one at a time", "footer"),
    _common(_ANSWERS, "search", "/", "search", "find pictures by path, class or mark", "footer"),
    _common(_ANSWERS, "copy_path", "Y", "copy path", "copy the path of the picture, and show it"),
    _common(_LEADS, "dashboard", "D", "dashboard", "the learning curve, and what pays next", "footer"),
    _common(_LEADS, "classes", "C", "classes", "add, rename, merge, split, retire classes; their keys", "footer"),
    _common(_ALWAYS, "percentile", "P", "percentile", "percentile: how far labels spread over their cluster"),
    _common(_LEADS, "audit", "E", "audit", "evidence: begin an audit, or go on with it, blind"),
    _common(_ALWAYS, "help", "?", "help", "every key", "footer"),
    _common(_ALWAYS, "palette", "ctrl+p", "palette", "find a command by its name"),
    _common(_ALWAYS, "saved", "ctrl+s", "save", "nothing to do: every answer is saved at once"),
    _common(_ALWAYS, "suspend", "ctrl+t", "shell", "to the shell for a while; fg comes back (ctrl+z is undo)"),
    _common(_ALWAYS, "quit", "Q ctrl+q ctrl+c", "quit", "leave; everything is saved", "footer"),
)
"""In the order of help and footer."""

_RANKS = {action.name: rank for rank, action in enumerate(COMMON)}
_BY_NAME = {action.name: action for action in COMMON}

SMALL_COMMANDS = frozenset(COMMAND_LETTERS) - {"q"}
"""Prodigy's small letters: they mean their capital while no class owns them. `q` never quits by chance."""


@dataclass(frozen=True, slots=True)
class Own:
    """One entry of a screen's ``ACTIONS``: the fields of an action that it sets, and where the action stands.

    `before` names the common command in front of which it stands; "" = where the common command of its name does.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    before: str = ""


def says(label: str = "", help: str = "", **fields: Any) -> Own:  # noqa: A002 -- as the field of an action
    """A common command in the words of the screen; without words, a command of a group that the screen has not."""
    words = {name: word for name, word in (("label", label), ("help", help)) if word}
    # in words of the screen a command is its own: it leaves a narrow footer last
    return Own({**words, **fields, **({"group": None} if words else {})})


def key(*keys: str, label: str, help: str, before: str = "redo", **fields: Any) -> Own:  # noqa: A002
    """A command of the screen's own, or a common one in another place; its keys are those of no other command here."""
    return Own({"in_footer": True, **fields, "keys": keys, "label": label, "help": help, "group": None}, before)


def back(help: str, *, before: str = "redo") -> Own:  # noqa: A002
    """The key that opened the screen: on it, it leads back."""
    return Own({"label": BACK, "help": help, "group": None, "in_footer": True, "speaks_of_instance": False}, before)


Actions = Mapping[str, Own | None]
"""What a screen says of its commands, by their names; None = a common command that it has not."""


class Keys:
    """The commands of one screen, in the order of help and footer.

    Parameters
    ----------
    groups
        The common commands it has.
    own
        What it says of its own.
    """

    def __init__(self, groups: Iterable[Group], own: Actions) -> None:
        self.answers = Group.ANSWERS in (groups := frozenset(groups))
        # None stands for a common command that the screen has not: it makes no row
        rows = [(_rank(name, entry), _action(name, entry)) for name, entry in own.items() if entry is not None]
        # a key that a screen takes for itself is gone from the common command, which keeps its others
        taken = {key for entry in own.values() if entry is not None for key in entry.fields.get("keys", ())}
        for action in COMMON:
            keys = tuple(key for key in action.keys if key not in taken)
            if action.name not in own and action.group in groups and keys:
                rows.append((_RANKS[action.name], replace(action, keys=keys)))
        self.actions = tuple(action for _, action in sorted(rows, key=lambda row: row[0]))
        self.by_key: Mapping[str, Action] = {key: action for action in self.actions for key in action.keys}

    def __iter__(self) -> Iterator[Action]:
        return iter(self.actions)


def _rank(name: str, entry: Own) -> float:
    # half a rank: several in front of the same command stay in the order of ACTIONS, for sorting is stable
    return _RANKS[entry.before] - 0.5 if entry.before else _RANKS[name]


def _action(name: str, entry: Own) -> Action:
    action = _BY_NAME.get(name)
    return Action(name=name, **entry.fields) if action is None else replace(action, **entry.fields)


def refusal(key: str, *, has_classes: bool, elsewhere: Iterable[Action]) -> str:
    """One line on why a key does nothing; `elsewhere` are the commands of other screens, those that answer first."""
    shown = key_name(key)
    # many programs end by it: whoever presses it is told which key does
    if key == "q":
        return "q does nothing, so that nobody quits by chance: Q quits"
    meanings = [action for action in (*COMMON, *elsewhere) if key in action.keys and action.label != BACK]
    if meanings:
        # the common command is what the key means on most screens, but where a screen is known for another use of it
        known = next((action for action in meanings if action.leads_notice), meanings[0])
        return f"{shown} does nothing here (elsewhere: {known.label}): ? lists the keys"
    if len(key) == 1 and key.isupper():
        return f"no command has the key {shown}: ? lists them all"
    if len(key) == 1:
        return f"no class has the key {shown}" + (": N adds a class" if has_classes else " yet: N adds the first class")
    return f"{shown} does nothing: ? lists the keys"
