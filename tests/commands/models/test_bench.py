"""Networks are measured, each in a process of its own, and written as tables."""

from __future__ import annotations

import csv
import json
import logging
import sys
from pathlib import Path

import pytest

from cloudfree.commands.models import bench
from cloudfree.commands.models.bench_options import SIZES, BenchOptions
from cloudfree.core.terminal import silent
from cloudfree.errors import ErrorCode, ModelError, OutputError
from tests.factories.plugin_network import write_plugin
from tests.factories.training_runs import words
from tests.inference.test_checkpoint import SMALL


def _options(name: str, *more: str, **options: object) -> BenchOptions:
    own = {"size": (64,), "device": ("cpu",), "repeats": 1, **options}
    return BenchOptions((name, *more), network_setting=words(SMALL.get(name, {})), **own)  # type: ignore[arg-type]


def test_sizes_are_those_of_the_papers() -> None:
    assert BenchOptions().size == SIZES == (128, 256)


def test_a_row_for_each_size_and_files_of_every_format(tmp_path: Path) -> None:
    files = tuple(tmp_path / "new" / f"table{end}" for end in (".csv", ".md", ".tex", ".json"))
    result = bench.run(_options("dsen2_cr", size=(64, 32), output=files), silent)
    assert [row.size_px for row in result.rows] == [64, 32]
    assert result.rows[0].macs == 4 * (result.rows[1].macs or 0)
    with files[0].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["macs"]) for row in rows] == [row.macs for row in result.rows]
    assert [row["macs"] for row in json.loads(files[3].read_text())] == [
        row.macs for row in result.rows
    ]
    assert files[1].read_text().startswith("| model | network | runtime | tile px |")
    assert r"dsen2\_cr & dsen2\_cr & torch" in files[2].read_text()
    assert str(files[0]) in result.summary()


@pytest.mark.skipif(sys.platform != "linux", reason="what /proc says")
def test_memory_is_that_of_the_network_and_not_of_this_process() -> None:
    held = bytearray(b"1") * 400_000_000
    small, large = bench.run(_options("dsen2_cr", size=(64, 512)), silent).rows
    features_mb = 8 * 512 * 512 * 4 / 1e6
    assert small.memory_mb is not None and large.memory_mb is not None
    assert large.memory_mb > small.memory_mb + features_mb
    assert large.memory_mb < len(held) / 1e6


def test_what_cannot_be_measured_is_left_out_with_the_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "cloudfree")
    result = bench.run(_options("sar2opt", size=(96, 128)), silent)
    assert [row.size_px for row in result.rows] == [128]
    (left_out,) = result.left_out
    assert left_out.reason == "a tile of 96 pixels; wanted a multiple of 128"
    assert "sar2opt, 96 px, left out: a tile of 96 pixels" in result.summary()
    assert "sar2opt, 96 px, cpu" in caplog.text


def test_where_nothing_can_be_measured_the_first_reason_is_the_error() -> None:
    with pytest.raises(ModelError, match="a tile of 96 pixels; wanted a multiple of 128; choose"):
        bench.run(_options("sar2opt", size=(96,)), silent)


def test_wrong_names_settings_and_files_are_refused_before_a_run(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no network 'unet'; wanted one of cloudfree_s"):
        bench.run(_options("dsen2_cr", "unet"), silent)
    with pytest.raises(ModelError, match="no setting 'features' of network spa_gan"):
        bench.run(_options("dsen2_cr", "spa_gan"), silent)
    with pytest.raises(OutputError, match=r"table\.txt for a table; wanted a name that ends"):
        bench.run(_options("dsen2_cr", output=(tmp_path / "table.txt",)), silent)
    (tmp_path / "table.csv").touch()
    with pytest.raises(OutputError) as refused:
        bench.run(_options("dsen2_cr", output=(tmp_path / "table.csv",)), silent)
    assert refused.value.code is ErrorCode.OUTPUT_EXISTS


def test_models_and_plugins_are_measured_too(tmp_path: Path) -> None:
    options = _options("brighten", "cloudfree-s", plugin=(write_plugin(tmp_path),))
    own, default = bench.run(options, silent).rows
    assert (own.network, own.parameters) == ("brighten", 13)
    assert (default.model, default.network) == ("cloudfree-s", "cloudfree_s")
    assert default.parameters == 2_856_817
