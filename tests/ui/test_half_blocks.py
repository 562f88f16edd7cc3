import numpy as np
import pytest
from rich.color import ColorSystem

from labeler.ui.pictures.half_blocks import (
    CUBE,
    FEW_GREYS,
    GREYS,
    NOTHING,
    Depth,
    _color,
    depth_for,
    fitted,
    is_grey,
    picture_strips,
    resampled,
    shrunk,
    to_terminal,
)


def checker(height: int, width: int) -> np.ndarray:
    return ((np.indices((height, width)).sum(axis=0) % 2) * 255).astype(np.uint8)


def pixels(strips) -> np.ndarray:
    """Back from half-blocks to (height, width) packed pixels."""
    rows = []
    for strip in strips:
        upper, lower = [], []
        for segment in strip:
            assert set(segment.text) == {"▀"}
            ground = segment.style.bgcolor
            for _ in segment.text:
                upper.append(int.from_bytes(bytes(segment.style.color.triplet)))
                lower.append(NOTHING if ground is None else int.from_bytes(bytes(ground.triplet)))
        rows += [upper, lower]
    return np.array(rows)


class TestFitting:
    @pytest.mark.parametrize(
        ("shape", "room", "expected"),
        [
            ((8, 8), (50, 19), (32, 32)),  # 80x24: four times
            ((8, 8), (80, 35), (64, 64)),
            ((28, 28), (50, 19), (28, 28)),
            ((28, 28), (80, 35), (56, 56)),
            ((8, 16), (50, 19), (24, 48)),
            ((40, 60), (50, 19), (33, 50)),  # wider than the region: shrinks, aspect kept
            ((600, 800), (50, 19), (38, 50)),
            ((800, 600), (50, 19), (38, 28)),
            ((1, 4000), (50, 19), (1, 50)),
            ((4000, 1), (50, 19), (38, 1)),
        ],
    )
    def test_whole_number_enlargement_or_a_shrink_that_keeps_the_aspect(self, shape, room, expected):
        assert fitted(*shape, *room) == expected

    def test_an_empty_region_is_survived(self):
        assert fitted(8, 8, 0, 0) >= (1, 1)


class TestResampling:
    def test_growing_repeats_pixels(self):
        image = checker(3, 5)
        assert (resampled(image, 12, 20) == np.kron(image, np.ones((4, 4), dtype=np.uint8))).all()

    def test_shrinking_takes_the_mean_of_the_area(self):
        image = checker(8, 8)
        assert set(np.unique(resampled(image, 4, 4))) <= {127, 128}

    @pytest.mark.parametrize("size", [(7, 9), (33, 50), (38, 1)])
    def test_shrinking_by_fractions_keeps_the_mean(self, size):
        image = np.random.default_rng(0).integers(0, 256, (97, 131), dtype=np.uint8)
        assert resampled(image, *size).mean() == pytest.approx(image.mean(), abs=1)

    def test_a_photo_is_kept_at_the_size_of_a_screen(self):
        image = np.random.default_rng(2).integers(0, 256, (97, 131, 3), dtype=np.uint8)
        small = shrunk(image, 50)
        assert small.shape == (37, 50, 3)
        assert small.mean() == pytest.approx(image.mean(), abs=1)
        assert shrunk(image, 131) is image

    def test_color_is_kept(self):
        image = np.full((100, 100, 3), (200, 10, 30), dtype=np.uint8)
        assert (shrunk(image, 10) == (200, 10, 30)).all()
        assert shrunk(image, 10).shape == (10, 10, 3)


class TestColors:
    def test_every_pixel_comes_back_in_truecolor(self):
        image = np.random.default_rng(1).integers(0, 256, (8, 8), dtype=np.uint8)
        shown = pixels(picture_strips(image, 8, 4, Depth.TRUE))
        assert (shown == image.astype(int) * 0x010101).all()

    def test_an_odd_height_leaves_half_a_row_to_the_ground(self):
        shown = pixels(picture_strips(np.full((3, 3), 9, dtype=np.uint8), 3, 2, Depth.TRUE))
        assert (shown[3] == NOTHING).all()

    def test_greys_take_the_nearest_grey_of_the_palette(self):
        ramp = np.arange(256, dtype=np.uint8)[None, :].repeat(2, axis=0)
        numbers = [
            _color(int(code)).downgrade(ColorSystem.EIGHT_BIT).number for code in to_terminal(ramp, Depth.PALETTE)[0]
        ]
        shown = [0 if n == 16 else 255 if n == 231 else 8 + 10 * (n - 232) for n in numbers]
        nearest = [int(GREYS[np.abs(GREYS - value).argmin()]) for value in range(256)]
        assert np.abs(np.array(shown) - np.array(nearest)).max() <= 17  # the gap below white
        assert all(abs(s - v) <= abs(n - v) + 1 for s, n, v in zip(shown, nearest, range(256), strict=True))

    def test_colors_are_dithered_to_the_cube_and_keep_their_mean(self):
        image = np.full((16, 16, 3), (115, 40, 235), dtype=np.uint8)
        packed = to_terminal(image, Depth.PALETTE)
        channels = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=2)
        assert set(np.unique(channels)) <= set(CUBE.tolist())
        assert len(np.unique(packed)) > 1
        assert np.abs(channels.mean(axis=(0, 1)) - (115, 40, 235)).max() < 24

    def test_a_color_of_the_palette_stays_what_it_is_in_most_pixels(self):
        for color in [(215, 95, 0), (0, 135, 175), (255, 215, 255)]:
            packed = to_terminal(np.full((16, 16, 3), color, dtype=np.uint8), Depth.PALETTE)
            assert np.mean(packed == int.from_bytes(bytes(color))) > 0.7

    def test_sixteen_colors_dither_greys(self):
        packed = to_terminal(np.full((16, 16), 128, dtype=np.uint8), Depth.FEW)
        assert {code & 255 for code in np.unique(packed).tolist()} <= set(FEW_GREYS.tolist())
        assert np.mean(packed & 255) == pytest.approx(128, abs=6)

    def test_grey_is_seen_in_three_channels(self):
        assert is_grey(checker(4, 4)[..., None].repeat(3, axis=2))
        assert not is_grey(np.zeros((2, 2, 3), dtype=np.uint8) + np.array([1, 0, 0], dtype=np.uint8))

    def test_ascii_has_neither_color_nor_blocks(self):
        strips = picture_strips(checker(8, 8), 16, 8, Depth.ASCII)
        text = "".join(strip.text for strip in strips)
        assert text.isascii()
        assert all(segment.style is None for strip in strips for segment in strip)

    @pytest.mark.parametrize(
        ("system", "images", "depth"),
        [
            ("truecolor", "auto", Depth.TRUE),
            ("256", "auto", Depth.PALETTE),
            ("standard", "half", Depth.FEW),
            (None, "auto", Depth.ASCII),
            ("truecolor", "ascii", Depth.ASCII),
        ],
    )
    def test_what_the_terminal_announces(self, system, images, depth):
        assert depth_for(system, images) is depth
