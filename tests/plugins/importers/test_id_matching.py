"""Names of elsewhere -> ids: all that both say of a path has to agree, and nothing is guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.plugins.importers.id_matching import match_names, matched, name_of_media, path_key

FLAT = ["0001.png", "0002.png", "0003.png"]
TEST = [f"test/{name}" for name in FLAT]


@pytest.mark.parametrize(
    "lead", ["", "./", "/", "/home/me/pool/", "C:\\Users\\me\\pool\\", "../pool/", "pool/", "a/../pool/"]
)
@pytest.mark.parametrize("ids", [FLAT, TEST])
def test_the_same_path_however_it_begins(lead, ids):
    names = [f"{lead}{name}" for name in ids]
    assert match_names(names, ids, "pool") == dict(zip(names, ids, strict=True))


@pytest.mark.parametrize(
    ("names", "ids", "root"),
    [
        (["train/0001.png", "train/0002.png"], TEST, "pool"),  # the folders differ
        (["/data/pool/train/0001.png"], TEST, "pool"),
        (["train\\0001.png"], TEST, "pool"),
        (["train/0001.png"], FLAT, "test"),  # a split beside the one that was opened
        (["Train/0001.png", "Train/0002.png"], FLAT, "Validation"),
        (["a/0001.png", "b/0002.png"], FLAT, "pool"),  # several folders, none of them the source's
        (["0001.png"], ["a/0001.png", "b/0001.png"], "pool"),  # two end so
        (["a/0001.png", "a/./0001.png"], FLAT, "pool"),  # two names for one id
        (["0001.jpg"], FLAT, "pool"),  # another file
        (["x0001.png", "001.png", "1.png"], FLAT, "pool"),
        (["photos/1"], ["cats/1.png"], "pool"),
    ],
)
def test_what_is_not_the_same_is_listed_with_its_reason(names, ids, root):
    found = matched(names, ids, root)
    assert found.ids == {}
    assert found.missed.keys() == set(names)
    assert all(found.missed.values())


@pytest.mark.parametrize(
    ("names", "ids", "root", "expected"),
    [
        # rows of another folder fill nothing that the file's own rows leave
        (["test/0001.png", "train/0002.png"], TEST, "pool", {"test/0001.png": "test/0001.png"}),
        (["test/0001.png", "train/0001.png", "train/0002.png"], FLAT, "test", {"test/0001.png": "0001.png"}),
        (["0001.png", "train/0002.png"], FLAT, "pool", {"0001.png": "0001.png"}),
        (["a/1.png", "1.png"], ["a/1.png", "b/1.png"], "pool", {"a/1.png": "a/1.png"}),
        (["/x/pool/0001.png", "/y/pool/0002.png"], FLAT, "pool",
         {"/x/pool/0001.png": "0001.png", "/y/pool/0002.png": "0002.png"}),
    ],
)  # fmt: skip
def test_a_mixed_file_gives_its_own_rows_alone(names, ids, root, expected):
    assert match_names(names, ids, root) == expected


def test_less_is_enough_where_it_is_unique():
    names, ids = ["1.png", "dogs/2.png", "3", "cats/4"], ["cats/1.png", "x/dogs/2.png", "dogs/3.png", "cats/4.png"]
    assert match_names(names, ids) == dict(zip(names, ids, strict=True))
    assert match_names(["12", "3.0", "007"], ["00012", "00003", "00007"]) == {
        "12": "00012",
        "3.0": "00003",
        "007": "00007",
    }
    assert match_names(["1", "01"], ["00001"]) == {}


def test_one_other_folder_is_taken_and_said():
    found = matched(["elsewhere/0001.png", "elsewhere/0002.png"], FLAT, "pool")
    assert len(found.ids) == 2
    assert found.notes == [
        "2 matched by what follows another folder: written in elsewhere/, a folder that the source does not say"
    ]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/data/local-files/?d=photos%2Fdogs%2F2.png", "photos/dogs/2.png"),
        ("/data/upload/1/0a1b2c3d-b%20c.png", "b c.png"),
        ("http://localhost:8080/data/upload/1/0a1b2c3d-b.png", "b.png"),
        ("s3://bucket/dogs/3.png", "bucket/dogs/3.png"),
        ("gs://bucket/3.png", "bucket/3.png"),
        ("file:///home/me/pool/a%20b.png", "/home/me/pool/a b.png"),
        ("/mnt/data/50%25.png", "/mnt/data/50%25.png"),
        ("http://[", "http://["),
    ],
)
def test_addresses(address, name):
    assert name_of_media(address) == name


@given(
    st.lists(st.text("ab/.\\01é", max_size=6), max_size=8),
    st.lists(st.text("ab/.01é", max_size=6), unique=True),
    st.text("ab", max_size=2),
)
def test_a_match_agrees_in_every_part_both_have(names, ids, root):
    found = matched(names, ids, root)
    assert found.ids.keys() | found.missed.keys() == set(names)
    assert not found.ids.keys() & found.missed.keys()
    assert len(set(found.ids.values())) == len(found.ids)
    for name, instance_id in found.ids.items():
        ours, theirs = (path_key(text).split("/")[::-1] for text in (name, instance_id))
        same = [a == b for a, b in zip(ours, theirs, strict=False)]
        assert all(same) or (name.strip().isdigit() and instance_id.strip().isdigit()) or "." not in ours[0]


@pytest.mark.slow
def test_work_grows_with_the_names_and_not_with_their_square():
    """A path of folders alone, as long as a cell may be, and many ids of one base name."""
    assert match_names(["a/" * 3_000_000], ["b"]) == {}
    ids = [f"{n}/img.png" for n in range(20_000)]
    names = [f"/w/pool/{n}/img.png" for n in range(20_000)]
    assert len(match_names(names, ids, "pool")) == 20_000
