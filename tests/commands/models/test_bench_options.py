"""Options of `models bench`."""

from cloudfree.commands.models.bench_options import BenchOptions


def test_without_options_all_networks_are_measured_on_the_best_device() -> None:
    options = BenchOptions()
    assert (options.model, options.device, options.precision) == ((), ("auto",), "auto")
