"""What a variational bottleneck lets through, as a loss."""

from torch import Tensor


def bottleneck_divergence(mu: Tensor, log_sigma: Tensor) -> Tensor:
    """Mean Kullback-Leibler divergence of normal distributions from the standard one; in nats.

    ``log_sigma`` is the logarithm of the standard deviation; both shapes broadcast. At least 0.

    Source: Alemi et al., Deep variational information bottleneck, ICLR 2017.
    """
    log_variance = 2 * log_sigma
    return 0.5 * (mu.square() + log_variance.exp() - 1 - log_variance).mean()
