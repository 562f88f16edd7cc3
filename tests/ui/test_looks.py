"""Ways to look at a picture, as arrays and through the keys."""

import numpy as np
import pytest

from labeler.ui.pictures.half_blocks import (
    FIT,
    LOOKS,
    Look,
    cropped,
    following,
    picture_strips,
    quantized,
    resampled,
    seen,
    stretched,
)
from tests.ui.support import FakeProject, running, screen_text, settle

SMALL = np.arange(28 * 28, dtype=np.uint32).reshape(28, 28).astype(np.uint8)
PHOTO = np.random.default_rng(0).integers(0, 256, (480, 640, 3)).astype(np.uint8)


class TestArrays:
    def test_one_key_goes_through_all_of_them_and_back(self):
        look, found = FIT, []
        for _ in LOOKS:
            found.append(look.words)
            look = following(look.moved(1, 1))
        assert found == ["", "zoom ×2", "zoom ×4", "contrast", "8 colors", "3 colors"]
        assert look == FIT

    @pytest.mark.parametrize("zoom", [2, 4])
    def test_a_zoomed_small_picture_keeps_its_pixels_whole(self, zoom):
        part = seen(SMALL, Look(zoom=zoom), 50, 17)  # fits once into 34 pixels of height
        assert part.shape == (34 // zoom, min(28, 50 // zoom))
        top, left = round((28 - part.shape[0]) / 2), round((28 - part.shape[1]) / 2)
        assert np.array_equal(part, SMALL[top : top + part.shape[0], left : left + part.shape[1]])
        assert len(picture_strips(part, 50, 17, "truecolor")) == part.shape[0] * zoom // 2

    @pytest.mark.parametrize("zoom", [2, 4])
    def test_a_zoomed_photo_shows_a_part_of_the_same_shape_as_the_room(self, zoom):
        part = seen(PHOTO, Look(zoom=zoom), 50, 17)
        scale = 34 / 480 * zoom
        assert part.shape[0] == pytest.approx(34 / scale, abs=2)
        assert part.shape[1] == pytest.approx(50 / scale, abs=2)

    def test_moving_ends_at_the_edges_and_shows_them(self):
        look = Look(zoom=2)
        for _ in range(10):
            look = look.moved(-1, 1)
        assert (look.down, look.right) == (-2, 2)
        part = cropped(SMALL, look, 28, 14)
        assert np.array_equal(part, SMALL[:14, 14:])
        assert FIT.moved(1, 1) == FIT

    def test_contrast_spans_the_whole_range_and_leaves_flat_pictures(self):
        dim = (SMALL.astype(np.float32) / 255 * 20 + 100).astype(np.uint8)
        assert (np.ptp(dim), np.ptp(stretched(dim))) == (20, 255)
        flat = np.full((5, 5, 3), 7, np.uint8)
        assert np.array_equal(stretched(flat), flat)

    @pytest.mark.parametrize("k", [3, 8])
    @pytest.mark.parametrize("image", [SMALL, PHOTO], ids=["gray", "photo"])
    def test_few_colors_are_as_many_and_near_and_the_same_every_time(self, image, k):
        few = quantized(image, k)
        colors = np.unique(few.reshape(-1, few.shape[2] if few.ndim == 3 else 1), axis=0)
        assert len(colors) == k
        one = np.broadcast_to(image.mean(axis=(0, 1)), image.shape)
        assert np.square(few.astype(float) - image).mean() < np.square(one - image).mean() * 0.9
        assert np.array_equal(few, quantized(image, k))

    def test_a_picture_of_fewer_colors_stays_as_it_is(self):
        two = np.where(SMALL > 100, 200, 30).astype(np.uint8)
        assert np.array_equal(quantized(two, 8), two)

    def test_few_colors_are_those_of_the_cells(self):
        assert seen(PHOTO, Look(colors=8), 50, 17).shape == (34, 45, 3)


def picture(app) -> list[str]:
    rows = app.screen.picture._lines
    return [str([(segment.text, segment.style) for segment in row]) for row in rows]


class TestKeys:
    async def test_v_goes_through_the_views_and_says_which(self):
        image = np.arange(64, dtype=np.uint8).reshape(8, 8)
        async with running(FakeProject(n_classes_known=10, image=lambda index: image)) as app:
            first, shown = picture(app), []
            for words in ("zoom ×2", "zoom ×4", "contrast", "8 colors", "3 colors"):
                text = await app.press_and_see("V")
                assert f"view: {words}" in text
                text = screen_text(app)
                assert f" · {words}" in text.splitlines()[20]
                shown.append(picture(app))
            assert len({str(rows) for rows in (first, *shown)}) == 6
            await app.press_and_see("V")
            assert picture(app) == first

    async def test_it_stays_for_the_next_questions_whose_drawings_wait(self, project):
        async with running(project) as app:
            await app.press_and_see("V")
            pictures, (columns, rows) = app.pictures, app.screen.picture.size
            for _ in range(6000):
                if pictures._drawn.get((4, columns, rows, pictures.look)) is not None:
                    break
                await app.pilot.pause(0.01)
            assert pictures._drawn.get((4, columns, rows, pictures.look)) is not None
            text = await app.press_and_see("1")
            assert "zoom ×2" in text.splitlines()[20]

    async def test_arrows_move_a_zoomed_picture_and_choose_guesses_otherwise(self):
        image = np.random.default_rng(1).integers(0, 256, (300, 300)).astype(np.uint8)
        project = FakeProject(n_classes_known=10, image=lambda index: image)
        async with running(project) as app:
            await app.press_and_see("down")
            chosen = app.screen.guess()
            await app.press_and_see("V")
            seen_so_far = {str(picture(app))}
            for key in ("down", "shift+down", "left", "shift+right", "up", "shift+up"):
                await app.press_and_see(key)
                await settle(app, app.pilot)
                seen_so_far.add(str(picture(app)))
            assert len(seen_so_far) == 4  # the middle, one and two steps down, one to the left of that
            assert app.screen.guess() == chosen
            assert "edge of the picture" in await app.press_and_see(*["left"] * 6)
            await app.press_and_see(*"VVVVV", "up")
            assert app.screen.guess() != chosen

    async def test_where_nothing_is_zoomed_left_says_how(self, project):
        async with running(project) as app:
            assert "V zooms" in await app.press_and_see("right")


def test_a_photograph_is_segmented_by_its_colors():
    """Image segmentation of the source's chapter, on a photograph: a pink flower on green."""
    from sklearn.datasets import load_sample_image

    photo = np.ascontiguousarray(load_sample_image("flower.jpg")[::8, ::8])
    few = {look.colors: seen(photo, look, 80, 40) for look in LOOKS if look.colors}
    assert set(few) == {3, 8}
    errors = []
    for k, drawn in few.items():
        colors = np.unique(drawn.reshape(-1, 3), axis=0)
        assert len(colors) == k
        small = resampled(photo, *drawn.shape[:2])
        errors.append(np.square(small.astype(float) - drawn).mean() / small.var())
    assert errors[0] < errors[1] < 0.3  # of eight, of three: most of what differs is kept
    three = np.unique(few[3].reshape(-1, 3), axis=0).astype(int)
    assert (three[:, 0] > three[:, 1] + 40).any()  # the flower
    assert (three[:, 1] >= three[:, 0]).any()  # what is behind it
