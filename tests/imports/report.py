"""What is drawn of a package's imports, and what of it is a fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tests.imports.graph import circles, floors
from tests.imports.rooms import room_arrows, room_of
from tests.imports.source import Class, Import, Module, Package, chains, runtime_arrows

MOST_LINES = 500
ANCESTORS = 1
"""Ancestors of ours that a class may have in a line: more, and it inherits from one twice removed."""
SCREEN_ANCESTORS = 2
SCREENS = "ui"
"""The room whose classes over one of Textual's screens may have one ancestor more."""


@dataclass(frozen=True)
class Drawing:
    """All that is counted of a package."""

    package: Package
    rooms: dict[str, set[str]]
    floors: dict[str, int]
    room_circles: list[list[str]]
    file_circles: list[list[str]]
    load_circles: list[list[str]]
    in_functions: list[tuple[Module, Import]]
    deep: list[tuple[Class, list[Class]]]

    @property
    def unexplained(self) -> list[tuple[Module, Import]]:
        """Imports inside functions that nothing says the reason of; those that mind a missing extra need none."""
        return [(module, item) for module, item in self.in_functions if not item.explained and not item.guarded]

    @property
    def faults(self) -> list[str]:
        """Lines, each one fault."""
        return [
            *(f"circle of rooms: {' '.join(part)}" for part in self.room_circles),
            *(f"circle of {len(part)} files: {' '.join(part)}" for part in self.file_circles),
            *(f"import inside a function, not said why: {_at(*item)}" for item in self.unexplained),
            *(f"twice removed: {_line_of(*item)}" for item in self.deep),
        ]

    @property
    def over_long(self) -> list[Module]:
        """Files of more lines than one may have, longest first."""
        over = [module for module in self.package.modules.values() if module.n_lines > MOST_LINES]
        return sorted(over, key=lambda module: -module.n_lines)

    @property
    def comment_lines(self) -> tuple[int, int, int]:
        """(lines of comment alone, lines with code and a comment, lines)."""
        both = [alone for module in self.package.modules.values() for _, alone in module.comments.values()]
        return sum(both), len(both) - sum(both), sum(module.n_lines for module in self.package.modules.values())


def draw(package: Package) -> Drawing:
    """Count everything."""
    rooms = room_arrows(package)
    functions = [
        (module, item) for module in package.modules.values() for item in module.imports if item.place == "function"
    ]
    return Drawing(
        package,
        rooms,
        floors(rooms),
        circles(rooms),
        circles(runtime_arrows(package)),
        circles(runtime_arrows(package, functions=False)),
        functions,
        [(item, line) for item, line, end in chains(package) if len(line) > _allowed(item, end)],
    )


def _allowed(item: Class, end: str) -> int:
    is_screen = room_of(item.module) == SCREENS and end.rpartition(".")[2].endswith("Screen")
    return SCREEN_ANCESTORS if is_screen else ANCESTORS


def _at(module: Module, item: Import) -> str:
    return f"{module.name or '__init__'}:{item.line} {item.target or '__init__'}"


def _line_of(item: Class, line: list[Class]) -> str:
    return " <- ".join(f"{above.module}.{above.name}" for above in (*reversed(line), item))


def lines_of(drawing: Drawing) -> Iterator[str]:
    """The drawing as lines of text."""
    modules = drawing.package.modules.values()
    n_lines = Counter[str]()
    n_files = Counter[str]()
    for module in modules:
        n_lines[module.room] += module.n_lines
        n_files[module.room] += 1
    names = set(drawing.rooms)
    yield f"{drawing.package.name}: {len(modules)} files, {sum(n_lines.values()):,} lines, {len(names)} rooms"
    for floor in range(max(drawing.floors.values(), default=0), 0, -1):
        yield f"floor {floor}"
        for room in sorted(name for name in names if drawing.floors[name] == floor):
            ends = " ".join(sorted(drawing.rooms[room])) or "nothing of ours"
            yield f"  {room:18} {n_files[room]:4} files {n_lines[room]:7,} lines  -> {ends}"
    yield from _figures(drawing)
    yield from _lists(drawing)


def _figures(drawing: Drawing) -> Iterator[str]:
    modules = drawing.package.modules.values()
    alone, beside, total = drawing.comment_lines
    ours = sum(item.ours for _, item in drawing.in_functions)
    guarded = sum(item.guarded for _, item in drawing.in_functions)
    typing = [item for module in modules for item in module.imports if item.place == "typing" and item.ours]
    yield f"floors: {max(drawing.floors.values(), default=0)}"
    yield f"arrows between rooms: {sum(map(len, drawing.rooms.values()))}"
    yield f"arrows between files: {sum(map(len, runtime_arrows(drawing.package).values()))}"
    yield f"circles of rooms: {len(drawing.room_circles)}"
    yield f"circles of files: {len(drawing.file_circles)} (of {_sizes(drawing.file_circles)} files)"
    yield f"  at load alone: {len(drawing.load_circles)} (of {_sizes(drawing.load_circles)} files)"
    yield f"imports of ours for types alone: {len(typing)}"
    yield (
        f"imports inside functions: {len(drawing.in_functions)} ({ours} of ours; {guarded} mind a missing extra;"
        f" {len(drawing.unexplained)} without a reason)"
    )
    yield f"classes that inherit from one of ours twice removed: {len(drawing.deep)}"
    yield f"files over {MOST_LINES} lines: {len(drawing.over_long)}"
    yield (
        f"comments: {100 * (alone + beside) / max(total, 1):.2f} % of the lines ({alone:,} lines alone:"
        f" {100 * alone / max(total, 1):.2f} %; {beside:,} beside code)"
    )


def _sizes(parts: list[list[str]]) -> str:
    return ", ".join(str(len(part)) for part in parts) or "no"


def _lists(drawing: Drawing) -> Iterator[str]:
    for part in drawing.room_circles:
        yield f"circle of rooms: {' '.join(part)}"
    for part in drawing.file_circles:
        yield f"circle of files: {' '.join(part)}"
    for item in drawing.deep:
        yield f"twice removed: {_line_of(*item)}"
    for module in drawing.over_long:
        yield f"{module.n_lines} lines: {module.name}"
