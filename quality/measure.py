#!/usr/bin/env python3
"""measure.py: how well the program finds pictures, measured through the program itself.

    python3 quality/measure.py [--program build/pixel-detective] [--data ../shared/quality] [--write]

Indexes captioned/ and nouns/ of the data set into scratch libraries, under names that say nothing (words in names and
folders count too), asks every caption and every noun as a query through `pixel-detective search --json`, for fp32 and
int8, and prints a table; --write puts it into quality/results.csv.

  captioned  text->image: each caption is a query among the captioned pictures; Recall@K: its picture is in the first K.
  nouns      each folder's name is a query among all pictures of nouns/; precision@5 and mean average precision.
"""
import argparse
import collections
import concurrent.futures
import csv
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
COLUMNS = ['model', 'data', 'measure', 'precision', 'cpu', 'value', 'n']
PRECISIONS = ['fp32', 'int8']


def as_meaning(text):
    """The same words without what the grammar would take for something else."""
    return re.sub(r'[":()*]|(?<!\w)-', ' ', text)


class Program:
    """The built program with one scratch library."""

    def __init__(self, program, scratch, precision, cpu='auto', model=None):
        self.command = [str(program)]
        self.pictures, self.path_of = scratch / 'numbered', {}
        self.options = ['--library', str(scratch / 'library'), '--precision', precision, '--cpu', cpu]
        if model:
            self.options += ['--model', model]
        self.environment = dict(os.environ, XDG_CACHE_HOME=str(scratch / 'cache'), XDG_DATA_HOME=str(scratch / 'data'))

    def ask(self, command, *arguments, may_return=(0,)):
        done = subprocess.run([*self.command, command, *self.options, *arguments], capture_output=True, text=True,
                              env=self.environment)
        if done.returncode not in may_return:
            sys.exit(f'{" ".join([*self.command, command, *self.options, *arguments])}\n'
                     f'ended with {done.returncode}: {done.stderr.strip()}')
        return json.loads(done.stdout)

    def index(self, folder):
        self.pictures.mkdir()
        for i, path in enumerate(sorted(path for path in folder.rglob('*') if path.is_file())):
            copy = self.pictures / f'{i:05}{path.suffix}'
            shutil.copyfile(path, copy)
            self.path_of[str(copy.resolve())] = str(path.resolve())
        answer = self.ask('index', '--json', '--no-tags', str(self.pictures), may_return=(0, 4))
        if answer['errors']:
            sys.exit(f'{len(answer["errors"])} pictures of {folder} were not learned; first: {answer["errors"][0]}')
        return answer['files']

    def search(self, query, n):
        """Paths, best first."""
        answer = self.ask('search', '--json', '-n', str(n), '--', as_meaning(query), may_return=(0, 1))
        return [self.path_of[hit['path']] for hit in answer['hits']]

    def search_all(self, queries, n):
        """One process a query, two at a time. Equal queries are asked once."""
        distinct = list(dict.fromkeys(queries))
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            answers = dict(zip(distinct, pool.map(lambda query: self.search(query, n), distinct)))
        return [answers[query] for query in queries]


def rank_of(path, answer):
    """1 for the first; more than the answer holds when it is not there."""
    return answer.index(path) + 1 if path in answer else len(answer) + 1


def recalls(targets, answers, cutoffs=(1, 5, 10)):
    """{'recall@K': per cent of queries whose target is among the first K}"""
    ranks = [rank_of(target, answer) for target, answer in zip(targets, answers)]
    return {f'recall@{k}': 100 * sum(rank <= min(k, len(answer)) for rank, answer in zip(ranks, answers)) / len(ranks)
            for k in cutoffs}


def average_precision(relevant, answer):
    hits, total = 0, 0.0
    for rank, path in enumerate(answer, 1):
        if path in relevant:
            hits += 1
            total += hits / rank
    return total / len(relevant)


def noun_measures(pictures, answers):
    """pictures: {noun: set of paths}; answers: {noun: all paths, best first}"""
    precision = [sum(path in pictures[noun] for path in answers[noun][:5]) / 5 for noun in pictures]
    average = [average_precision(pictures[noun], answers[noun]) for noun in pictures]
    return {'precision@5': 100 * sum(precision) / len(pictures), 'map': 100 * sum(average) / len(pictures)}


def read_captions(data):
    """[(absolute path, caption)]"""
    rows = [line.split('\t', 1) for line in (data / 'captions.tsv').read_text().splitlines() if line]
    return [(str((data / path).resolve()), caption) for path, caption in rows]


def read_nouns(data):
    nouns = collections.defaultdict(set)
    for path in (data / 'nouns').glob('*/*'):
        nouns[path.parent.name.replace('_', ' ')].add(str(path.resolve()))
    return dict(sorted(nouns.items()))


def measure_captioned(program, folder, captions):
    """({measure: value}, number of queries)"""
    program.index(folder)
    answers = program.search_all([caption for _, caption in captions], 10)
    return recalls([path for path, _ in captions], answers), len(captions)


def measure_nouns(program, folder, nouns):
    n_files = program.index(folder)
    answers = dict(zip(nouns, program.search_all(list(nouns), n_files)))
    return noun_measures(nouns, answers), len(nouns)


def measure_all(arguments):
    """Rows of results.csv."""
    rows = []
    parts = [('captioned', measure_captioned, read_captions(arguments.data)),
             ('nouns', measure_nouns, read_nouns(arguments.data))]
    for precision in PRECISIONS:
        for name, measure, truth in parts:
            with tempfile.TemporaryDirectory() as scratch:
                program = Program(arguments.program, pathlib.Path(scratch), precision, arguments.cpu, arguments.model)
                values, n = measure(program, arguments.data / name, truth)
                model = program.ask('status', '--json')['model']['name']
            for what, value in values.items():
                rows.append([model, name, what, precision, arguments.cpu, f'{value:.2f}', n])
            print(f'{name}, {precision}: ' + ', '.join(f'{w} {v:.2f}' for w, v in values.items()), file=sys.stderr)
    return rows


def print_table(rows):
    """One line a measure, fp32 beside int8."""
    table = collections.defaultdict(dict)
    for model, data, what, precision, cpu, value, n in rows:
        table[model, data, what, n][precision] = float(value)
    print(f'{"data":<10} {"measure":<12} {"queries":>7} {"fp32":>7} {"int8":>7} {"int8 - fp32":>12}')
    for (model, data, what, n), values in table.items():
        print(f'{data:<10} {what:<12} {n:>7} {values["fp32"]:>7.2f} {values["int8"]:>7.2f} '
              f'{values["int8"] - values["fp32"]:>+12.2f}')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--program', type=pathlib.Path, default=HERE.parent / 'build/pixel-detective')
    parser.add_argument('--data', type=pathlib.Path, default=HERE.parent.parent / 'shared/quality')
    parser.add_argument('--cpu', default='auto')
    parser.add_argument('--model')
    parser.add_argument('--write', action='store_true', help='write quality/results.csv')
    arguments = parser.parse_args()
    arguments.program, arguments.data = arguments.program.resolve(), arguments.data.resolve()
    rows = measure_all(arguments)
    print_table(rows)
    if arguments.write:
        with open(HERE / 'results.csv', 'w', newline='') as file:
            writer = csv.writer(file, lineterminator='\n')
            writer.writerow(COLUMNS)
            writer.writerows(rows)


if __name__ == '__main__':
    main()
