"""The command palette: the commands of the table, found by name."""

from __future__ import annotations

from textual import events
from textual.command import DiscoveryHit, Hit, Hits, Provider

from labeler.ui.actions import Action
from labeler.ui.screens.base import LabelScreen


class ActionProvider(Provider):
    """Offers what the screen underneath can do."""

    def _actions(self) -> tuple[Action, ...]:
        # Textual hands over the screen that the palette lies on
        screen = self.screen
        return screen.KEYS.actions if isinstance(screen, LabelScreen) else ()

    def _run(self, action: Action) -> None:
        """Do it as if its key had been pressed."""
        # through the line of keys: what was typed before it has its turn first
        key = action.keys[0]
        self.app.post_message(events.Key(key, key if len(key) == 1 else None))

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for action in self._actions():
            yield DiscoveryHit(_title(action), lambda action=action: self._run(action), help=action.help)

    async def search(self, query: str) -> Hits:
        """Yield those that fit."""
        matcher = self.matcher(query)
        for action in self._actions():
            score = matcher.match(_title(action))
            if score > 0:
                shown = matcher.highlight(_title(action))
                yield Hit(score, shown, lambda action=action: self._run(action), help=action.help)


def _title(action: Action) -> str:
    return f"{action.label}  {action.shown_keys}"
