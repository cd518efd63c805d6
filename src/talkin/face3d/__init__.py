"""Room: face3d."""
