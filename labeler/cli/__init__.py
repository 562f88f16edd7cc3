"""The command line: thin doors that parse, call and print. Imports what a command needs inside the command."""

from labeler.cli import export, inspect, label, maintain, simulate
from labeler.cli.main import main, run

__all__ = ["export", "inspect", "label", "main", "maintain", "run", "simulate"]
