"""Query strategies: class probabilities -> a utility for every candidate, or a pool -> questions that go together."""
