"""Room: avatar."""
