#!/usr/bin/env python3
"""make_torch_sample.py FILE: writes ../data/torch/state_dict.bin with PyTorch itself (1.13; not needed by the tests).

Element i of a tensor is i + 1 in the order of its shape, whatever the order in its storage."""
import sys

import torch


def count(*shape, dtype=torch.float32):
    n = 1
    for extent in shape:
        n *= extent
    return (torch.arange(n) + 1).to(dtype).reshape(shape)


class Module(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 2)  # parameters, and `_metadata` of the table
        self.register_buffer('position_ids', count(1, 5, dtype=torch.int64))


module = Module()
with torch.no_grad():
    module.layer.weight.copy_(count(2, 3))
    module.layer.bias.copy_(count(2))
table = module.state_dict()
both = torch.cat([torch.full((4,), -1.0), count(6)])
table['turned'] = count(4, 3).t().contiguous().t()
table['part'] = both[4:].reshape(2, 3)  # of a storage that another tensor shares
table['all'] = both
table['half'] = count(5, dtype=torch.float16)
table['bfloat'] = count(5, dtype=torch.bfloat16)
table['double'] = count(2, dtype=torch.float64)
table['scalar'] = torch.tensor(1.0)
table['empty'] = torch.zeros(0, 3)
table['flags'] = torch.tensor([True, False])
table['parameter'] = torch.nn.Parameter(count(3))
torch.save(table, sys.argv[1])
