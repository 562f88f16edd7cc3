"""The one line for everything the program has to say: why a key did nothing, signs of life, offers.

Nothing pops up. What is said answers the latest key, so it goes with the next one that does something; a trouble
that lasts and the worker's progress come back when the line is free.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content

from labeler.core.text import counted, display_safe, percent
from labeler.core.types import Advice, Progress
from labeler.ui.actions import key_name
from labeler.ui.render import lines

STYLES = {"quiet": "$quiet", "info": "$text", "warn": "bold $warn", "bad": "bold $bad"}


def about_images(images: str) -> list[str]:
    """A note on the way pictures are drawn, which a project remembers: how to leave it."""
    if images in ("kitty", "sixel"):
        return [f"{images} pictures come later, half-blocks until then: --images auto leaves it"]
    return [f"pictures are drawn by --images {images}: --images auto leaves it"] if images != "auto" else []


def _always(advice: Advice) -> bool:
    return True


class StatusLine:
    """The text of the line, by urgency: the last notice, a lasting trouble, the worker's progress, advice."""

    def __init__(self, notices: Sequence[str]) -> None:
        self._notice = " · ".join(notices)
        self._role = "info"
        self._until_painted = False
        self.aside = ""  # said beside what matters, where there is room
        self._early = 0
        self._note = ""
        self._let_go, self._let_go_turns = "", 0
        self.held = ""  # a key is held down: stays until it is let go and another is pressed
        self.trouble = ""
        self.progress: Progress | None = None
        self.advice: Advice | None = None
        self.tick = 0
        self._doubts_said = 0

    def say(self, text: str, role: str = "info", *, until_painted: bool = False) -> None:
        """Say something about the latest key; `until_painted`: it is true as long as the picture is not there."""
        self._notice, self._role, self._until_painted = text, role, until_painted

    def painted(self) -> bool:
        """The picture is there; whether what was said is out of date by it."""
        outdated = self._until_painted and bool(self._notice)
        if outdated:
            self._notice = ""
        return outdated

    def note(self, text: str) -> None:
        """Note something to know until the next key, where nothing more urgent is said."""
        self._note = text

    def doubted(self, count: int) -> None:
        """Offer a second look when there are more answers to look at than were offered before."""
        if count > self._doubts_said:
            odd, them = ("1 answer looks", "it") if count == 1 else (f"{count} answers look", "them")
            self.note(f"{odd} odd: S looks at {them} again")
        # only growth is said; once none is left the next one counts as new
        if count > self._doubts_said or not count:
            self._doubts_said = count

    def ignored_early(self, what: str = "the first picture") -> None:
        """Count a key from before the first painted question (or form)."""
        self._early += 1
        self.say(f"{counted(self._early, 'key')} pressed before {what} was there: ignored", "warn")

    def let_go(self, keys: int) -> None:
        """Count the keys that were dropped for the one that comes now; it stays while that one says its own."""
        self._let_go = f"{counted(keys, 'key')} let go: the picture was not there yet"
        # the turn of the key that comes now, which would clear it, and one to read it
        self._let_go_turns = 2

    def turn(self) -> None:
        """Let the next key have its turn."""
        self._let_go_turns -= 1
        if self._let_go_turns <= 0:
            self._let_go = ""

    def clear(self) -> None:
        """A key did something: what was said before is out of date."""
        self._notice, self._note, self.aside = "", "", ""

    @property
    def moving(self) -> bool:
        """Whether a spinner is on the line."""
        return (
            not self._notice and not self._let_go and not self.held and not self.trouble and self.progress is not None
        )

    def meanwhile(self) -> str:
        """Return for a key that comes too soon what is being done, and that answering can go on."""
        if self.trouble:
            return self.trouble
        what = f" ({self.progress.what})" if self.progress is not None else ""
        return f"still being prepared{what}: go on answering meanwhile"

    def preparing(self) -> list[str]:
        """Return what is being done, for the empty question screen."""
        if self.trouble:
            return [self.trouble]
        progress = self.progress
        if progress is None:
            return ["starting"]
        # a job of unknown length has no bar to fill
        if progress.total <= 1:
            return [progress.what]
        share = progress.done / progress.total
        return [
            f"{progress.what}: {progress.done:,} of {progress.total:,}",
            f"{'█' * round(share * 30):░<30} {percent(share)}",
        ]

    def lines(self, width: int, can_follow: Callable[[Advice], bool] = _always) -> list[Content]:
        """The text in one line, or in two where it is longer; advice is said shorter before it takes two."""
        text = self.line(can_follow)
        # a line that moves is never broken: its halves would jump
        if width <= 0 or self._is_progress:
            return [text]
        if text.cell_length > width and self._is_advice and self.advice is not None and self.advice.short:
            text = self._advised(self.advice, self.advice.short)
        if text.cell_length <= width:
            aside = Content.styled(display_safe(self.aside, 60), "$quiet")
            fits = self.aside and text.cell_length + aside.cell_length + 2 <= width
            return [lines.ends(text, aside, width) if fits else text]
        first, *rest = text.wrap(width)
        return [first, Content(" ").join(rest).truncate(width, ellipsis=True)] if rest else [first]

    @property
    def _is_progress(self) -> bool:
        return self.progress is not None and not (self.held or self._let_go or self._notice or self.trouble)

    @property
    def _is_advice(self) -> bool:
        return not (
            self.held or self._let_go or self._notice or self.trouble or self.progress is not None or self._note
        )

    @staticmethod
    def _advised(advice: Advice, text: str) -> Content:
        key = (f"{key_name(advice.key)} ", "bold $command") if advice.key else ("", "")
        return Content.assemble(key, (display_safe(text, 300), "$quiet"))

    def line(self, can_follow: Callable[[Advice], bool] = _always) -> Content:
        """The text of the line now; without the advice where its key does nothing."""
        if self.held:
            return Content.styled(display_safe(self.held, 300), STYLES["warn"])
        if self._let_go:
            return Content.styled(self._let_go, STYLES["warn"])
        if self._notice:
            return Content.styled(display_safe(self._notice, 300), STYLES[self._role])
        if self.trouble:
            return Content.styled(display_safe(self.trouble, 300), STYLES["bad"])
        if self.progress is not None:
            return lines.working(self.progress, self.tick)
        if self._note:
            return Content.styled(display_safe(self._note, 300), STYLES["quiet"])
        if self.advice is not None and self.advice.text and can_follow(self.advice):
            return self._advised(self.advice, self.advice.text)
        return Content("")
