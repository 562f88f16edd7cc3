"""Which files and functions of a package the process enters, and over which arrows between rooms."""

from __future__ import annotations

import inspect
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any, Self

_DRIVEN = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_IMPORTING = {"find_spec", "create_module", "exec_module"}
_PLUMBING = frozenset({"<module>", "<listcomp>", "<setcomp>", "<dictcomp>", *_IMPORTING})
"""No functions of their own: what a file does when it is imported, what the import system asks of a finder, and what
later Pythons run in place."""


@dataclass
class Walk:
    """Within it, every call of a function of the package is noted, in all threads that begin in it and in this one."""

    folder: Path
    functions: set[tuple[str, str, int]] = field(default_factory=set)  # (module, name, line)
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)  # (module that calls, module that is called)
    turns: list[tuple[str, str]] = field(default_factory=list)  # the same in order, where the module changes
    _modules: dict[CodeType, str | None] = field(default_factory=dict)
    _noting: bool = True

    def __enter__(self) -> Self:
        threading.setprofile(self._note)
        sys.setprofile(self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
        self._noting = False

    @property
    def files(self) -> set[str]:
        """The modules of which a function was entered."""
        return {module for module, _, _ in self.functions}

    def clear(self) -> None:
        """Forget what was noted: from here on anew."""
        self.functions.clear()
        self.calls.clear()
        self.turns.clear()

    def _note(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or not self._noting:
            return
        code = frame.f_code
        module = self._module_of(code)
        if module is None or code.co_name in _PLUMBING or not code.co_flags & inspect.CO_OPTIMIZED:
            return
        self.functions.add((module, code.co_qualname, code.co_firstlineno))
        if code.co_flags & _DRIVEN:
            return  # whoever drives it did not call it: a job runs in steps, a coroutine in the loop
        caller = self._caller(frame)
        if caller is not None and caller != module:
            self.calls[caller, module] += 1
            self.turns.append((caller, module))

    def _caller(self, frame: FrameType) -> str | None:
        """The module of the nearest frame of the package below, through what other packages call back."""
        above = frame.f_back
        while above is not None:
            module = self._module_of(above.f_code)
            if module is not None:
                return module
            above = above.f_back
        return None

    def _module_of(self, code: CodeType) -> str | None:
        """Its dotted name without the package's own; None where it is not of the package."""
        if code not in self._modules:
            path = Path(code.co_filename)
            try:
                parts = path.relative_to(self.folder).with_suffix("").parts
            except ValueError:
                self._modules[code] = None
            else:
                self._modules[code] = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        return self._modules[code]
