"""The common commands: a function for each key of the table, done on any screen that does not do it its own way.

Functions that are called by a key bear the name of their action in :mod:`labeler.ui.actions`.
"""

from __future__ import annotations

from typing import Any

from labeler.core.text import display_safe
from labeler.core.types import UNLABELED
from labeler.session.audit.audits import CONFIDENCE, TARGET
from labeler.ui.host import Host
from labeler.ui.render import lines
from labeler.ui.screens.base import LabelScreen, Target

# -- answers -----------------------------------------------------------------------------------------------------------


def accept(screen: LabelScreen) -> None:
    """Accept the guess, where it is what is held still."""
    if screen.is_too_soon():
        return
    guess = screen.guess()
    shown, place = UNLABELED if guess is None else guess, screen.recorded_as
    session = screen.labeler.project.session
    screen.about_target(lambda target: session.accept(target.instance_id, shown, screen=place))


def skip(screen: LabelScreen) -> None:
    """Ask it later."""
    session = screen.labeler.project.session
    screen.about_target(lambda target: session.skip(target.instance_id, screen=screen.recorded_as))


def unsure(screen: LabelScreen) -> None:
    """Answer that nobody can tell."""
    session = screen.labeler.project.session
    screen.about_target(lambda target: session.unsure(target.instance_id, screen=screen.recorded_as))


def reject(screen: LabelScreen) -> None:
    """Answer that it is not usable."""
    session = screen.labeler.project.session
    screen.about_target(lambda target: session.reject(target.instance_id, screen=screen.recorded_as))


def flag(screen: LabelScreen) -> None:
    """Set a bookmark, or take it away."""
    session = screen.labeler.project.session
    # a bookmark answers nothing: the question stays
    screen.about_target(lambda target: session.flag(target.instance_id), moves_on=False)


def undo(screen: LabelScreen) -> None:
    """Take the last answer back."""
    screen.labeler.command(screen.labeler.project.session.undo, screen.moved_in_time)


def redo(screen: LabelScreen) -> None:
    """Bring back what undo took."""
    screen.labeler.command(screen.labeler.project.session.redo, screen.moved_in_time)


async def new_class(screen: LabelScreen) -> None:
    """Ask for a name; the class is added and answers the target."""
    await screen.labeler.open("new_class", screen.named, answers=screen.target() is not None)


async def percentile(screen: LabelScreen) -> None:
    """Ask how far labels spread."""
    labeler = screen.labeler

    def spread(percentile: float | str | None) -> None:
        if percentile is not None:
            labeler.command(lambda: labeler.project.session.set(percentile=percentile))

    await labeler.open("percentile", spread, labeler.view.percentile if labeler.view else None)


# -- other screens -----------------------------------------------------------------------------------------------------


async def show(screen: LabelScreen, name: str, *arguments: Any, **options: Any) -> None:
    """Open a screen, or go back to it where it is open below: no key piles up screens."""
    screen.labeler.status.clear()
    await screen.labeler.open(name, *arguments, **options)


def _say_too_soon(screen: LabelScreen, what: str) -> None:
    screen.labeler.say(f"{what} {screen.labeler.status.meanwhile()}", "warn")


def target_of(screen: LabelScreen) -> Target | None:
    """Return what the screen asks about; says so where that is nothing."""
    target = screen.target()
    if target is None:
        screen.labeler.say(screen.nothing_to_answer(), "warn")
    return target


def _has_representatives(screen: LabelScreen) -> bool:
    view = screen.labeler.view
    return view is not None and view.round is not None and len(view.round.representatives) > 0


async def representatives(screen: LabelScreen) -> None:
    """Open the contact sheet."""
    if _has_representatives(screen):
        await show(screen, "representatives")
    else:
        _say_too_soon(screen, "the representatives are")


async def pages(screen: LabelScreen) -> None:
    """Open the pages to confirm."""
    view = screen.labeler.view
    if view is None or view.round is None or not screen.labeler.project.engine.is_ready:
        _say_too_soon(screen, "the pages are")
        return
    await show(screen, "confirm")


async def similar(screen: LabelScreen) -> None:
    """Open the pages of what is nearest to the target."""
    target = target_of(screen)
    if target is None:
        return
    if not screen.labeler.project.engine.is_ready:
        _say_too_soon(screen, "what is near is")
        return
    # the captions of its neighbors would tell what a blind question must not
    hidden = screen.hides(target)
    await show(screen, "similar", target, UNLABELED if hidden else screen.kind_of(target), hidden=hidden)


async def clusters(screen: LabelScreen) -> None:
    """Open the cluster browser."""
    if _has_representatives(screen):
        await show(screen, "clusters")
    else:
        _say_too_soon(screen, "the clusters are")


async def outliers(screen: LabelScreen) -> None:
    """Open the oddest instances."""
    if not screen.labeler.project.engine.is_ready:
        _say_too_soon(screen, "the odd ones are")
        return
    await show(screen, "outliers")


async def hunt(screen: LabelScreen) -> None:
    """Hunt for more of the class that has fewest labels, but for none."""
    class_id = screen.to_hunt()
    if class_id is None:
        screen.labeler.say("nothing to hunt for yet: label one picture of the rare class, then H finds more", "warn")
        return
    if not screen.labeler.project.engine.is_ready:
        _say_too_soon(screen, "what is near is")
        return
    await show(screen, "hunt", class_id)


async def classes(screen: LabelScreen) -> None:
    """Open the table of classes."""
    await show(screen, "classes")


async def choose_k(screen: LabelScreen) -> None:
    """Open the comparison of numbers of clusters."""
    await show(screen, "choose_k")


async def why(screen: LabelScreen) -> None:
    """Open the page that says why the target has its label."""
    target = target_of(screen)
    if target is not None:
        await show(screen, "why", target.index)


async def second_look(screen: LabelScreen) -> None:
    """Open the answers that the engine doubts."""
    view = screen.labeler.view
    if view is None or not view.doubts:
        screen.labeler.say("no answer looks odd: the engine believes all it can judge")
        return
    await show(screen, "second_look")


async def dashboard(screen: LabelScreen) -> None:
    """Open the dashboard."""
    await show(screen, "dashboard")


async def search(screen: LabelScreen) -> None:
    """Ask what is looked for; what fits is shown as thumbnails."""
    labeler = screen.labeler

    def show_rows(result: tuple[str, list[int]] | None) -> None:
        if result is not None:
            labeler.looked_for = result[0]
            labeler.status.clear()
            # not awaited: the form that hands it over is closing, and draws what is in front then
            labeler.open("search", *result)

    await labeler.open("search_for", show_rows, labeler.looked_for)


async def audit(screen: LabelScreen) -> None:
    """Go on with the audit that is under way; else ask whether one is to begin."""
    if screen.labeler.project.session.audit.goes_on():
        screen.labeler.status.clear()
        await go_on_with_audit(screen.labeler)
    else:
        await _ask_to_audit(screen)


async def go_on_with_audit(host: Host) -> None:
    """Open the audit that is under way where the person left it: in pages where some of a block are left."""
    await host.open("audit")
    audit = host.project.session.audit.latest
    # a block that was begun in pages can only be ended there
    if audit is not None and audit.block is not None and audit.block.answers:
        host.status.clear()
        await host.open("audit_pages")


async def _ask_to_audit(screen: LabelScreen) -> None:
    if not screen.labeler.project.engine.is_ready:
        _say_too_soon(screen, "the labels to audit are")
        return
    population, looks = screen.labeler.project.session.audit.ahead(TARGET, CONFIDENCE)
    if not population:
        screen.labeler.say("there is no label to audit yet: answer until labels spread, or confirm pages (G)", "warn")
        return
    await show(screen, "begin_audit", population, looks)


# -- the rest ----------------------------------------------------------------------------------------------------------


def copy_path(screen: LabelScreen) -> None:
    """Copy the target's path into the clipboard, and show it."""
    target = target_of(screen)
    if target is None:
        return
    path = screen.labeler.project.instances.location(target.index)
    # a name that is no text cannot go through the terminal as it is
    screen.app.copy_to_clipboard(path.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    # 16 cells for the words before it
    screen.labeler.say(f"path copied: {lines.tail(display_safe(path), max(screen.size.width - 16, 16))}")


async def help(screen: LabelScreen) -> None:  # noqa: A001 -- the name of its action
    """Show every key."""
    await screen.labeler.open("help", type(screen))


def palette(screen: LabelScreen) -> None:
    """Offer commands by their names."""
    screen.app.action_command_palette()


def saved(screen: LabelScreen) -> None:
    """Say that there is nothing to save."""
    screen.labeler.say("already saved: every answer is on disk before the next question is drawn")


def suspend(screen: LabelScreen) -> None:
    """Leave the terminal to the shell for a while."""
    screen.app.action_suspend_process()


def quit(screen: LabelScreen) -> None:  # noqa: A001 -- the name of its action
    """End the application."""
    screen.app.exit()
