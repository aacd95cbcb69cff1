#!/usr/bin/env python3
"""test_quality.py PROGRAM: the committed table of quality/, its arithmetic, and a small part of it measured again."""
import csv
import os
import pathlib
import shutil
import sys
import tempfile

ROOT = pathlib.Path(os.environ['PD_SOURCE'])
DATA = pathlib.Path(os.environ['PD_SHARED']) / 'quality'
sys.path.insert(0, str(ROOT / 'quality'))
import measure  # noqa: E402

POINTS_APART_MAX = 1.0  # int8 against fp32, issue 'First light'
PICTURES = 60
RECALL_10_MIN = 60.0  # of 60 pictures; chance is 16.7


def arithmetic_is_right():
    answers = [['a', 'b', 'c'], ['b', 'a', 'c'], ['c']]
    found = measure.recalls(['a', 'a', 'a'], answers, (1, 2))
    average = measure.average_precision({'a', 'c'}, ['a', 'b', 'c'])
    nouns = measure.noun_measures({'x': {'a', 'b'}}, {'x': ['a', 'z', 'y', 'w', 'v', 'b']})
    return (abs(found['recall@1'] - 100 / 3) < 1e-9 and abs(found['recall@2'] - 200 / 3) < 1e-9
            and abs(average - (1 + 2 / 3) / 2) < 1e-9
            and nouns == {'precision@5': 20.0, 'map': 100 * (1 + 2 / 6) / 2})


def int8_is_within_a_point_of_fp32():
    with open(ROOT / 'quality/results.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    values = {(row['data'], row['measure'], row['precision']): float(row['value']) for row in rows}
    pairs = {key[:2] for key in values}
    apart = {pair: values[*pair, 'int8'] - values[*pair, 'fp32'] for pair in pairs}
    for pair, points in apart.items():
        if abs(points) > POINTS_APART_MAX:
            print(f'{pair}: int8 is {points:+.2f} points from fp32')
    return len(pairs) == 5 and all(abs(points) <= POINTS_APART_MAX for points in apart.values())


def sixty_pictures_are_found_again(program):
    captions = measure.read_captions(DATA)
    paths = list(dict.fromkeys(path for path, _ in captions))[::len(captions) // 5 // PICTURES][:PICTURES]
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        folder = scratch / 'pictures'
        folder.mkdir()
        for path in paths:
            shutil.copy(path, folder)
        mine = {}
        for path, caption in captions:
            if path in paths:
                mine.setdefault(str(folder / pathlib.Path(path).name), caption)
        subject = measure.Program(program, scratch, 'int8')
        values, n = measure.measure_captioned(subject, folder, list(mine.items()))
    print(f'{n} captions among {PICTURES} pictures: {values}')
    return n == PICTURES and values['recall@10'] >= RECALL_10_MIN


def main():
    checks = [arithmetic_is_right, int8_is_within_a_point_of_fp32]
    if DATA.is_dir():
        program = pathlib.Path(sys.argv[1]).resolve()
        checks.append(lambda: sixty_pictures_are_found_again(program))
        checks[-1].__name__ = 'sixty_pictures_are_found_again'
    failed = 0
    for check in checks:
        right = check()
        print(('ok   ' if right else 'FAIL ') + check.__name__)
        failed |= not right
    return int(failed)


sys.exit(main())
