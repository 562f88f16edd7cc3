"""The data card: what an export is, how it was made and what is not known of it; ``README.md`` in an exported folder.

Written from the manifest and the rows alone, so that the same export has the same card. A single file has no inside to
put it: there it is ``card`` in the manifest beside the file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from labeler.core.text import display_safe
from labeler.plugins.exporters.base import ExportRows

CARD = "README.md"
# all that Markdown lets be escaped, but for comma and hyphen, which mean nothing within a line
_PUNCTUATION = re.compile(r"([!\"#$%&'()*+./:;<=>?@\[\\\]^_`{|}~])")
_PARTS = ("encoder", "clusterer", "classifier", "strategy")
_LONGEST = 80
# columns of the table in this order: from what a person saw to what a machine made of it
_SOURCES = {
    "human": "a person was shown this image and named its class",
    "confirmed": "a person confirmed it on a page of images of one class",
    "imported": "came from elsewhere",
    "propagated": "spread from answers to images like them",
    "predicted": "the model's alone: held back unless asked for",
    "rejected": "a person threw this image out: it belongs to no class or is unusable",
}


def card(manifest: Mapping[str, Any], rows: ExportRows) -> str:
    """The card in Markdown; `manifest` as it is written, without the hashes."""
    counts, total = manifest["counts"], len(rows.ids)
    pool = manifest.get("n_instances")
    lines = ["# A labeled image set", ""]
    share = f" of {pool:,} images ({100 * total / pool:.1f} %)" if pool else ""
    lines += [f"{total:,} labels{share} in {len(rows.class_names):,} classes, made with labeler.", ""]
    lines += ["## Classes, by where their labels come from", "", *_balance(rows), ""]
    lines += [f"- **{word}**: {meaning}" for word, meaning in _SOURCES.items() if word in counts["provenance"]]
    if counts["splits"]:
        shown = ", ".join(f"{plain(name)} {number:,}" for name, number in counts["splits"].items())
        came_divided = "splits" in manifest.get("configuration", {})
        how = (
            "They are as in the folders of the source"
            if came_divided
            else "Equal and nearly equal images are in the same one"
        )
        lines += ["", f"Splits: {shown}. {how}."]
    lines += ["", "## How right are the labels?", "", *_accuracy(manifest), *_curve(manifest)]
    lines += _of_the_person(manifest)
    lines += ["", "## What may be missing", "", *_missing(manifest, total)]
    lines += ["", "## How it was made", "", *_made(manifest)]
    if manifest["warnings"]:
        lines += ["", "## Notes", "", *(f"- {plain(line, 400)}" for line in manifest["warnings"])]
    return "\n".join(lines) + "\n"


def plain(text: str, longest: int = _LONGEST) -> str:
    """`text` as Markdown shows it letter by letter: no markup, link, tag, table cell or new line comes of it."""
    return _PUNCTUATION.sub(r"\\\1", display_safe(" ".join(text.split()), longest))


def _balance(rows: ExportRows) -> list[str]:
    """The table of classes by provenance."""
    words = [word for word in _SOURCES if word in set(rows.provenances)]
    table = Counter(zip(rows.class_indices.tolist(), rows.provenances, strict=True))
    lines = [_row(["class", *words, "all", "share"]), _row(["---", *["---:"] * (len(words) + 2)])]
    for index, name in enumerate(rows.class_names):
        numbers = [table[index, word] for word in words]
        share = 100 * sum(numbers) / max(len(rows.ids), 1)
        lines.append(_row([plain(name), *(f"{number:,}" for number in (*numbers, sum(numbers))), f"{share:.1f} %"]))
    sums = [sum(table[index, word] for index in range(len(rows.class_names))) for word in words]
    return [*lines, _row(["all", *(f"{number:,}" for number in (*sums, sum(sums))), "100 %"])]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _accuracy(manifest: Mapping[str, Any]) -> list[str]:
    certificate, control = manifest.get("certificate"), manifest.get("estimate")
    if certificate is None and control is not None:
        return [
            f"An estimate, no certificate: {plain(str(control['statement']), 1000)}. An audit (`labeler audit`) would"
            " certify them. The confidence of a label ranks it among the others and estimates how likely it is right;"
            " it measures nothing."
        ]
    if certificate is None:
        return [
            "That is not known: accuracy is not known until an audit (`labeler audit`). The confidence of a label ranks"
            " it among the others and estimates how likely it is right; it measures nothing."
        ]
    return [
        f"**{plain(str(certificate['statement']), 1000)}**.",
        "",
        f"Checked {certificate['checked']:,} of {certificate['population']:,}, drawn at random; "
        f"{certificate['wrong']:,} were wrong."
        f" The statement is about {plain(str(certificate['about']), 300)}.",
        # nothing but hexadecimal digits: between backquotes no escape would hold
        f"Hash of the labels it speaks of: `{re.sub('[^0-9a-f]', '', str(certificate['set_sha256']))}`.",
    ]


def _curve(manifest: Mapping[str, Any]) -> list[str]:
    """Coverage and accuracy, from what an audit looked at."""
    rows = manifest.get("coverage_accuracy")
    if not rows:
        return []
    about = "of the labels that no single answer gave" if manifest.get("certificate") else "of the labels audited"
    lines = [
        "",
        f"The surest share {about}, and how many of it were right among those looked at:",
        "",
        _row(["share", "confidence from", "looked at", "right", "interval"]),
        _row(["---:"] * 5),
    ]
    for row in rows:
        interval = f"{100 * row['low']:.1f} to {100 * row['high']:.1f} %"
        cells = [f"{100 * row['coverage']:.0f} %", f"{row['least_score']:.6g}", f"{row['looked_at']:,}"]
        lines.append(_row([*cells, f"{100 * row['accuracy']:.1f} %", interval]))
    level = f"{100 * rows[0]['confidence']:g} %"
    return [*lines, "", f"Each interval ({level}) is its row's alone; what holds for certain is the statement above."]


def _of_the_person(manifest: Mapping[str, Any]) -> list[str]:
    """Lines that hidden repeats and blind questions give."""
    lines = [plain(str(manifest[name]["statement"]), 1000) for name in ("self_agreement", "sway") if manifest.get(name)]
    return ["", "## How far can the answers be trusted?", "", *(f"- {line}" for line in lines)] if lines else []


def _missing(manifest: Mapping[str, Any], total: int) -> list[str]:
    pool, facts = manifest.get("n_instances"), manifest.get("configuration", {}).get("facts", {})
    unseen = manifest.get("unseen_class") or {}
    lines = []
    if pool:
        lines.append(f"- {pool - total:,} of {pool:,} images are not in this set (no label that was to leave).")
    chance = unseen.get("chance", facts.get("unseen_chance"))
    if chance is not None:
        counted = f": {unseen['once']:,} of {unseen['labels']:,}" if unseen else ""
        lines.append(
            f"- A class that nobody has named yet: about {100 * float(chance):.1f} % of the answers would be of one"
            f" (classes with one given label, by given labels{counted}; Good 1953). Questions are not drawn at random:"
            " take it as a sign."
        )
    lines.append("- What the images themselves do not show, and what the person who labeled them did not know.")
    return lines


def _made(manifest: Mapping[str, Any]) -> list[str]:
    facts = manifest.get("configuration", {}).get("facts", {})
    lines = [f"- labeler {plain(str(manifest['version']))}, seed {plain(str(manifest['seed']))}"]
    engine = manifest.get("recipe", {}).get("engine") or "default"
    parts = [f"{part} {plain(str(facts[part]))}" for part in _PARTS if facts.get(part)]
    lines.append(f"- engine {plain(str(engine))}" + (f": {', '.join(parts)}" if parts else ""))
    # the parts stand in the line of the engine
    options = {name: value for name, value in manifest.get("options", {}).items() if name not in _PARTS}
    percentile = manifest.get("configuration", {}).get("percentile")
    reach = "as far as it is safe (auto)" if percentile is None else f"to the closest {percentile:g} % of each cluster"
    if facts or options:
        lines.append(f"- labels spread {reach}")
    if options:
        listed = (f"{plain(str(name))} {plain(str(value))}" for name, value in sorted(options.items()))
        lines.append(f"- options given: {', '.join(listed)}")
    person = manifest.get("session")
    if person:
        pages = f", {person['grid_pages']:,} confirmed pages" if person["grid_pages"] else ""
        lines.append(f"- {person['answers']:,} single answers{pages}, {person['keys']:,} key presses in all")
        if person["annotators"]:
            lines.append(f"- by {', '.join(plain(name) for name in person['annotators'])}")
    lines.append("- the manifest has all options and the hash of every file; every label has its provenance")
    return lines
