"""Room: footage."""
