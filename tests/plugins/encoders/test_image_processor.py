"""The preprocessing that a model's own file declares: the numbers that transformers makes of the same file."""

from __future__ import annotations

import json

import numpy as np
import pytest

from labeler.plugins.encoders import image_processor

CLIP = {
    "crop_size": {"height": 224, "width": 224},
    "do_center_crop": True,
    "do_convert_rgb": True,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "resample": 3,
    "rescale_factor": 1 / 255,
    "size": {"shortest_edge": 224},
}
DINO = CLIP | {"size": {"shortest_edge": 256}}
HALF = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "rescale_factor": 1 / 255}
SIGLIP = HALF | {"do_convert_rgb": None, "do_normalize": True, "resample": 3, "size": {"height": 224, "width": 224}}
CONVNEXT = HALF | {"crop_pct": 0.875, "do_normalize": True, "resample": 2, "size": {"shortest_edge": 224}}
OLD_CLIP = {name: CLIP[name] for name in ("do_normalize", "do_resize", "image_mean", "image_std", "resample")} | {
    "crop_size": 224,
    "do_center_crop": True,
    "size": 224,
}


def read(config):
    return image_processor.read(json.dumps(config).encode())


def slopes(height, width):
    """A picture of which every place has a color of its own."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 / (width - 1), y * 255 / (height - 1), (x * 7 + y * 3) % 256], axis=-1).astype(np.uint8)


# three numbers of the 224 x 224 that come of slopes(90, 140), their mean and deviation, by transformers 4.46.3
@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (CLIP, (-1.1353, -0.0412, -0.8688, 0.1839, 0.9713)),  # CLIPImageProcessor
        (DINO, (-0.9893, -0.0262, 1.9895, 0.1803, 0.8954)),  # BitImageProcessor, as of DINOv2
        (SIGLIP, (-1.0, -0.1059, 0.702, -0.0031, 0.5767)),  # SiglipImageProcessor
        (CONVNEXT, (-0.5686, -0.098, 0.9137, -0.004, 0.4757)),  # ConvNextImageProcessor
    ],
    ids=["clip", "dino", "siglip", "convnext"],
)
def test_the_numbers_are_those_of_transformers(config, expected):
    used = read(config)
    values = used.numbers(used.framed(slopes(90, 140))[None])
    assert values.shape == (1, 3, 224, 224)
    assert values.dtype == np.float32
    of_them = values[0, 0, 0, 0], values[0, 1, 100, 30], values[0, 2, 223, 223], values.mean(), values.std()
    np.testing.assert_allclose(of_them, expected, atol=1e-4)


def test_an_older_file_of_plain_numbers_says_the_same():
    image = slopes(300, 200)
    old, new = read(OLD_CLIP), read(CLIP)
    np.testing.assert_array_equal(old.numbers(old.framed(image)[None]), new.numbers(new.framed(image)[None]))
    stretched = read(HALF | {"size": 32})
    assert (stretched.resize, stretched.side) == ((32, 32), 32)


def test_images_that_are_not_framed_yet_are_and_grey_ones_have_three_channels():
    used = read(CLIP)
    image = slopes(90, 140)
    np.testing.assert_array_equal(used.numbers(image[None]), used.numbers(used.framed(image)[None]))
    grey = used.framed(image[..., 0])
    assert grey.shape == (224, 224, 3)
    np.testing.assert_array_equal(grey[..., 0], grey[..., 2])


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (3000, 1), (2, 3), (225, 224)])
def test_every_shape_becomes_the_models_square(shape):
    assert read(CLIP).framed(np.full((*shape, 3), 9, np.uint8)).shape == (224, 224, 3)


def test_steps_that_are_switched_off_are_not_done():
    plain = read({"size": {"height": 8, "width": 8}, "do_rescale": False, "do_normalize": False})
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    np.testing.assert_array_equal(plain.numbers(image[None])[0], image.transpose(2, 0, 1))
    flipped = read({"size": 8, "do_rescale": False, "do_flip_channel_order": True})
    np.testing.assert_array_equal(flipped.numbers(image[None])[0], image[..., ::-1].transpose(2, 0, 1))


@pytest.mark.parametrize(
    ("config", "what"),
    [
        ({}, "size is 'None'"),
        ({"size": True}, "size is 'True'"),
        ({"size": 0}, "from 1 to 2048"),
        ({"size": 10**9}, "from 1 to 2048"),
        ({"size": {"longest_edge": 8}}, "size is given by longest_edge"),
        ({"size": {}}, "size is given by nothing"),
        ({"size": {"height": 8, "width": 9}}, "not square"),
        ({"size": {"shortest_edge": 8}}, "not square"),
        (CLIP | {"crop_size": {"height": 8, "width": 9}}, "8 x 9"),
        (CLIP | {"crop_size": 512}, "larger than the 224"),
        (CLIP | {"do_pad": True}, "asks for do_pad"),
        (CLIP | {"rescale_offset": True}, "rescale_offset"),
        (CLIP | {"do_resize": False}, "does not resize"),
        (CLIP | {"resample": 17}, "resample is '17'"),
        (CLIP | {"resample": "bicubic"}, "Pillow"),
        (CLIP | {"rescale_factor": 0}, "rescale_factor is '0'"),
        (CLIP | {"image_std": [0.1, 0, 0.1]}, "above 0"),
        (CLIP | {"image_mean": [0.1, 0.2]}, "three numbers"),
        (CLIP | {"image_mean": None}, "image_mean is 'None'"),
        (CLIP | {"image_mean": [float("nan")] * 3}, "three numbers"),
        (CONVNEXT | {"crop_pct": 0.01}, "crop_pct"),
        ([], "not an object"),
    ],
)
def test_what_is_odd_is_one_line(config, what):
    with pytest.raises(ValueError, match=what) as caught:
        read(config)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"{", b"[" * 100_000])
def test_what_is_no_json_is_one_line(content):
    with pytest.raises(ValueError, match="it is not JSON"):
        image_processor.read(content)
