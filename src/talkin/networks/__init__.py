"""Room: networks."""
