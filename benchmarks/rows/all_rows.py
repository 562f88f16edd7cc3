"""Every row of the table and what measures it."""

from __future__ import annotations

from collections.abc import Callable

from rows.files import measure_first_question, measure_representatives
from rows.keys import measure_many, measure_most
from rows.pools import Pools
from rows.questions import measure_next_question, measure_spread
from rows.saves import measure_saved_labels
from rows.sizes import measure_graph, measure_memory
from rows.starts import measure_help, measure_starts
from rows.table import Rows

Measure = Callable[[Pools], Rows]
MEASURES: dict[tuple[int, ...], Measure] = {
    (1,): measure_representatives,
    (2,): measure_first_question,
    (3, 5): measure_many,
    (4,): measure_most,
    (6,): measure_next_question,
    (7,): measure_spread,
    (8,): measure_starts,
    (9,): measure_memory,
    (10,): measure_graph,
    (11,): measure_saved_labels,
    (12,): measure_help,
}
"""What one run of a function measures, by the rows' numbers."""
NUMBERS = tuple(sorted(number for numbers in MEASURES for number in numbers))
