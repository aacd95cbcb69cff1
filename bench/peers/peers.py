#!/usr/bin/env python3
"""peers.py: our image towers against ONNX Runtime and PyTorch: same weights, same pictures, same core, interleaved.

    python3 bench/peers/peers.py CHECKPOINT FOLDER [--rounds 15] [--pictures 5] [--cpu 1] [--write CSV]

FOLDER keeps what is made once: the exported tower and ONNX Runtime (npm, no install scripts). Needs Debian's
python3-torch, libopenblas0-pthread and python3-onnx, node and npm; says which is missing and ends with 77.

Every contender is a process of its own that has its model open, is bound to the one core, uses one thread, and sleeps
until a line with a picture's number comes; it answers with the wall and CPU seconds of the embedding, and the
embedding. A round asks each contender for the same pictures in turn; its figure is the least wall time of them, since
what neighbours on the machine take only adds. First everybody's embeddings are compared with PyTorch's.
"""
import argparse
import csv
import math
import pathlib
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ORT_VERSION = '1.30.0'
# Debian's interpreter, which Debian's modules belong to, whatever stands first in the path.
PYTHON = '/usr/bin/python3'
WARM_UP = 3
COSINE_MIN = 0.99
COLUMNS = ['bench', 'subject', 'measure', 'unit', 'median', 'p95', 'least', 'n']


def require():
    missing = [program for program in ('node', 'npm', 'taskset') if not shutil.which(program)]
    for package, module in (('python3-torch', 'torch'), ('python3-onnx', 'onnx')):
        if subprocess.run([PYTHON, '-c', f'import {module}'], capture_output=True).returncode:
            missing.append(package)
    if not any(pathlib.Path('/usr/lib').glob('*/openblas-*/libblas.so.3')):  # without it PyTorch takes 3 s a picture
        missing.append('libopenblas0-pthread')
    if missing:
        print(f'skipped: not installed: {", ".join(missing)}')
        sys.exit(77)


def make_ready(checkpoint, folder):
    """(exported tower, node_modules)"""
    exported = folder / checkpoint.name
    if not (exported / 'shape.json').exists():
        subprocess.run([PYTHON, HERE / 'export.py', checkpoint, exported], check=True, stderr=subprocess.DEVNULL)
    modules = folder / 'node_modules'
    if not (modules / 'onnxruntime-node').exists():
        subprocess.run(['npm', 'install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund',
                        f'onnxruntime-node@{ORT_VERSION}'], check=True)
    return exported, modules


class Contender:
    def __init__(self, cpu, command):
        self.process = subprocess.Popen(['taskset', '-c', str(cpu), *map(str, command)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        said = self.process.stdout.readline()
        if not said.startswith('ready '):
            sys.exit(f'{command}: {said or "ended"}')
        self.name = said.removeprefix('ready ').strip()
        self.rounds = []

    def ask(self, picture):
        """(wall seconds, embedding)"""
        print(picture, file=self.process.stdin, flush=True)
        wall, _, *embedding = map(float, self.process.stdout.readline().split())
        return wall, embedding

    def run_round(self, pictures):
        self.rounds.append(1000 * min(self.ask(picture)[0] for picture in range(pictures)))

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def cosine(a, b):
    return math.fsum(x * y for x, y in zip(a, b)) / (math.hypot(*a) * math.hypot(*b))


def start_all(arguments, exported, modules):
    encode = arguments.build / 'bench/bench_encode'
    ours = [[encode, '--worker', arguments.checkpoint, exported, *options] for options in ([], ['--fp32'])]
    ort = [['node', HERE / 'worker_ort.cjs', modules, model, exported] for model in sorted(exported.glob('*.onnx'))]
    torch = [[PYTHON, HERE / 'worker_torch.py', arguments.checkpoint, exported]]
    return [Contender(arguments.cpu, command) for command in torch + ours + ort]


def compare_embeddings(contenders):
    reference = [contenders[0].ask(picture)[1] for picture in range(WARM_UP)]
    for contender in contenders[1:]:
        worst = min(cosine(contender.ask(picture)[1], reference[picture]) for picture in range(WARM_UP))
        print(f'{contender.name}: worst cosine to {contenders[0].name} {worst:.6f}')
        if worst < COSINE_MIN:
            sys.exit('these are not the same network')


def row(subject, measure, unit, values):
    ordered = sorted(values)
    p95 = ordered[math.ceil(0.95 * len(ordered)) - 1]
    return ['peers', subject, measure, unit, f'{statistics.median(values):.4g}', f'{p95:.4g}', f'{ordered[0]:.4g}',
            len(values)]


def make_rows(subject, contenders):
    ours = next(contender for contender in contenders if contender.name == 'Pixel Detective int8')
    for contender in contenders:
        yield row(subject, contender.name, 'ms', contender.rounds)
    for contender in contenders:
        if contender is not ours:
            ratios = [theirs / mine for theirs, mine in zip(contender.rounds, ours.rounds)]
            yield row(subject, contender.name, 'times our int8', ratios)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint', type=pathlib.Path)
    parser.add_argument('folder', type=pathlib.Path)
    parser.add_argument('--rounds', type=int, default=15)
    parser.add_argument('--pictures', type=int, default=5, help='in a round, each contender')
    parser.add_argument('--cpu', type=int, default=1, help='the core that all run on')
    parser.add_argument('--build', type=pathlib.Path, default=HERE.parent.parent / 'build')
    parser.add_argument('--write', type=pathlib.Path, help='CSV to add the rows to')
    arguments = parser.parse_args()
    arguments.checkpoint, arguments.folder = arguments.checkpoint.resolve(), arguments.folder.resolve()
    require()
    contenders = start_all(arguments, *make_ready(arguments.checkpoint, arguments.folder))
    compare_embeddings(contenders)
    for _ in range(arguments.rounds):
        for contender in contenders:
            contender.run_round(arguments.pictures)
    for contender in contenders:
        contender.end()
    rows = list(make_rows(arguments.checkpoint.name, contenders))
    csv.writer(sys.stdout, lineterminator='\n').writerows([COLUMNS, *rows])
    if arguments.write:
        with open(arguments.write, 'a', newline='') as file:
            csv.writer(file, lineterminator='\n').writerows(rows)


if __name__ == '__main__':
    main()
