"""A folder and a zip of everything that goes wrong with image files: each is named with its reason."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from labeler.core.class_names import class_name
from labeler.core.errors import UnreadableInstance
from labeler.plugins.importers.decode import decode
from labeler.plugins.importers.detect import open_source
from labeler.project.open import Options, open_project
from tests.fuzz.seeds import images
from tests.fuzz.targets import UNSAFE, explained
from tests.hostile.files import bad_tiff, plain, readable, unreadable

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow speaks of broken metadata


@pytest.fixture(scope="module")
def broken() -> dict[str, tuple[bytes, str]]:
    return unreadable()


@pytest.fixture(params=["folder", "zip"])
def pool(request, tmp_path: Path, broken) -> Path:
    """All of them, and empty files, in one source."""
    files = {name: content for name, (content, _) in (broken | readable()).items()} | {"empty.png": b""}
    if request.param == "folder":
        (tmp_path / "pool").mkdir()
        for name, content in files.items():
            (tmp_path / "pool" / name).write_bytes(content)
        return tmp_path / "pool"
    with zipfile.ZipFile(tmp_path / "pool.zip", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return tmp_path / "pool.zip"


@pytest.mark.slow
def test_each_is_named_with_its_reason_and_the_rest_is_labeled(pool, tmp_path, broken):
    with open_project(pool, tmp_path / "p.labeler.db", Options(engine="book", classes=("a", "b"))) as project:
        assert any("empty.png (empty file (0 bytes))" in notice for notice in project.notices)
        round_ = project.closing_round()
        ids = project.session.pool.ids
        (line,) = [notice for notice in project.notices if notice.startswith(f"{len(broken)} cannot be read: ")]
        assert line.endswith("mend and open again, the rest goes on without")
        assert not UNSAFE.search(line)
        found = {ids[index] for index in np.flatnonzero(project.session.pool.unreadable)}
        assert found == set(broken)
        asked = {ids[int(index)] for index in round_.queue.indices}
        assert asked == set(readable())
        for name in sorted(asked):
            project.session.label(name, 0)
        assert project.session.view().open_questions == 0


def test_each_line_says_what_is_wrong(pool, broken):
    source = open_source(pool)
    assert source.unreadable == {"empty.png": "empty file (0 bytes)"}
    index = {name: row for row, name in enumerate(source.ids)}
    for name, (_, pattern) in broken.items():
        for look in (source.image, lambda row: source.decoded(row, source.content_bytes(row), 64)):
            with pytest.raises(UnreadableInstance, match=pattern) as caught:
                look(index[name])
            assert not UNSAFE.search(caught.value.message)
    source.close()


def test_what_is_only_odd_is_seen_as_it_is_meant(pool):
    source = open_source(pool)
    index = {name: row for row, name in enumerate(source.ids)}
    for name, (_, corner) in readable().items():
        image = source.image(index[name])
        assert image.dtype == np.uint8
        if corner is not None:
            assert np.abs(image[0, 0].astype(int) - corner).max() <= 1, name
        if match := re.fullmatch(r"exif-(\d)\.png", name):
            assert image.shape == ((4, 8) if int(match[1]) < 5 else (8, 4))
    source.close()


WHOLE = [(kind, number) for kind, files in images().items() for number in range(len(files))]


@pytest.mark.parametrize(("kind", "number"), WHOLE, ids=lambda part: str(part))
def test_a_file_cut_at_any_of_twenty_places_is_never_seen_otherwise(kind, number):
    """Either it is unreadable, or nothing of the picture was cut off."""
    content = images()[kind][number]
    whole = decode(content)
    cuts = np.unique(np.linspace(0, len(content) - 1, 20).astype(int)).tolist()
    refused = 0
    for cut in cuts:
        try:
            seen = decode(content[:cut])
        except UnreadableInstance as error:
            refused += 1
            explained(error)
        else:
            is_text = content[:2] in (b"P1", b"P2", b"P3")  # 255 cut to 25 is a number all the same
            assert is_text or np.array_equal(seen, whole)
    assert refused > len(cuts) // 3


def test_what_a_library_prints_of_a_broken_file_reaches_no_screen(tmp_path):
    """libtiff writes to standard error, where the screen is drawn and the commands narrate."""
    (tmp_path / "hole.tif").write_bytes(bad_tiff())
    program = (
        "import os, sys\n"
        "from labeler.plugins.importers.decode import decode\n"
        "from labeler.cli.progress import Narrator\n"
        "def look():\n"
        "    try: decode(open('hole.tif', 'rb').read())\n"
        "    except Exception as error: return error\n"
        "look()\n"
        "sys.stderr.write('--\\n')\n"
        "with Narrator() as narrator:\n"
        "    narrator.note(f'hole.tif: {look()}')\n"
        "sys.stderr.write('after\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    before, _, after = done.stderr.partition("--\n")
    if not before:
        pytest.skip("this Pillow keeps its libraries quiet by itself")
    assert re.fullmatch(r"hole\.tif: damaged image: [^\n]+\nafter\n", after)


def test_names_of_every_kind_are_ids_and_one_of_them_is_answered(tmp_path):
    """What a file system takes for a name, the journal takes for an id, and gives back."""
    names = [
        *(b"caf\xe9.png", b"\x1b]2;owned\x07.png", "\u202egnp.exe.png".encode(), b"[/x].png", b"line\nbreak.png"),
        *(
            b"n" * 251 + b".png",
            "n\u0303.png".encode(),
            "\u00f1.png".encode(),
            b"A.png",
            b"a.png",
            b"con.png",
            b" .png",
        ),
        *(b"back\\slash.png", b"a:b.png", b"%s%n.png", b"=1+1.png", b"'; DROP TABLE events; --.png", b"-rf.png"),
    ]
    made = []
    (tmp_path / "pool").mkdir()
    for shade, name in enumerate(names):
        try:
            with open(os.path.join(os.fsencode(tmp_path), b"pool", name), "xb") as file:
                file.write(plain(shade * 10))
        except OSError:  # no name for this file system, or there already for it
            continue
        made.append(os.fsdecode(name))
    assert len(made) >= 14
    for resumed in (False, True):
        with open_project(tmp_path / "pool", tmp_path / "p.labeler.db", Options(engine="book")) as project:
            assert sorted(project.session.pool.ids) == sorted(made)
            if not resumed:
                project.closing_round()
                for name in made:
                    project.session.label(name, project.session.classes.id_for(name[:150].strip() or "x"))
            else:
                given = {i: project.session.label_of(project.session.pool.index(i))[0] for i in made}
                classes = project.session.state.classes
                wanted = {i: class_name(i[:150].strip() or "x") for i in made}
                assert {i: classes[class_id].name for i, class_id in given.items()} == wanted
