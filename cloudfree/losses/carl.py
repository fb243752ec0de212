"""CARL, the cloud-adaptive regularised loss of DSen2-CR.

Source: Meraner et al., Cloud removal in Sentinel-2 imagery using a deep residual neural network and
SAR-optical data fusion, ISPRS Journal 166, 2020.
"""

from torch import Tensor

from cloudfree.losses.masked import over_bands
from cloudfree.losses.pixel import l1


def carl(image: Tensor, target: Tensor, cloudy: Tensor, mask: Tensor) -> Tensor:
    """Keep the input ``cloudy`` where ``mask`` is 0, reach ``target`` where it is 1 and overall.

    ``mask`` marks clouds and their shadows. Published on reflectance times 5.
    """
    hidden = over_bands(mask, image)
    kept = (1.0 - hidden) * (image - cloudy).abs()
    restored = hidden * (image - target).abs()
    return (kept + restored).mean() + l1(image, target)
