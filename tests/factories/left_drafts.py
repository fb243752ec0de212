"""Drafts of a process that is gone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LEAVING = """
import sys
from pathlib import Path
from cloudfree.core.drafts import new_draft_folder
folder = new_draft_folder(Path(sys.argv[1]))
(folder / "half").write_text("written")
print(folder)
"""


def left_by_another_process(path: Path) -> Path:
    """The draft folder that a process has left which is gone."""
    ran = subprocess.run(
        [sys.executable, "-c", LEAVING, path], capture_output=True, text=True, check=True
    )
    return Path(ran.stdout.strip())
