"""Room: editing."""
