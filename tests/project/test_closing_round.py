"""`why`, `status` and the export say the same of the same labels, whatever happened before."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from labeler.cli.output import reading_what_leaves
from labeler.commands.export.export import ExportOptions, export
from labeler.commands.import_labels import import_labels
from labeler.commands.merge import merge
from labeler.commands.status import status
from labeler.core.recipe import LEFT_OUT
from labeler.core.types import Provenance, Round
from labeler.plugins import registry
from labeler.project import closing_round
from labeler.project.open import Options, open_project
from labeler.project.paths import cache_of
from labeler.project.reply import PendingReply
from labeler.session.provenance import reasons
from labeler.worker.pipeline import Pipeline
from labeler.worker.protocol import Reply, RoundReady

N, SAMPLED = 400, 200


@pytest.fixture
def source(digits_path, tmp_path):
    with np.load(digits_path) as arrays:
        np.savez(tmp_path / "pool.npz", X=arrays["X"][:N], y=arrays["y"][:N])
    return tmp_path / "pool.npz"


@pytest.fixture
def labeled(source, tmp_path):
    """A project in which `count` questions are answered as the engine asks them, with its rounds between."""

    def make(name, count, annotator, seed=0):
        path = tmp_path / name
        with open_project(source, path, Options(annotator=annotator, seed=seed)) as project:
            truth, session = project.source.truth(), project.session
            pipeline = project.open_pipeline()
            session.merge_queue(pipeline.rerank(session.snapshot()), session.state.revision)
            for _ in range(count):
                question = session.question
                session.label(question.instance_id, session.classes.id_for(truth[question.instance_id], setup=True))
                session.merge_queue(pipeline.rerank(session.snapshot()), session.state.revision)
                if session.state.answers.n_single % 5 == 0:
                    for step in pipeline.round(session.snapshot()):
                        if isinstance(step, Round):
                            session.merge_round(step)
        return path

    return make


@pytest.fixture
def no_context(monkeypatch):
    """The commands' helper outside of a command."""
    monkeypatch.setattr("labeler.cli.output.is_quiet", lambda: True)


def exported(path, tmp_path) -> dict[str, dict[str, str]]:
    """All that an export says, by path; computed from scratch, as always."""
    target = tmp_path / "all.csv"
    with open_project(path, read_only=True) as project:
        export(project, target, None, ExportOptions(predicted=True), force=True)
    with open(target, newline="", encoding="utf-8") as file:
        return {row["path"]: row for row in csv.DictReader(file)}


def agrees(path, tmp_path) -> int:
    """How many of SAMPLED labels were compared; `why` first, so that it cannot have its answer from the export."""
    said = {}
    rng = np.random.default_rng(0)
    with reading_what_leaves(path) as project:
        session = project.session
        for index in rng.choice(len(session.pool), SAMPLED, replace=False).tolist():
            found = reasons(session, index)
            source = found.nearest.instance_id if found.nearest is not None else ""
            said[found.instance_id] = (
                found.label,
                found.provenance.word,
                str(np.float32(found.score)),
                found.tier,
                source,
            )
        counted = status(project)
    rows = exported(path, tmp_path)
    for name, facts in said.items():
        row = rows.get(name)
        if row is None:
            assert facts[0] == ""
            continue
        confidence = str(np.float32(row["confidence"]))
        assert facts == (row["label"], row["provenance"], confidence, row["tier"], row["source"]), name
    leaves = sum(row["provenance"] != Provenance.PREDICTED.word for row in rows.values())
    assert counted.labeled == leaves
    return len(said)


@pytest.fixture
def never_again(monkeypatch) -> Callable[[], None]:
    """From here on no closing round is computed."""

    def refuse(*_: object) -> Round:
        raise AssertionError("computed again")

    return lambda: monkeypatch.setattr(Pipeline, "closing_round", refuse)


@pytest.mark.slow
@pytest.mark.usefixtures("no_context")
def test_why_and_status_agree_with_the_export_after_answers_a_page_an_import_an_undo_and_a_merge(
    labeled, source, tmp_path
):
    path = labeled("a.labeler.db", 33, "anna")
    assert agrees(path, tmp_path) == SAMPLED
    with open_project(path) as project:
        session, truth = project.session, project.source.truth()
        open_ = [name for i, name in enumerate(session.pool.ids) if i not in session.state.answers]
        session.page([(name, session.classes.id_for(truth[name]), "confirmed") for name in open_[:20]])
    assert agrees(path, tmp_path) == SAMPLED
    (tmp_path / "more.csv").write_text("id,label\n" + "".join(f"{name},{truth[name]}\n" for name in open_[20:60]))
    with open_project(path) as project:
        import_labels(project, tmp_path / "more.csv")
    assert agrees(path, tmp_path) == SAMPLED
    with open_project(path) as project:
        project.session.undo()
        project.session.undo()
        project.session.reject(open_[-1])
        project.session.unsure(open_[-2])
    assert agrees(path, tmp_path) == SAMPLED
    other = labeled("b.labeler.db", 20, "bert", seed=0)
    merge(path, other, tmp_path / "both.labeler.db")
    assert agrees(tmp_path / "both.labeler.db", tmp_path) == SAMPLED


@pytest.mark.slow
@pytest.mark.usefixtures("no_context")
def test_the_second_command_does_not_compute(labeled, never_again):
    path = labeled("a.labeler.db", 12, "anna")
    with reading_what_leaves(path) as project:
        first = status(project)
    before = path.read_bytes()
    never_again()
    with reading_what_leaves(path) as project:
        assert status(project) == first
        assert project.source is None  # nothing but the project and its cache was read
    assert path.read_bytes() == before
    with open_project(path, read_only=True) as project:
        assert closing_round.take(project)


@pytest.mark.slow
@pytest.mark.usefixtures("no_context")
def test_an_export_leaves_it_for_status(labeled, tmp_path, never_again):
    path = labeled("a.labeler.db", 12, "anna")
    rows = exported(path, tmp_path)
    never_again()
    with reading_what_leaves(path) as project:
        counts = status(project).by_provenance
    assert sum(counts.values()) == len(rows)


@pytest.mark.slow
def test_without_a_view_that_does_not_work_here_nothing_is_kept_and_the_export_says_so(labeled, tmp_path, monkeypatch):
    path, note = labeled("a.labeler.db", 5, "anna"), "net is left out, it does not work here"
    monkeypatch.setattr(Pipeline, "notes", lambda self: [note])
    named = Pipeline._named
    monkeypatch.setattr(
        Pipeline, "_named", lambda *of: replace(round_ := named(*of), facts=round_.facts | {LEFT_OUT: [note]})
    )
    with open_project(path, read_only=True) as project:
        assert note in export(project, tmp_path / "all.csv", None, ExportOptions()).warnings
        assert not closing_round.take(project)
        monkeypatch.undo()  # it was mended
        assert note not in export(project, tmp_path / "all.csv", None, ExportOptions(), force=True).warnings
        assert closing_round.take(project)


@pytest.mark.slow
def test_what_was_kept_is_not_taken_for_another_state_of_the_project(labeled, monkeypatch):
    path = labeled("a.labeler.db", 12, "anna")

    def take() -> bool:
        with open_project(path, read_only=True, with_source=False) as project:
            return closing_round.take(project)

    def compute() -> None:
        with open_project(path, read_only=True) as project:
            closing_round.compute(project)

    changes = [
        lambda session: session.undo(),
        lambda session: session.redo(),
        lambda session: session.set(percentile=40.0),
        lambda session: session.classes.merge(0, 1),
        lambda session: session.label(session.question.instance_id, 1),
    ]
    for change in changes:
        compute()
        assert take()
        with open_project(path) as project:
            change(project.session)
        assert not take()
    compute()
    with open_project(path, options=Options(encoder="pixels")):
        pass
    assert not take()
    compute()
    assert take()
    with monkeypatch.context() as patch:  # an extra is installed, or removed, since
        entry = registry.entry
        gone = replace(entry("encoder", "hog"), requires=("no_such_module",))
        patch.setattr(registry, "entry", lambda kind, name: gone if name == "hog" else entry(kind, name))
        assert not take()
    (cache_of(path) / closing_round.NAME).unlink()
    assert not take()


@pytest.mark.slow
def test_what_somebody_else_put_there_is_not_believed(labeled):
    path = labeled("a.labeler.db", 12, "anna")
    with open_project(path, read_only=True) as project:
        closing_round.compute(project)
    kept = cache_of(path) / closing_round.NAME
    whole = kept.read_bytes()
    rng = np.random.default_rng(0)
    bent = [b"", b"x", whole[: len(whole) // 2], b"\xff" * 16 + whole[16:], whole[16:]]
    for _ in range(40):
        place = int(rng.integers(len(whole)))
        bent.append(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
    for content in bent:
        kept.write_bytes(content)
        with open_project(path, read_only=True, with_source=False) as project:
            assert not closing_round.take(project)
    for size in (2**63, 2**64 - 1):  # a seal is no secret: what follows it is read as a stranger's
        content = size.to_bytes(8, "little") * 2 + whole[48:]
        kept.write_bytes(hashlib.sha256(content).digest() + content)
        with open_project(path, read_only=True, with_source=False) as project:
            assert not closing_round.take(project)


@pytest.mark.usefixtures("no_context")
def test_without_any_answer_there_is_nothing_to_wait_for(labeled, never_again):
    path = labeled("a.labeler.db", 0, "anna")
    never_again()
    with reading_what_leaves(path) as project:
        assert status(project).labeled == 0


@pytest.mark.slow
@pytest.mark.usefixtures("no_context")
def test_where_the_source_is_gone_the_last_round_stands_in_and_it_is_said(labeled, source, capsys):
    path = labeled("a.labeler.db", 12, "anna")
    source.unlink()
    with reading_what_leaves(path) as project:
        assert status(project).answers == 12
    assert "those of the last round, not of an export" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.usefixtures("no_context")
def test_an_answer_given_meanwhile_by_another_process_is_not_mixed_in(labeled):
    path = labeled("a.labeler.db", 12, "anna")
    with open_project(path, read_only=True) as reader:
        with open_project(path) as writer:
            writer.session.label(writer.session.question.instance_id, 0)
        assert reader.mark() is None
        closing_round.compute(reader)
    with open_project(path, read_only=True, with_source=False) as project:
        assert not closing_round.take(project)


@pytest.mark.slow
@pytest.mark.usefixtures("no_context")
def test_the_number_in_the_header_is_what_the_default_export_holds_after_each_of_many_answers(labeled, tmp_path):
    path = labeled("a.labeler.db", 6, "anna")
    with open_project(path) as project:
        session, truth = project.session, project.source.truth()
        pipeline = project.open_pipeline()
        for step in range(24):
            question = session.question
            session.label(question.instance_id, session.classes.id_for(truth[question.instance_id]))
            if step % 7 == 3:
                session.undo()
            if step % 5 == 2:
                session.reject(session.question.instance_id)
            session.merge_round(pipeline.closing_round(session.snapshot()))
            target = tmp_path / "default.jsonl"
            export(project, target, force=True)
            rows = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
            assert session.view().labeled == len(rows)
            assert f"to export: {len(rows):,} of" in project.summary()


@pytest.mark.slow
def test_a_screen_knows_whether_it_answers_from_the_closing_round(labeled):
    path = labeled("a.labeler.db", 12, "anna")
    with open_project(path) as project:
        session, pipeline = project.session, project.open_pipeline()
        live = session.machine_labels.round
        closed = pipeline.closing_round(session.snapshot())
        assert not project.engine.is_closed
        assert project.engine.receive(Reply("closing", [1], closed.revision, closed)).changed
        assert project.engine.is_closed
        assert session.machine_labels.round.advice == (
            live.advice if live.revision == closed.revision else closed.advice
        )
        assert np.array_equal(session.machine_labels.round.labels, closed.labels)
        project.engine.receive(RoundReady(replace(closed)))  # a live one of the same answers
        assert not project.engine.is_closed
        project.engine.receive(Reply("closing", [1], closed.revision, closed))
        session.label(session.question.instance_id, 0)
        assert not project.engine.is_closed
        merged = session.machine_labels.n_merged
        pending = project.engine._pending[7] = PendingReply()
        project.engine.receive(Reply("closing", [7], closed.revision, closed))
        assert pending.results[0] is closed  # whoever asked may want it as it is ...
        assert session.machine_labels.n_merged == merged  # ... but it is of the answers before
        assert not project.engine.is_closed
