"""The rest from pages, when they have done their work for a while."""

from __future__ import annotations

CLEAN_PAGES = 3
FEW_EXCEPTIONS = 2
SINGLES_BETWEEN = 10


class Pacing:
    """One sitting: after CLEAN_PAGES in a row with at most FEW_EXCEPTIONS come SINGLES_BETWEEN single questions.

    They teach the model something new, and so which page is worth a look next; `singles_left` of them are left.
    """

    def __init__(self) -> None:
        self._clean = 0
        self.singles_left = 0

    @property
    def wants_page(self) -> bool:
        """Whether a page may come next (the engine then says whether one is worth its keys)."""
        return self.singles_left == 0

    def page_done(self, exceptions: int) -> None:
        """A page was confirmed with so many exceptions."""
        # in a row: a page with more errors has taught the model as much as single questions would
        self._clean = self._clean + 1 if exceptions <= FEW_EXCEPTIONS else 0
        if self._clean == CLEAN_PAGES:
            self._clean, self.singles_left = 0, SINGLES_BETWEEN

    def single_done(self) -> None:
        """A single question was answered."""
        self.singles_left = max(self.singles_left - 1, 0)
