"""Example lines under a command's help."""


def example(*lines: str) -> str:
    """An epilog for click whose lines are shown as they are, not wrapped together."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)
