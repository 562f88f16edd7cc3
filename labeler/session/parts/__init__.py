"""The parts of a session: each checks what a person does, then records it."""
