"""The command line: thin doors that parse, call and print. Imports what a command needs inside the command."""

from labeler.cli import clusters, find, keep, label, look, measure, take_away
from labeler.cli.group import main
from labeler.cli.program import run

__all__ = ["clusters", "find", "keep", "label", "look", "main", "measure", "run", "take_away"]
