"""`labeler simulate`: the same session with a simulated person, measured against the truth."""

from labeler.commands.simulate.plan import Simulation
from labeler.commands.simulate.pools import hold_out, thin
from labeler.commands.simulate.report import SimulationReport, curve_rows
from labeler.commands.simulate.run import simulate

__all__ = ["Simulation", "SimulationReport", "curve_rows", "hold_out", "simulate", "thin"]
