#!/usr/bin/env python3
"""captions.py: how good captions are, and what a mark of doubt is worth.

    ninja -C build pixel-detective pixel-detective-decoder
    python3 quality/captions.py [--build build] [--data ../shared/quality] [--write]

Has the program caption the labelled pictures (`caption --jsonl`), and prints a table; --write puts it into
quality/captions.csv. A caption is wrong when it says nothing that people said: CIDEr-D below 0.1 against the five
captions of its picture, or, of the pictures that only have a name, when it says none of the name's words. What is
fitted is fitted on every second picture and judged on the others, both ways round.

  whole      CIDEr-D and how many are wrong
  order      area under the curve: how well a number tells wrong captions from the others (0.5: not at all)
  doubt      of a threshold: per cent marked; per cent wrong among the marked, and among the others
  score      per cent right among captions whose score lies in a fifth of the scale, and the mean score there
  thumbnail  the same captions from 320 px thumbnails instead of the originals
"""
import argparse
import collections
import csv
import json
import math
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from measure import read_captions, read_nouns  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
COLUMNS = ['study', 'data', 'setting', 'measure', 'value', 'n']
WRONG_BELOW = 0.1  # CIDEr-D, as in the model card of models/tiny-caption
GRAMS = 4
LENGTH_SIGMA = 6.0


def words_of(text):
    return re.findall(r"[a-z0-9']+", text.lower())


def grams_of(words):
    return collections.Counter(tuple(words[i:i + n]) for n in range(1, GRAMS + 1) for i in range(len(words) - n + 1))


class Cider:
    """CIDEr-D with document frequencies of the pictures themselves."""

    def __init__(self, references):
        """references: {picture: [caption]}"""
        self.grams = {picture: [grams_of(words_of(text)) for text in texts] for picture, texts in references.items()}
        self.frequency = collections.Counter(gram for grams in self.grams.values() for gram in set().union(*grams))
        self.log_n = math.log(len(references))

    def vector(self, grams):
        vectors = [{} for _ in range(GRAMS)]
        for gram, count in grams.items():
            weight = count * (self.log_n - math.log(max(1, self.frequency[gram])))
            vectors[len(gram) - 1][gram] = weight
        return vectors, [math.sqrt(sum(v * v for v in vector.values())) for vector in vectors]

    def score(self, picture, text):
        grams = grams_of(words_of(text))
        mine, my_norms = self.vector(grams)
        length = sum(count for gram, count in grams.items() if len(gram) == 1)
        total = 0
        for reference in self.grams[picture]:
            theirs, their_norms = self.vector(reference)
            apart = length - sum(count for gram, count in reference.items() if len(gram) == 1)
            penalty = math.exp(-apart * apart / (2 * LENGTH_SIGMA ** 2))
            for a, b, norm_a, norm_b in zip(mine, theirs, my_norms, their_norms):
                if norm_a > 0 and norm_b > 0:
                    total += penalty * sum(min(v, b.get(g, 0)) * b.get(g, 0) for g, v in a.items()) / (norm_a * norm_b)
        return 10 * total / GRAMS / len(self.grams[picture])


def area(values, wrong):
    """That a wrong one has a lower value than a right one."""
    low = [v for v, w in zip(values, wrong) if w]
    high = [v for v, w in zip(values, wrong) if not w]
    pairs = sum((a < b) + 0.5 * (a == b) for a in low for b in high)
    return pairs / (len(low) * len(high)) if low and high else math.nan


def share(flags):
    flags = list(flags)
    return 100 * sum(flags) / len(flags) if flags else math.nan


def says_name(name, text):
    said = set(words_of(text))
    return any({word, word + 's', word + 'es'} & said for word in words_of(name))


def fit_logistic(rows, keys, steps=4000, rate=0.5):
    """[weight of 1, weight of each key] for being right; by descent on standardised numbers."""
    columns = [[row[key] for row in rows] for key in keys]
    means, deviations = [statistics.fmean(c) for c in columns], [statistics.pstdev(c) for c in columns]
    data = [((1, *((v - m) / d for v, m, d in zip(values, means, deviations))), not row['wrong'])
            for values, row in zip(zip(*columns), rows)]
    weights = [0.0] * (1 + len(keys))
    for _ in range(steps):
        slope = [0.0] * len(weights)
        for values, right in data:
            error = right - 1 / (1 + math.exp(-sum(w * v for w, v in zip(weights, values))))
            slope = [s + error * v for s, v in zip(slope, values)]
        weights = [w + rate * s / len(data) for w, s in zip(weights, slope)]
    per = [w / d for w, d in zip(weights[1:], deviations)]
    return [weights[0] - sum(p * m for p, m in zip(per, means)), *per]


def logistic(weights, keys, row):
    return 1 / (1 + math.exp(-weights[0] - sum(w * row[key] for w, key in zip(weights[1:], keys))))


class Study:
    def __init__(self, build, data):
        self.build, self.data, self.rows = build, data, []

    def note(self, study, data, setting, measures, n):
        for measure, value in measures.items():
            self.rows.append([study, data, setting, measure, f'{value:.3f}', n])
        print(f'{study:<10} {data:<20} {setting:<28} ' + '  '.join(f'{m} {v:.3f}' for m, v in measures.items()) +
              f'  ({n})', flush=True)

    def run(self, scratch, *arguments):
        environment = dict(os.environ, XDG_CACHE_HOME=str(scratch / 'cache'))
        done = subprocess.run([self.build / 'pixel-detective', *arguments, '--library', scratch / 'library'], text=True,
                              capture_output=True, env=environment)
        if done.returncode:
            sys.exit(f'{arguments[0]} ended with {done.returncode}: {done.stderr}')
        return done.stdout

    def caption(self, scratch, paths):
        found = {}
        paths = list(map(str, paths))
        for i in range(0, len(paths), 100):
            for line in self.run(scratch, 'caption', '--jsonl', *paths[i:i + 100]).splitlines():
                record = json.loads(line)
                found[record['path']] = record
        return [found[path] for path in paths]

    def halves(self, rows):
        return (rows[0::2], rows[1::2]), (rows[1::2], rows[0::2])

    def whole(self, name, rows):
        measures = {'wrong': share(row['wrong'] for row in rows)}
        if 'cider' in rows[0]:
            measures['cider-d'] = statistics.fmean(row['cider'] for row in rows)
        self.note('whole', name, 'program', measures, len(rows))

    def order(self, name, rows):
        wrong = [row['wrong'] for row in rows]
        for setting, value in (('cosine', lambda r: r['cosine']), ('likelihood', lambda r: r['likelihood']),
                               ('likelihood + 2 cosine', lambda r: r['likelihood'] + 2 * r['cosine']),
                               ('score', lambda r: r['score'])):
            self.note('order', name, setting, {'area': area([value(row) for row in rows], wrong)}, len(rows))

    def marks(self, name, setting, rows, is_marked):
        marked = [row for row in rows if is_marked(row)]
        others = [row for row in rows if not is_marked(row)]
        self.note('doubt', name, setting, {'marked': share(map(is_marked, rows)),
                                           'wrong, marked': share(row['wrong'] for row in marked),
                                           'wrong, others': share(row['wrong'] for row in others)}, len(rows))

    @staticmethod
    def worth(rows, threshold):
        """Wrong ones that are marked, less right ones that are."""
        return (share(row['cosine'] < threshold for row in rows if row['wrong']) -
                share(row['cosine'] < threshold for row in rows if not row['wrong']))

    def doubt(self, name, rows):
        for threshold in (0.25, 0.27, 0.29, 0.31, 0.33, 0.35, 0.37, 0.39, 0.41):
            self.marks(name, f'cosine below {threshold}', rows, lambda row: row['cosine'] < threshold)
        grid = [0.20 + 0.005 * i for i in range(60)]
        for half, (mine, others) in zip('ab', self.halves(rows)):
            best = max(grid, key=lambda threshold: self.worth(mine, threshold))
            self.marks(name, f'cosine below {best:.3f}, fitted on {half}', others, lambda row: row['cosine'] < best)
        self.marks(name, 'program', rows, lambda row: row['doubtful'])

    def fifths(self, name, setting, rows, score):
        for i in range(5):
            some = [row for row in rows if i / 5 <= score(row) < (i + 1) / 5 + (i == 4)]
            if some:
                self.note('score', name, f'{setting}, {i / 5:.1f} to {(i + 1) / 5:.1f}',
                          {'right': share(not row['wrong'] for row in some),
                           'mean': 100 * statistics.fmean(map(score, some))}, len(some))

    def score(self, parts):
        every = [row for rows in parts.values() for row in rows]
        for keys in (['cosine'], ['cosine', 'likelihood']):
            name = ' and '.join(keys)
            for half, (mine, others) in zip('ab', self.halves(every)):
                weights = fit_logistic(mine, keys)
                brier = statistics.fmean((logistic(weights, keys, row) - (not row['wrong'])) ** 2 for row in others)
                self.note('score', 'all', f'{name}, fitted on {half}', {'brier': brier}, len(others))
                self.fifths('all', f'{name}, fitted on {half}', others, lambda row: logistic(weights, keys, row))
            weights = fit_logistic(every, keys)
            self.note('score', 'all', f'{name}, fitted on all',
                      {'at 0': weights[0], **{f'per {key}': w for key, w in zip(keys, weights[1:])}}, len(every))
        brier = statistics.fmean((row['score'] - (not row['wrong'])) ** 2 for row in every)
        self.note('score', 'all', 'program', {'brier': brier}, len(every))
        for name, rows in {**parts, 'all': every}.items():
            self.fifths(name, 'program', rows, lambda row: row['score'])

    def captioned(self, scratch):
        references = collections.defaultdict(list)
        for path, caption in read_captions(self.data):
            references[path].append(caption)
        paths = sorted(references)
        cider = Cider(references)
        rows = self.caption(scratch, paths)
        for path, row in zip(paths, rows):
            row['cider'] = cider.score(path, row['caption'])
            row['wrong'] = row['cider'] < WRONG_BELOW
        return references, cider, rows

    def nouns(self, scratch):
        names = {path: name for name, paths in read_nouns(self.data).items() for path in paths}
        rows = self.caption(scratch, sorted(names))
        for path, row in zip(sorted(names), rows):
            row['wrong'] = not says_name(names[path], row['caption'])
        return rows

    def thumbnails(self, scratch, paths, cider):
        folder = scratch / 'pictures'
        folder.mkdir()
        for i, path in enumerate(paths):
            (folder / f'{i:04}.jpg').write_bytes(pathlib.Path(path).read_bytes())
        self.run(scratch, 'index', '--json', '--no-tags', str(folder))
        shown = [json.loads(self.run(scratch, 'show', '--json', str(folder / f'{i:04}.jpg'))) for i in range(len(paths))]
        thumbs = {path.stem: path for path in (scratch / 'cache').rglob('*.webp')}
        rows = self.caption(scratch, [thumbs[photo['sha256']] for photo in shown])
        scores = [cider.score(path, row['caption']) for path, row in zip(paths, rows)]
        self.note('thumbnail', 'captioned', 'program', {'cider-d': statistics.fmean(scores),
                                                        'wrong': share(score < WRONG_BELOW for score in scores)}, len(rows))

    def all(self):
        with tempfile.TemporaryDirectory() as scratch:
            scratch = pathlib.Path(scratch)
            references, cider, captioned = self.captioned(scratch)
            flickr = [row for row in captioned if '/flickr/' in row['path']]
            coco = [row for row in captioned if '/coco/' in row['path']]
            parts = {'captioned': captioned, 'nouns': self.nouns(scratch)}
            for name, rows in (('captioned', captioned), ('flickr', flickr), ('coco', coco), ('nouns', parts['nouns'])):
                self.whole(name, rows)
                self.order(name, rows)
            for name, rows in parts.items():
                self.doubt(name, rows)
            self.score(parts)
            self.thumbnails(scratch, sorted(references), cider)
        return captioned, parts['nouns']


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--build', type=pathlib.Path, default=HERE.parent / 'build')
    parser.add_argument('--data', type=pathlib.Path, default=HERE.parent.parent / 'shared/quality')
    parser.add_argument('--write', action='store_true', help='write quality/captions.csv')
    parser.add_argument('--keep', type=pathlib.Path, help='write what was captioned into this file, as JSON')
    arguments = parser.parse_args()
    study = Study(arguments.build.resolve(), arguments.data.resolve())
    captioned, nouns = study.all()
    if arguments.keep:
        arguments.keep.write_text(json.dumps({'captioned': captioned, 'nouns': nouns}, indent=1))
    if arguments.write:
        with open(HERE / 'captions.csv', 'w', newline='') as file:
            writer = csv.writer(file, lineterminator='\n')
            writer.writerow(COLUMNS)
            writer.writerows(study.rows)


if __name__ == '__main__':
    main()
