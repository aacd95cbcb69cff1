#!/usr/bin/env python3
"""caption_peers.py CHECKPOINT: our captioner against PyTorch: same weights (random_blip.py), same picture, same core.

    python3 bench/peers/caption_peers.py /tmp/blip [--rounds 7] [--cpu 1] [--write CSV]

Needs Debian's python3-torch and libopenblas0-pthread; says so and ends with 77. As in peers.py every contender is a
process of its own on the one core with one thread, and rounds are interleaved; a contender is asked for the picture and
20 tokens by greedy search and by 5 beams, and answers with the wall seconds of both and the ids."""
import argparse
import csv
import pathlib
import subprocess
import sys

import peers

COLUMNS = peers.COLUMNS


class Writer(peers.Contender):
    def write(self, beams):
        """(seconds of the picture, of the text, ids)"""
        print(beams, file=self.process.stdin, flush=True)
        look, text, *ids = self.process.stdout.readline().split()
        return float(look), float(text), ids


def require():
    if subprocess.run([peers.PYTHON, '-c', 'import torch'], capture_output=True).returncode or \
            not any(pathlib.Path('/usr/lib').glob('*/openblas-*/libblas.so.3')):
        print('skipped: not installed: python3-torch, libopenblas0-pthread')
        sys.exit(77)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint', type=pathlib.Path)
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--cpu', type=int, default=1, help='the core that all run on')
    parser.add_argument('--build', type=pathlib.Path, default=peers.HERE.parent.parent / 'build')
    parser.add_argument('--write', type=pathlib.Path, help='CSV to add the rows to')
    arguments = parser.parse_args()
    require()
    bench = arguments.build / 'bench/bench_caption'
    commands = [[peers.PYTHON, peers.HERE / 'blip_torch.py', arguments.checkpoint],
                [bench, '--worker', arguments.checkpoint, '--fp32'], [bench, '--worker', arguments.checkpoint]]
    contenders = [Writer(arguments.cpu, command) for command in commands]
    for beams in (1, 5):
        texts = [contender.write(beams)[2] for contender in contenders]
        for contender, ids in zip(contenders[1:], texts[1:]):
            same = sum(a == b for a, b in zip(ids, texts[0]))
            print(f'{contender.name}, {beams} beams: {same} of {len(ids)} ids as {contenders[0].name}')
    values = {}
    for _ in range(arguments.rounds):
        for beams in (1, 5):
            for contender in contenders:
                look, text, _ = contender.write(beams)
                name = 'greedy' if beams == 1 else f'{beams} beams'
                for what, seconds in (('picture', look), (name, text), (f'picture and {name}', look + text)):
                    values.setdefault((contender.name, what), []).append(seconds)
    for contender in contenders:
        contender.end()
    ours = contenders[-1].name
    rows = [peers.row(arguments.checkpoint.name, f'{name} {what}', 's', list_) for (name, what), list_ in values.items()]
    for (name, what), list_ in values.items():
        if name != ours:
            ratios = [theirs / mine for theirs, mine in zip(list_, values[ours, what])]
            rows.append(peers.row(arguments.checkpoint.name, f'{name} {what}', 'times our int8', ratios))
    csv.writer(sys.stdout, lineterminator='\n').writerows([COLUMNS, *rows])
    if arguments.write:
        with open(arguments.write, 'a', newline='') as file:
            csv.writer(file, lineterminator='\n').writerows(rows)


if __name__ == '__main__':
    main()
