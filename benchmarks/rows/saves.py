"""Row 11: labels that spread, saved, against sqlite-utils' defaults."""

from __future__ import annotations

from rows.pools import Pools
from rows.process import job, run
from rows.profiles import summary
from rows.table import Line, Rows, factor, verdict


def measure_saved_labels(pools: Pools) -> Rows:
    """Row 11: a whole round of 70,000 labels against a row an instance."""
    folder = pools.folder / "saved"
    folder.mkdir(exist_ok=True)
    command = job("saved_labels", pools.many, folder)
    facts = run(command).facts
    ours, other = facts["ours"], facts["sqlite_utils"]
    times = other["cpu"] / ours["cpu"]
    line = Line(
        *(11, f"{pools.many:,} propagated labels saved: CPU, ms", f"{1000 * ours['cpu']:.1f} (a whole round)"),
        *(
            f"{1000 * other['cpu']:,.0f} (sqlite-utils, insert_all)",
            factor(1 / times),
            ">= 50 x",
            verdict(times >= 50),
        ),
    )
    clock = f"{1000 * ours['wall']:.1f} against {1000 * other['wall']:,.0f} ms"
    notes = [(11, f"medians of 7; on the clock {clock}. Ours holds every array of a round, the other four columns.")]
    if times < 50:
        for old in folder.iterdir():
            old.unlink()
        path = pools.folder / "saved.prof"
        run([command[0], "-m", "cProfile", "-o", str(path), *command[1:]])
        notes.append((11, f"the whole job under cProfile: {summary(path)}"))
    return Rows([line], notes)
