from __future__ import annotations

from labeler.session.parts.answers import CLEAN_PAGES, SINGLES_BETWEEN, Pacing


def test_three_clean_pages_in_a_row_make_way_for_singles() -> None:
    pacing = Pacing()
    for exceptions in (0, 2, 5, 1, 2):  # the five begins the count anew
        pacing.page_done(exceptions)
        assert pacing.wants_page
    pacing.page_done(0)
    assert CLEAN_PAGES == 3
    for _ in range(SINGLES_BETWEEN):
        assert not pacing.wants_page
        pacing.single_done()
    assert pacing.wants_page
