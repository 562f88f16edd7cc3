"""Who is in which cluster, as a file: one row an instance, with its soft shares of every cluster."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from labeler.commands.clusters.inspect import Found
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


def write(found: Found, target: Path, inputs: list[Path], *, force: bool = False) -> None:
    """Write id, cluster (-1 = in none), distance to its center and the share of every cluster, with a manifest.

    Raises
    ------
    ExportError
        The target exists (without `force`), is one of the `inputs`, or cannot be written.
    """
    manifest = {
        "source": found.source,
        "encoder": found.encoder,
        "clusterer": found.clusterer,
        "space": found.space,
        "counts": {"total": found.n_instances, "clusters": len(found.cards)},
        "notes": [*found.notes, *escape_warnings(_ids(found))],
    }
    content = as_text(found, target.suffix.lower()).encode()
    write_single(target, manifest, lambda path: _write_bytes(path, content), force, inputs)


def as_text(found: Found, ending: str = ".csv") -> str:
    """The table as CSV or JSON lines; numbers with the fewest digits that give the same float32 again."""
    assert found.seen_in is not None  # noqa: S101 - a report of points
    clustering, points = found.clustering, found.seen_in.points
    clusters = clustering.clusters.copy()
    if len(clustering.outliers):
        clusters[clustering.outliers] = IN_NONE
    numbers = sorted(card.cluster for card in found.cards)
    shares = shares_of_all(points, clustering)[:, numbers]
    names = ["id", "cluster", "distance", *(f"share_{number}" for number in numbers)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if ending == ".csv":
        writer.writerow(names)
    for row, name in enumerate(_ids(found)):
        floats = [float(str(value)) for value in (clustering.distances[row], *shares[row])]
        cells = [escaped(name), int(clusters[row]), *floats]
        if ending == ".csv":
            writer.writerow(cells)
        else:
            out.write(json_text(dict(zip(names, cells, strict=True))) + "\n")
    return out.getvalue()


def _ids(found: Found) -> list[str]:
    return found.seen_in.ids if found.seen_in is not None else []


def _write_bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)
