"""Every advice there is, by the functions that make them: a new one that is not here fails a test."""

import inspect

from labeler.core import advice
from labeler.core.types import Advice

FIGURES = {
    "answer_first": [{}],
    "answer_representatives": [{}],
    "answer_question": [{}],
    "expect_classes_missed": [{"n_clusters": 1, "n_classes": 2}, {"n_clusters": 1_000, "n_classes": 10_000}],
    "choose_other_features": [{"n_answers": 50}, {"n_answers": 123_456}, {"n_answers": 9, "extra": "photos"}],
    "export": [{}],
    "stop": [{"window": 20, "page_pays": False}, {"window": 20, "page_pays": True}],
    "confirm_page": [{}],
    "go_on": [{}],
    "rest_from_pages": [{"left": 1}, {"left": 10}],
    "look_again": [{"n_doubts": 1}, {"n_doubts": 123_456}],
}
"""What each is called with: the least and the most there may be."""
VERBS = ("answer", "quit", "confirm", "stop", "go on", "looks at")
"""What a person can do; one of them is in each."""


def makers():
    """The functions of the module that return an advice, by name."""
    found = inspect.getmembers(advice, inspect.isfunction)
    return {name: made for name, made in found if made.__module__ == advice.__name__ and not name.startswith("_")}


def every_advice() -> list[Advice]:
    return [makers()[name](**figures) for name, all_ in FIGURES.items() for figures in all_]
