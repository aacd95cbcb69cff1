#!/usr/bin/python3
"""worker_torch.py CHECKPOINT EXPORTED: PyTorch fp32 behind the protocol of peers.py."""
import sys
import time

import numpy
import torch

import towers

torch.set_num_threads(1)
tower, side = towers.open_tower(sys.argv[1])
pictures = torch.from_numpy(numpy.fromfile(f'{sys.argv[2]}/inputs.f32', numpy.float32)).reshape(-1, 1, 3, side, side)
print(f'ready PyTorch {torch.__version__} fp32', flush=True)
with torch.inference_mode():
    for line in sys.stdin:
        picture = pictures[int(line) % len(pictures)]
        wall, cpu = time.perf_counter(), time.process_time()
        embedding = tower(picture)
        print(time.perf_counter() - wall, time.process_time() - cpu, *embedding[0].tolist(), flush=True)
