"""`labeler simulate`: the same session with a simulated person, measured against the truth."""

from labeler.simulate.plan import Simulation
from labeler.simulate.pools import hold_out, thin
from labeler.simulate.report import curve_rows, curve_text
from labeler.simulate.run import simulate

__all__ = ["Simulation", "curve_rows", "curve_text", "hold_out", "simulate", "thin"]
