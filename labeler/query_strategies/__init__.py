"""Query strategies: class probabilities -> a utility for every candidate."""
