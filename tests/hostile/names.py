"""Names that are paths, formulas, queries, markup and orders to a terminal."""

CLASSES = (
    "../../etc/passwd", "/abs", "a/b", "..", ".", "con", "C:\\temp", "-rf", "~", "=1+1", "+1", "-1+1",
    "@SUM(A1)",
    "=cmd|' /C calc'!A0", "\t=1", "'; DROP TABLE events; --", '"; --', "%s%n", "{0.__class__}", "$(reboot)",
    "`id`",
    "[/x]", "[@click=app.quit]x[/]", "<script>alert(1)</script>", "&amp;", "**b** _i_ | c",
    "[a](javascript:b)",
    "\x1b]2;owned\x07", "\x1b[2J", "\x9b2J", "a\u202egnp", "\u2066x", "a\0b", "line\nbreak", "nan",
    "None", "true", "1e3",    "escaped:%41", "é", "e\u0301", "目", "\U0001f600",
    "x" * 200, "a,b", 'q"q', "q'q", "a;b", "a\tb", "\ufeffbom",
)  # fmt: skip
