"""Lets these tests import the toy corpus that several rooms' tests share."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "toys"))
