"""The parts of a state, and what each kind of event does to them."""
