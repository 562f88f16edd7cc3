"""Coverage and accuracy: how right the labels of an audit are, the surest of them first, as far as its looks tell."""

from __future__ import annotations

from typing import Any

import numpy as np

from labeler.core.stats.intervals import clopper_pearson
from labeler.session.audit.audits import AuditRecord, Frozen

SHARES = (0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
CONFIDENCE = 0.95


def coverage_accuracy(audit: AuditRecord, frozen: Frozen) -> list[dict[str, Any]]:
    """Return a row for each of SHARES of the covered labels, the surest first.

    A row has the least score, the share it comes to with equal scores, and of how many that were looked at how many
    were right, with a Clopper-Pearson interval.

    Each interval is for its own row and a number of looks fixed beforehand; an audit ends when its target is reached,
    so that they say about, and the certificate says for certain. Empty without a look.
    """
    if not audit.answers:
        return []
    right = ~frozen.outcomes(audit.answers)
    seen = frozen.final.scores[np.array([answer.index for answer in audit.answers], dtype=np.int64)]
    scores = np.sort(frozen.final.scores[frozen.order])[::-1]
    rows: list[dict[str, Any]] = []
    for share in SHARES:
        least = scores[max(int(np.ceil(share * len(scores))), 1) - 1]
        # all of an equal score: which of them comes first is only the order of the pool
        inside = seen >= least
        n, n_right = int(inside.sum()), int(right[inside].sum())
        coverage = float((scores >= least).mean())
        # with many equal scores two shares are cut at the same one: the row would say the same again
        if not n or (rows and rows[-1]["coverage"] == coverage):
            continue
        low, high = clopper_pearson(n_right, n, CONFIDENCE)
        rows.append(
            {
                "coverage": coverage,
                "least_score": float(least),
                "looked_at": n,
                "right": n_right,
                "accuracy": n_right / n,
                "low": low,
                "high": high,
                "confidence": CONFIDENCE,
            }
        )
    return rows
