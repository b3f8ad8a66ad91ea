"""The console's fixtures; what they are made of stands in bureau.py."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from bureau import *  # noqa: F403
