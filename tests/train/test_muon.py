"""Muon in float32 is torch's Muon, without its rounding."""

import pytest
import torch

from esi_triage.train.tiny.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(8, 8), (24, 8), (8, 24)])
def test_singular_values_come_near_one(shape: tuple[int, int]) -> None:
    values = torch.linalg.svdvals(orthogonal(torch.randn(shape, generator=torch.Generator().manual_seed(0))))
    assert values.min() > 0.5
    assert values.max() < 1.3


@pytest.mark.parametrize("shape", [(8, 8), (24, 8), (8, 24)])
def test_steps_are_torch_s_up_to_bfloat16(shape: tuple[int, int]) -> None:
    start = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    ours, theirs = (torch.nn.Parameter(start.clone()) for _ in range(2))
    ours_step = Muon([ours], lr=0.02, weight_decay=0.1)
    theirs_step = torch.optim.Muon([theirs], lr=0.02, weight_decay=0.1, momentum=0.95, adjust_lr_fn="original")
    for _ in range(5):
        for parameter, optimizer in ((ours, ours_step), (theirs, theirs_step)):
            (parameter**2).sum().backward()
            optimizer.step()
            optimizer.zero_grad()
    assert not torch.equal(ours, start)
    assert torch.allclose(ours, theirs, atol=0.01)
