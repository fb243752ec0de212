"""Write golden.npz of the default model: its inputs for a simulated patch, and its output.

    python -m tests.factories.default_golden

`cloudfree models check cloudfree-s` compares with it. It is written again where the weights change,
and only there, because the check is of the output of an installation.
"""

import numpy as np

from cloudfree.commands.models.check import GOLDEN, OUT, PUBLISHED_NAMES
from cloudfree.core.mask_classes import in_shadow
from cloudfree.inference.load import load_model
from cloudfree.inference.model import TileInputs
from cloudfree.simulation.scene import SAR_MARGIN_PX, simulate_scene
from tests.conftest import ROOT

FOLDER = ROOT / "models" / "cloudfree-s"
SEED, SCENE_PX, PATCH_PX = 7, 64, 32
CLOUD_COVER = 0.4


def simulated_patch() -> TileInputs:
    """A patch from the middle of a simulated scene: clear, cloud and shadow."""
    scene = simulate_scene((SCENE_PX, SCENE_PX), SEED, CLOUD_COVER, (0.0, 0.0))
    first = (SCENE_PX - PATCH_PX) // 2
    optical, sar = (slice(start, start + PATCH_PX) for start in (first, first + SAR_MARGIN_PX))
    inside = (optical, optical)
    return TileInputs(
        scene.cloudy[:, *inside], scene.sar[:, sar, sar], in_shadow(scene.mask[inside])
    )


def main() -> None:
    """Run the model on the patch and write both beside the card."""
    model = load_model(str(FOLDER), "cpu", "fp32")
    # Half precision takes half the room and is exact for the check: the model receives it too.
    inputs = {name: _rounded(array) for name, array in model.scaled([simulated_patch()]).items()}
    arrays = {PUBLISHED_NAMES[name]: array for name, array in inputs.items()}
    np.savez_compressed(FOLDER / GOLDEN, **arrays, **{OUT: model.runtime.run(inputs)["image"]})


def _rounded(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float16).astype(np.float32)


if __name__ == "__main__":
    main()
