"""Where the models are that come with the package, and those of the user."""

from __future__ import annotations

import os
from pathlib import Path

import cloudfree


def model_folders() -> list[Path]:
    """Folders of models: CLOUDFREE_MODELS, the installed package, the source tree."""
    package = Path(cloudfree.__file__).parent
    own = os.environ.get("CLOUDFREE_MODELS")
    places = [*([Path(own)] if own else []), package / "models", package.parent / "models"]
    return [place for place in places if place.is_dir()]
