"""The table of screens and forms: a name, and the class that is opened by it.

Nobody imports a screen: `host.open(name)` finds it here, so that screens do not know each other. It is loaded when it
is opened first, for the first frame waits for none but its own.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

SCREENS = {
    "question": "labeler.ui.screens.question:QuestionScreen",
    "representatives": "labeler.ui.screens.representatives:ContactSheet",
    "confirm": "labeler.ui.screens.confirm:ConfirmScreen",
    "similar": "labeler.ui.screens.similar:SimilarScreen",
    "clusters": "labeler.ui.screens.clusters:ClusterBrowser",
    "search": "labeler.ui.screens.search:SearchScreen",
    "outliers": "labeler.ui.screens.outliers:OutlierScreen",
    "hunt": "labeler.ui.screens.hunt:HuntScreen",
    "second_look": "labeler.ui.screens.second_look:SecondLook",
    "audit": "labeler.ui.screens.audit:AuditScreen",
    "audit_pages": "labeler.ui.screens.audit_pages:AuditPages",
    "why": "labeler.ui.screens.why:WhyScreen",
    "dashboard": "labeler.ui.screens.dashboard:Dashboard",
    "classes": "labeler.ui.screens.classes:ClassesScreen",
    "split": "labeler.ui.screens.split:SplitScreen",
    "choose_k": "labeler.ui.screens.choose_k:ChooseK",
}
"""Screens where keys answer or command; those that answer stand first. A name is that of the module."""

FORMS = {
    "begin_audit": "labeler.ui.forms.begin_audit:BeginAudit",
    "class_key": "labeler.ui.forms.class_key:ClassKey",
    "class_setup": "labeler.ui.forms.class_setup:ClassSetup",
    "elsewhere": "labeler.ui.forms.not_saved:Elsewhere",
    "help": "labeler.ui.forms.help:Help",
    "new_class": "labeler.ui.forms.class_name:NewClass",
    "percentile": "labeler.ui.forms.percentile:Percentile",
    "rename": "labeler.ui.forms.class_name:Rename",
    "search_for": "labeler.ui.forms.search:SearchFor",
    "split_name": "labeler.ui.forms.class_name:SplitName",
    "unsaved": "labeler.ui.forms.not_saved:Unsaved",
}
"""Dialogs and pages to read in front of a screen."""


def load(target: str) -> Any:
    """Return what stands under ``module:name``."""
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def class_of(name: str) -> Any:
    """Return the class of a screen or form."""
    return load(SCREENS[name] if name in SCREENS else FORMS[name])


def own_actions() -> Iterator[Any]:
    """Yield the commands that screens have of their own, in the order of the table; loads every screen."""
    # in the order of the table: those where keys answer speak for a key first
    for name in SCREENS:
        yield from (action for action in class_of(name).KEYS if action.group is None)
