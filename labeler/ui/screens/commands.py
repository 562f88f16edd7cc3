"""What the keys of the table do on every label screen; a screen overrides what it means differently."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from labeler.core.text import display_safe
from labeler.core.types import UNLABELED
from labeler.session.audit.audits import CONFIDENCE, TARGET
from labeler.ui.render import lines
from labeler.ui.screens.base import LabelScreen, Target


class CommandScreen(LabelScreen):
    """A label screen with all commands of the table (``do_<name>``)."""

    # -- answers -------------------------------------------------------------------------------------------------

    def answer(self, class_id: int) -> None:
        """Give the target a class."""
        self._about_target(lambda target: self.give(target, class_id))

    def give(self, target: Target, class_id: int) -> None:
        """Tell the session what the target is."""
        self.labeler.project.session.label(target.instance_id, class_id, screen=str(self.PLACE))

    def _about_target(self, tell: Callable[[Target], object], *, moves_on: bool = True) -> None:
        target = self.target()
        if target is None:
            self.labeler.say(self.nothing_to_answer(), "warn")
            return

        def saved() -> None:
            self.typed = ""
            if moves_on:
                self.answered()

        self.labeler.command(lambda: tell(target), saved)

    def do_accept(self) -> Awaitable[None] | None:
        """Accept the guess, where it is what is held still."""
        if self.is_too_soon():
            return None
        guess = self.guess()
        shown, place = UNLABELED if guess is None else guess, str(self.PLACE)
        self._about_target(lambda target: self.labeler.project.session.accept(target.instance_id, shown, screen=place))
        return None

    def is_too_soon(self) -> bool:
        """Whether the key in hand was pressed before a guess that changed was painted anew; says so."""
        if self.paints_at_key >= self.anew_from:
            return False
        self.labeler.say("that key was pressed before the new guess was there: ignored", "warn")
        return True

    def do_skip(self) -> Awaitable[None] | None:
        """Ask it later."""
        self._about_target(lambda target: self.labeler.project.session.skip(target.instance_id, screen=str(self.PLACE)))
        return None

    def do_unsure(self) -> None:
        """Cannot tell."""
        self._about_target(
            lambda target: self.labeler.project.session.unsure(target.instance_id, screen=str(self.PLACE))
        )

    def do_reject(self) -> None:
        """Not usable."""
        self._about_target(
            lambda target: self.labeler.project.session.reject(target.instance_id, screen=str(self.PLACE))
        )

    def do_flag(self) -> None:
        """Bookmark."""
        self._about_target(lambda target: self.labeler.project.session.flag(target.instance_id), moves_on=False)

    def do_undo(self) -> None:
        """Take back."""
        self.labeler.command(self.labeler.project.session.undo, self.moved_in_time)

    def do_redo(self) -> None:
        """Bring back."""
        self.labeler.command(self.labeler.project.session.redo, self.moved_in_time)

    def moved_in_time(self) -> None:
        """An undo or redo was saved; the next `draw` follows."""
        self.typed = ""

    # -- other commands ------------------------------------------------------------------------------------------

    async def do_new_class(self) -> None:
        """Ask for a name; the class is added and answers the target."""
        from labeler.ui.forms.class_name import NewClass

        target = self.target()
        await self.labeler.push_screen(NewClass(self._named, answers=target is not None))

    def _named(self, name: str | None) -> None:
        if name is None:
            return
        session, target = self.labeler.project.session, self.target()

        def add_and_answer() -> None:
            class_id = session.class_id_for(name)
            if target is not None:
                self.give(target, class_id)

        self.labeler.command(add_and_answer, self.answered if target is not None else None)

    async def do_percentile(self) -> None:
        """Ask how far labels spread."""
        from labeler.ui.forms.percentile import Percentile

        view = self.labeler.view
        await self.labeler.push_screen(Percentile(self._spread, view.percentile if view else None))

    def _spread(self, percentile: float | str | None) -> None:
        if percentile is not None:
            self.labeler.command(lambda: self.labeler.project.session.set(percentile=percentile))

    def _too_soon(self, what: str) -> None:
        self.labeler.say(f"{what} {self.labeler.news.meanwhile()}", "warn")

    async def do_sheet(self) -> None:
        """Open the contact sheet."""
        from labeler.ui.screens.representatives import ContactSheet

        view = self.labeler.view
        if view is None or view.round is None or not len(view.round.representatives):
            self._too_soon("the representatives are")
            return
        await self._show(ContactSheet)

    async def do_grid(self) -> None:
        """Open the pages to confirm."""
        from labeler.ui.screens.confirm import GridScreen

        view = self.labeler.view
        if view is None or view.round is None or not self.labeler.project.engine.is_ready:
            self._too_soon("the pages are")
            return
        await self._show(GridScreen)

    async def do_alike(self) -> None:
        """Open the pages of what is nearest to the target."""
        from labeler.ui.screens.similar import AlikeScreen

        target = self.target()
        if target is None:
            self.labeler.say(self.nothing_to_answer(), "warn")
            return
        if not self.labeler.project.engine.is_ready:
            self._too_soon("what is near is")
            return
        hidden = self.hides(target)
        kind = UNLABELED if hidden else self.kind_of(target)
        self.labeler.news.clear()
        await self.labeler.push_screen(AlikeScreen(target, kind, hidden=hidden))

    def kind_of(self, target: Target) -> int:
        """The class that the target is held to be now; UNLABELED = nobody says."""
        return self.labeler.project.session.held(target.index)

    def hides(self, target: Target) -> bool:
        """Whether what is held of the target is kept from the eye."""
        return False

    async def do_clusters(self) -> None:
        """Open the cluster browser."""
        from labeler.ui.screens.clusters import ClusterBrowser

        view = self.labeler.view
        if view is None or view.round is None or not len(view.round.representatives):
            self._too_soon("the clusters are")
            return
        await self._show(ClusterBrowser)

    async def do_odd(self) -> None:
        """Open the oddest instances."""
        from labeler.ui.screens.outliers import OddScreen

        if not self.labeler.project.engine.is_ready:
            self._too_soon("the odd ones are")
            return
        await self._show(OddScreen)

    async def do_hunt(self) -> None:
        """Hunt for more of the class that has fewest labels, but for none."""
        from labeler.ui.screens.hunt import HuntScreen

        class_id = self.to_hunt()
        if class_id is None:
            self.labeler.say("nothing to hunt for yet: label one picture of the rare class, then H finds more", "warn")
            return
        if not self.labeler.project.engine.is_ready:
            self._too_soon("what is near is")
            return
        self.labeler.news.clear()
        await self.labeler.push_screen(HuntScreen(class_id))

    def to_hunt(self) -> int | None:
        """The class that a hunt is for: the rarest by the labels that were given; None while there is none."""
        view = self.labeler.view
        met = [count for count in view.classes if count.given] if view is not None else []
        return min(met, key=lambda count: count.given).info.class_id if met else None

    async def do_classes(self) -> None:
        """Open the table of classes."""
        from labeler.ui.screens.classes import ClassesScreen

        await self._show(ClassesScreen)

    async def do_choose_k(self) -> None:
        """Open the comparison of numbers of clusters."""
        from labeler.ui.screens.choose_k import ChooseK

        await self._show(ChooseK)

    async def do_why(self) -> None:
        """Open the page that says why the target has its label."""
        from labeler.ui.screens.why import WhyScreen

        target = self.target()
        if target is None:
            self.labeler.say(self.nothing_to_answer(), "warn")
            return
        self.labeler.news.clear()
        await self.labeler.push_screen(WhyScreen(target.index))

    async def do_second_look(self) -> None:
        """Open the answers that the engine doubts."""
        from labeler.ui.screens.second_look import SecondLook

        view = self.labeler.view
        if view is None or not view.doubts:
            self.labeler.say("no answer looks odd: the engine believes all it can judge")
            return
        await self._show(SecondLook)

    async def do_search(self) -> None:
        """Ask what is looked for; what is found is shown as thumbnails."""
        from labeler.ui.screens.search import SearchFor

        await self.labeler.push_screen(SearchFor(self._show_found, self.labeler.looked_for))

    def _show_found(self, result: tuple[str, list[int]] | None) -> None:
        from labeler.ui.screens.search import SearchScreen

        if result is not None:
            self.labeler.looked_for = result[0]
            self.labeler.news.clear()
            self.labeler.push_screen(SearchScreen(*result))

    async def _show(self, kind: type[CommandScreen]) -> None:
        """Open a screen, or go back to it where it is open below: no key piles up screens."""
        self.labeler.news.clear()
        if any(isinstance(screen, kind) for screen in self.labeler.screen_stack):
            await self.leave_to(kind)
        else:
            await self.labeler.push_screen(kind())

    async def do_audit(self) -> None:
        """Go on with the audit that is under way; else ask whether one is to begin."""
        from labeler.ui.screens.audit import open_audit

        if not self.labeler.project.session.audit_goes_on():
            await self._ask_to_audit()
            return
        self.labeler.news.clear()
        await open_audit(self.labeler)

    async def _ask_to_audit(self) -> None:
        from labeler.ui.screens.begin_audit import BeginAudit

        if not self.labeler.project.engine.is_ready:
            self._too_soon("the labels to audit are")
            return
        population, looks = self.labeler.project.session.audit_ahead(TARGET, CONFIDENCE)
        if not population:
            self.labeler.say("there is no label to audit yet: answer until labels spread, or confirm pages (G)", "warn")
            return
        self.labeler.news.clear()
        await self.labeler.push_screen(BeginAudit(population, looks))

    async def leave_to(self, kind: type[LabelScreen]) -> None:
        """Close this screen and those below it down to the first of `kind`."""
        while not isinstance(self.labeler.screen, kind):
            await self.labeler.pop_screen()
        self.labeler.screen.on_screen_resume()

    async def do_dashboard(self) -> None:
        """Open the dashboard."""
        from labeler.ui.screens.dashboard import Dashboard

        await self._show(Dashboard)

    async def leave(self) -> None:
        """Close this screen and draw the one below before the next key has its turn."""
        self.labeler.news.clear()  # what was said there is no answer here: G and R mean something else
        await self.dismiss(None)
        below = self.labeler.screen
        if isinstance(below, LabelScreen):
            below.on_screen_resume()

    def do_copy_path(self) -> None:
        """The target's path into the clipboard, and onto the screen."""
        target = self.target()
        if target is None:
            self.labeler.say(self.nothing_to_answer(), "warn")
            return
        path = self.labeler.project.instances.location(target.index)
        # a name that is no text cannot go through the terminal as it is
        self.labeler.copy_to_clipboard(path.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
        self.labeler.say(f"path copied: {lines.tail(display_safe(path), max(self.size.width - 16, 16))}")

    async def do_help(self) -> None:
        """Every key."""
        from labeler.ui.forms.help import Help

        await self.labeler.push_screen(Help(self.PLACE))

    def do_palette(self) -> None:
        """Commands by name."""
        self.labeler.action_command_palette()

    def do_saved(self) -> None:
        """Nothing to save."""
        self.labeler.say("already saved: every answer is on disk before the next question is drawn")

    def do_suspend(self) -> None:
        """Back to the shell for a while."""
        self.labeler.suspend_to_shell()

    def do_quit(self) -> None:
        """Leave."""
        self.labeler.exit()
