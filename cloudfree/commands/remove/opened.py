"""The inputs of a removal, open and checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from cloudfree.cloudmask.dilated_mask import UNDILATED
from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.commands.input_files import InputFiles
from cloudfree.commands.remove.cloudy_scene import CloudyScene
from cloudfree.commands.remove.inputs import open_own_mask
from cloudfree.commands.remove.made_masks import MadeMasks, made_masks
from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.commands.remove.references.open_references import open_references
from cloudfree.commands.remove.references.reference import ChosenReferences
from cloudfree.commands.remove.references.refined_mask import refined_mask
from cloudfree.commands.remove.references.scene_stack import SceneStack
from cloudfree.core.bands import SAR_BANDS
from cloudfree.core.terminal import Progress, timed
from cloudfree.coregistration.measure import NOT_USED, ShiftMeasurement, measure
from cloudfree.sentinel1.sar_source import SarSource
from cloudfree.sentinel2.optical_scene import OpticalScene


@dataclass(frozen=True)
class Opened:
    """A scene with its mask, its radar and its shift, and other dates."""

    scene: CloudyScene
    sar: SarSource | None
    measurement: ShiftMeasurement
    chosen: ChosenReferences

    @property
    def stack(self) -> SceneStack:
        """All that is known of the ground."""
        shift = self.measurement.applied_shift
        return SceneStack(self.scene, self.chosen.references, self.sar, shift)


def open_inputs(
    options: RemoveOptions,
    sar: SarSource | None,
    optical: OpticalScene,
    inputs: InputFiles,
    stack: ExitStack,
    progress: Progress,
) -> Opened:
    """Open all that an optical scene is filled with; its mask is made if none is given.

    The files of references are added to `inputs`.
    """
    masks = stack.enter_context(made_masks(options.masks))
    with timed("mask"):
        mask = stack.enter_context(_mask(options, optical, masks, progress))
    measured = NOT_USED
    if sar:
        with timed("co-registration"):
            measured = measure(sar, optical, mask, options.shift, options.max_shift)
    scene, chosen = CloudyScene(optical, mask), ChosenReferences()
    if options.references:
        with timed("references"):
            chosen = open_references(
                options, scene, masks, inputs, stack, progress, sar.bands if sar else SAR_BANDS
            )
        if chosen.references and options.makes_mask:
            scene = _refined(options, scene, chosen, masks, stack, progress)
    return Opened(scene, sar, measured, chosen)


def _refined(
    options: RemoveOptions,
    scene: CloudyScene,
    chosen: ChosenReferences,
    masks: MadeMasks,
    stack: ExitStack,
    progress: Progress,
) -> CloudyScene:
    """The scene with the mask that its references have corrected."""
    settings = options.mask_settings
    undilated = replace(settings, dilate=UNDILATED)
    with timed("mask and references"), masks.open(scene.optical, undilated, progress) as mask:
        by_itself = CloudyScene(scene.optical, mask)
        found = refined_mask(by_itself, chosen.references, settings.dilate, progress)
        refined = stack.enter_context(found)
    return scene if refined is None else CloudyScene(scene.optical, refined)


@contextmanager
def _mask(
    options: RemoveOptions, optical: OpticalScene, masks: MadeMasks, progress: Progress
) -> Iterator[MaskFile | None]:
    """The user's mask, or one made here; None to fill all pixels."""
    if options.replace == "all":
        yield None
        return
    if options.mask:
        with open_own_mask(options, optical) as mask:
            yield mask
        return
    if options.references:  # which correct it before it is dilated
        undilated = replace(options.mask_settings, dilate=UNDILATED)
        masks.open(optical, undilated, progress).close()
    with masks.open(optical, options.mask_settings, progress) as mask:
        yield mask
