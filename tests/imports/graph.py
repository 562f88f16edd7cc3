"""Circles and floors of a graph of arrows."""

from __future__ import annotations

from collections.abc import Mapping


def circles(arrows: Mapping[str, set[str]]) -> list[list[str]]:
    """The strongly connected parts of more than one node, the largest first."""
    return sorted((part for part in _parts(arrows) if len(part) > 1), key=lambda part: (-len(part), part))


def floors(arrows: Mapping[str, set[str]]) -> dict[str, int]:
    """Node -> 1 where it has no arrow, else one above the highest it points to; a circle is one node of it."""
    heights: dict[str, int] = {}
    for part in _parts(arrows):  # what a part points to comes before it
        below = [heights[end] for node in part for end in arrows[node] if end not in part]
        heights |= dict.fromkeys(part, 1 + max(below, default=0))
    return heights


def _parts(arrows: Mapping[str, set[str]]) -> list[list[str]]:
    """Strongly connected parts by Tarjan's algorithm, without recursion; those that are pointed to first."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    parts: list[list[str]] = []
    for root in sorted(arrows):
        if root in number:
            continue
        walk = [(root, iter(sorted(arrows[root])))]
        number[root] = lowest[root] = len(number)
        stack.append(root)
        while walk:
            node, ends = walk[-1]
            end = next(ends, None)
            if end is None:
                walk.pop()
                if walk:
                    lowest[walk[-1][0]] = min(lowest[walk[-1][0]], lowest[node])
                if lowest[node] == number[node]:
                    cut = stack.index(node)
                    parts.append(sorted(stack[cut:]))
                    lowest |= dict.fromkeys(stack[cut:], len(arrows) + 1)
                    del stack[cut:]
            elif end not in number:
                number[end] = lowest[end] = len(number)
                stack.append(end)
                walk.append((end, iter(sorted(arrows[end]))))
            else:
                lowest[node] = min(lowest[node], lowest[end])
    return parts
