"""The assignment of instances to clusters as a file: one row an instance, with its soft shares of every cluster."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from labeler.commands.clusters.report import ClusterReport
from labeler.core.errors import UsageError
from labeler.core.text import display_safe, escape_warnings, escaped, json_text
from labeler.engine.cluster_neighbors import shares_of_all
from labeler.plugins.exporters.write import write_single

ENDINGS = (".csv", ".jsonl")
IN_NONE = -1


def check(path: Path) -> None:
    """Refuse with a UsageError, before any work, an ending that says nothing."""
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(
            f"clusters are not written as {display_safe(path.suffix) or 'a file without an ending'}",
            f"give a file that ends in {' or '.join(ENDINGS)} (or .png, where the colors of one image are clustered)",
        )


def write(report: ClusterReport, target: Path, inputs: list[Path], *, force: bool = False) -> None:
    """Write id, cluster (-1 = in none), distance to its center and the share of every cluster, with a manifest.

    Raises
    ------
    ExportError
        The target exists (without `force`), is one of the `inputs`, or cannot be written.
    """
    # beside the table, as every export of ours has one: what it is of, and how it was made
    manifest = {
        "source": report.source,
        "encoder": report.encoder,
        "clusterer": report.clusterer,
        "space": report.space,
        "counts": {"total": report.n_instances, "clusters": len(report.cards)},
        "notes": [*report.notes, *escape_warnings(_ids(report))],
    }
    content = as_text(report, target.suffix.lower()).encode()
    write_single(target, manifest, lambda path: _write_bytes(path, content), force, inputs)


def as_text(report: ClusterReport, ending: str = ".csv") -> str:
    """Return the table as CSV or JSON lines; numbers with the fewest digits that give the same float32 again."""
    assert report.seen_in is not None  # noqa: S101 - a report of points
    clustering, points = report.clustering, report.seen_in.points
    clusters = clustering.clusters.copy()
    if len(clustering.outliers):
        # a number stands beside an anomaly as well, of the cluster it is nearest to; it is in none
        clusters[clustering.outliers] = IN_NONE
    numbers = sorted(card.cluster for card in report.cards)
    shares = shares_of_all(points, clustering)[:, numbers]
    names = ["id", "cluster", "distance", *(f"share_{number}" for number in numbers)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if ending == ".csv":
        writer.writerow(names)
    for row, name in enumerate(_ids(report)):
        floats = [float(str(value)) for value in (clustering.distances[row], *shares[row])]
        cells = [escaped(name), int(clusters[row]), *floats]
        if ending == ".csv":
            writer.writerow(cells)
        else:
            out.write(json_text(dict(zip(names, cells, strict=True))) + "\n")
    return out.getvalue()


def _ids(report: ClusterReport) -> list[str]:
    return report.seen_in.ids if report.seen_in is not None else []


def _write_bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)
