"""Windows are cut and put together again; the masks part what only a shift brought together."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.networks.window_attention import (
    MASKED,
    SHIFT,
    WINDOW,
    WindowAttention,
    merge_windows,
    split_windows,
    window_tables,
)
from tests.networks.reference_glf_cr import bias_rows, partition, shift_mask


@given(st.integers(1, 3), st.integers(1, 3), st.sampled_from([0, SHIFT]))
def test_merging_undoes_splitting(rows: int, columns: int, shift: int) -> None:
    features = torch.rand(2, 5, rows * WINDOW, columns * WINDOW)
    windows = split_windows(features, shift)
    assert windows.shape == (2, rows, columns, WINDOW**2, 5)
    assert torch.equal(merge_windows(windows, shift), features)


def test_windows_are_those_of_the_plain_reference() -> None:
    features = torch.rand(2, 3, 16, 24)
    expected = partition(features.permute(0, 2, 3, 1).roll((-SHIFT, -SHIFT), (1, 2)))
    assert torch.equal(split_windows(features, SHIFT).flatten(0, 2), expected)


def test_tables_and_masks_are_those_of_the_plain_reference() -> None:
    rows, (above, beside) = window_tables()
    assert torch.equal(rows, bias_rows())
    masks = shift_mask(16, 16).view(2, 2, 64, 64)
    assert set(above.unique().tolist()) == {MASKED, 0.0}
    assert torch.equal(above == 0, masks[1, 0] == 0)
    assert torch.equal(beside == 0, masks[0, 1] == 0)
    assert torch.equal(above + beside == 0, masks[1, 1] == 0)


@pytest.mark.parametrize("mask_sar", [True, False])
def test_tokens_beyond_the_seam_are_not_seen_by_a_masked_stream(mask_sar: bool) -> None:
    torch.manual_seed(0)
    attention = WindowAttention(8, 2, ("", "_SAR"), fused=True, mask_sar=mask_sar).eval()
    windows = torch.rand(2, 1, 1, 1, WINDOW**2, 8)
    other = windows.clone()
    other[:, 0, 0, 0, WINDOW**2 // 2 :] += 1.0  # the lower half, across the seam of the last row
    with torch.inference_mode():
        before, after = (attention(list(own), shifted=True) for own in (windows, other))
    upper = WINDOW // 2 * WINDOW
    same = [
        torch.allclose(one[..., :upper, :].view(-1, WINDOW, 8)[:, : WINDOW // 2],
                       two[..., :upper, :].view(-1, WINDOW, 8)[:, : WINDOW // 2], atol=1e-6)
        for one, two in zip(before, after, strict=True)
    ]  # fmt: skip
    assert same == [True, mask_sar]
