"""An error of onnxruntime in one line, whatever it says."""

from __future__ import annotations

import pytest

from labeler.plugins.encoders.onnx_session import _reason


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("first\nsecond"), "first"),
        (ValueError("\n  \nlate"), "late"),
        (RuntimeError(""), "RuntimeError"),
        (RuntimeError("\n"), "RuntimeError"),
        (RuntimeError(), "RuntimeError"),
    ],
)
def test_the_first_line_that_says_something_or_the_kind_of_error(error, line):
    assert _reason(error) == line
