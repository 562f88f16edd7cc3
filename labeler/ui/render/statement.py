"""The statement of an audit as text: what is certified now, what is left to do, what was planted and seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.content import Content

from labeler.core.text import display_safe
from labeler.session.audit.audits import Certificate, floored
from labeler.session.parts.audit_pages import Planted


def in_lines(certificate: Certificate | None, width: int) -> Content:
    """The statement of an audit in lines: what is certified now, and what is left to do."""
    if certificate is None:
        return Content("")
    goal = f"{100 * certificate.target:g} %"
    sign, role = ("✓", "$saved") if certificate.reached else ("·", "$guess")
    lines = [
        Content.styled("certified now", "$quiet"),
        Content.assemble((f"{sign} ≥ {floored(certificate.lower_bound)} %", f"bold {role}"), (" right", "bold")),
    ]
    if certificate.reached:
        lines.append(Content.assemble((goal, "bold"), " reached: ", ("E", "bold $command"), " leads back"))
    elif certificate.more is not None:
        lines.append(Content.assemble("about ", (f"{certificate.more:,} more", "bold"), f" for {goal}"))
    elif certificate.too_early:
        lines.append(Content.styled(f"too early to say when {goal}", "$quiet"))
    else:
        why = "errors overlooked" if certificate.overlooked else "label on"
        lines.append(Content.assemble((goal, "bold $warn"), f" out of reach: {why}"))
    lines.append(Content.styled(f"{certificate.checked:,} checked, {certificate.wrong:,} wrong", "$quiet"))
    if certificate.cutoff_population is not None:
        lines.append(Content.styled(f"{goal} for the {certificate.cutoff_population:,} most trusted", "$quiet"))
    return Content("\n").join(part for line in lines for part in line.wrap(max(width, 1)))


def in_a_line(certificate: Certificate, ahead: int) -> Content:
    """The statement in one line; `ahead`: looked at since, which count when their block is done."""
    goal = f"{100 * certificate.target:g} %"
    sign, role = ("✓", "$saved") if certificate.reached else ("·", "$guess")
    lead = Content.styled(f"{sign} certified ≥ {floored(certificate.lower_bound)} %", f"bold {role}")
    if certificate.reached:
        return lead
    if certificate.more is not None:
        # the pages of an open block are looked at already but count only when it is done
        left = max(certificate.more - ahead, 1)
        return Content.assemble(lead, (f"; about {left:,} more for {goal}", "$quiet"))
    return Content.assemble(lead, (f"; {goal} " + ("later" if certificate.too_early else "out of reach"), "$quiet"))


def of_planted(planted: Planted, ids: Sequence[str], names: Mapping[int, str]) -> tuple[str, str]:
    """Return one line on what was planted on a page that was confirmed, and the role of that line."""
    if not planted.shown:
        return "nothing was planted on that page", "quiet"
    lead = f"planted on that page: {len(planted.seen)} of {planted.shown} seen"
    if not planted.overlooked:
        return f"✓ {lead}", "info"
    missed = ", ".join(
        # without its folder: a line has little room
        f"{display_safe(ids[index].rpartition('/')[2], 24)} stood under "
        f"{display_safe(names[shown], 20)} and is a {display_safe(names[known], 20)}"
        for index, shown, known in planted.overlooked
    )
    return f"{lead}; overlooked: {missed}", "warn"
