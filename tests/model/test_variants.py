#!/usr/bin/env python3
"""test_variants.py MODEL_PARITY VARIANT_PY PARITY_DIR: the parity checkpoints once more, as other people's files have
them. What is computed must be the reference's all the same."""
import pathlib
import subprocess
import sys
import tempfile

# checkpoint -> its variants; its own golden counts for all of them
VARIANTS = {
    'clip_gelu': [('bin', 'turned'), ('bin-shards', 'words'), ('words-pairs',)],
    'clip_quickgelu': [('bin', 'turned', 'words'), ('bin-shards',)],
    'clip_quickgelu_bf16': [('bin', 'words-pairs')],
    'clip_outlier': [('bin-shards', 'turned')],
    'mobilenet_clip': [('bin', 'words')],
}
SKIPPED = 77


def main(parity, variant, shared):
    n_bad = 0
    for name, variants in VARIANTS.items():
        source = shared / name
        if not source.is_dir():
            print(f'skipped: {source} is not there')
            return SKIPPED
        inputs = shared / name.replace('_bf16', '') / 'golden.safetensors'
        for parts in variants:
            with tempfile.TemporaryDirectory(prefix='pd-variant-') as folder:
                subprocess.run([sys.executable, variant, source, folder, *parts], check=True)
                done = subprocess.run([parity, '--precision', 'fp32', '--golden', source / 'golden.safetensors',
                                       '--inputs', inputs, folder], capture_output=True, text=True)
            print(f'{name} {" ".join(parts)}: {"ok" if done.returncode == 0 else "FAILED"}, '
                  f'{done.stdout.count("rel")} tensors compared')
            if done.returncode != 0:
                print(done.stdout, done.stderr)
                n_bad += 1
    return 1 if n_bad else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])))
