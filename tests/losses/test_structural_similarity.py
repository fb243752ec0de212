"""Known answers of SSIM as a loss."""

import torch

from cloudfree.losses.pixel import (
    l1,
)
from cloudfree.losses.structural_similarity import (
    pixel_and_structure,
    similarity_loss,
    similarity_map,
)
from cloudfree.metrics.image_metrics import structural_similarity
from tests.factories.images import image


class TestSimilarity:
    def test_it_is_the_figure_of_the_report(self) -> None:
        one, other = image(1, n=1).float(), image(2, n=1).float()
        figure = structural_similarity(other[0].numpy(), one[0].numpy())
        torch.testing.assert_close(
            similarity_map(one, other)[0], torch.from_numpy(figure), rtol=1e-5, atol=1e-5
        )

    def test_it_does_not_mind_which_image_is_the_target(self) -> None:
        torch.testing.assert_close(
            similarity_loss(image(1), image(2)), similarity_loss(image(2), image(1))
        )

    def test_pixel_and_structure_is_l1_and_a_tenth_of_it(self) -> None:
        found = pixel_and_structure(image(1), image(2)) - l1(image(1), image(2))
        torch.testing.assert_close(found, 0.1 * similarity_loss(image(1), image(2)))
