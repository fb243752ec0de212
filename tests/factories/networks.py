"""What every network promises, as functions that a test calls with its network and inputs."""

import torch
from torch import Tensor, nn

from tests.factories.golden_weights import rebuilt


def noise(*shape: int, seed: int = 0) -> Tensor:
    """Even noise from 0 to 1."""
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def lively(network: nn.Module) -> nn.Module:
    """The network in eval mode with weights under which every part has a say."""
    state = network.state_dict()
    floats = [key for key, value in state.items() if value.is_floating_point()]
    made = {key: rebuilt(key, list(state[key].shape), {}) for key in floats}
    network.load_state_dict(state | made)
    return network.eval()


def parameters(network: nn.Module) -> int:
    """How many parameters it has; buffers do not count."""
    return sum(parameter.numel() for parameter in network.parameters())


def unreached(network: nn.Module, *inputs: Tensor) -> set[str]:
    """Names of the parameters that get no gradient from any output image."""
    result = network(*inputs)
    image = result["image"] if isinstance(result, dict) else result
    image.square().mean().backward()
    named = network.named_parameters()
    return {name for name, value in named if value.grad is None or not value.grad.any()}


def assert_independent_of_batch(network: nn.Module, *inputs: Tensor) -> None:
    """A tile filled among others equals the tile filled alone."""
    with torch.inference_mode():
        together = network(*inputs)
        for tile in range(len(inputs[0])):
            alone = network(*[value[tile : tile + 1] for value in inputs])
            for name, value in alone.items():
                torch.testing.assert_close(
                    together[name][tile : tile + 1], value, rtol=0, atol=5e-6
                )


def assert_repeatable(network: nn.Module, *inputs: Tensor) -> None:
    """The same input gives the same result, to the bit."""
    with torch.inference_mode():
        first, second = network(*inputs), network(*inputs)
    for name, value in first.items():
        assert torch.equal(value, second[name])
