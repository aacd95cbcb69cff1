#!/usr/bin/env python3
"""ablation.py: what each part of ranking is worth, beside plain cosine.

    ninja -C build pixel-detective pixel-detective-decoder bench/ask
    python3 quality/ablation.py [--build build] [--data ../shared/quality] [--write]

Learns the labelled pictures under names that say nothing, asks every caption and every noun through bench/ask, and prints
a table; --write puts it into quality/ablation.csv. Constants that are fitted here are fitted on one half of the questions
and judged on the other, both ways round.

  plain       order by cosine alone          templates   the same with words around short questions
  fusion      every second picture has one of its captions as its description, and the questions are two others; or
              every picture has the caption of another one, so that words only mislead
  machine     what machines write joins the search: nothing, tags, captions, both
  line        F1 of what is above the line, against the best fixed cosine
"""
import argparse
import csv
import os
import pathlib
import random
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from xml.sax.saxutils import escape

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from measure import as_meaning, average_precision, read_captions, read_nouns  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
COLUMNS = ['study', 'data', 'setting', 'measure', 'value', 'n']
EVERYDAY = """a person|a group of people|an animal|food on a plate|a building|a vehicle|a landscape|a room|water|a plant
a page of text|a street|a painting|a close-up of an object|the sky|a machine|a toy|a sport|clothes|a tool|a screenshot
a night scene|a road|furniture""".replace('\n', '|').split('|')  # as in src/annotate/everyday.c
XMP = ('<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
       '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt>'
       '<rdf:li xml:lang="x-default">%s</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>')
STOP = set('a an and at by for from in is it of on or that the to with'.split())  # as in src/store/words.c
NORMAL = statistics.NormalDist()


class Asker:
    """A library of pictures under numbers, and one process that answers."""

    def __init__(self, build, scratch, pictures, descriptions=None, written=('--no-tags',)):
        folder = scratch / 'pictures'
        folder.mkdir()
        for i, path in enumerate(pictures):
            shutil.copyfile(path, folder / f'{i:04}.jpg')
            if descriptions and i in descriptions:
                (folder / f'{i:04}.xmp').write_text(XMP % escape(descriptions[i]))
        self.environment = dict(os.environ, XDG_CACHE_HOME=str(scratch / 'cache'))
        model = str(HERE.parent / 'models/tiny')
        subprocess.run([build / 'pixel-detective', 'index', '--json', '--library', scratch / 'library', '--model', model,
                        *written, folder], check=True, stdout=subprocess.DEVNULL, env=self.environment)
        self.command = [build / 'bench/ask', scratch / 'library', model]
        listed = self.run(['\t'])[0].split('\t')[1:]
        self.number_of = {int(item.split(':', 1)[0]): int(pathlib.Path(item.split(':', 1)[1]).stem) for item in listed}

    def run(self, lines):
        done = subprocess.run(self.command, input='\n'.join(lines) + '\n', text=True, capture_output=True, check=True,
                              env=self.environment)
        return done.stdout.splitlines()

    def ask(self, questions):
        """[(strong, [(number, score)] in the program's order)]; questions are taken as meaning alone."""
        answers = []
        for line in self.run(map(as_meaning, questions)):
            strong, *items = line.split(' ')
            parts = [item.split(':') for item in items]
            answers.append((int(strong), [(self.number_of[int(i)], float(score)) for i, score, _ in parts]))
        return answers


def by_score(answer):
    return [number for number, _ in sorted(answer[1], key=lambda item: (-item[1], item[0]))]


def in_order(answer):
    return [number for number, _ in answer[1]]


def rank_measures(relevant, orders):
    """Of every question its set of right pictures and its order."""
    orders = list(orders)
    recall = {f'recall@{k}': 100 * statistics.fmean(len(r & set(o[:k])) / min(k, len(r)) for r, o in zip(relevant, orders))
              for k in (1, 5, 10)}
    return {**recall, 'precision@5': 100 * statistics.fmean(len(r & set(o[:5])) / 5 for r, o in zip(relevant, orders)),
            'map': 100 * statistics.fmean(average_precision(r, o) for r, o in zip(relevant, orders))}


def f1(relevant, chosen):
    return 2 * len(relevant & chosen) / (len(relevant) + len(chosen))


def micro_f1(relevant, chosen):
    right = sum(len(r & c) for r, c in zip(relevant, chosen))
    return 2 * right / (sum(map(len, relevant)) + sum(map(len, chosen)))


class Study:
    def __init__(self, build, data):
        self.build, self.rows = build, []
        captions = read_captions(data)
        self.pictures = sorted({path for path, _ in captions})
        place = {path: i for i, path in enumerate(self.pictures)}
        self.captions = [(place[path], caption) for path, caption in captions]
        nouns = read_nouns(data)
        self.noun_pictures = sorted(path for paths in nouns.values() for path in paths)
        place = {path: i for i, path in enumerate(self.noun_pictures)}
        self.nouns = [({place[path] for path in paths}, noun) for noun, paths in nouns.items()]

    def note(self, study, data, setting, measures, n):
        for measure, value in measures.items():
            self.rows.append([study, data, setting, measure, f'{value:.2f}', n])
        print(f'{study:<10} {data:<22} {setting:<34} ' + '  '.join(f'{m} {v:.2f}' for m, v in measures.items()),
              flush=True)

    def with_library(self, pictures, descriptions, use, written=('--no-tags',)):
        with tempfile.TemporaryDirectory() as scratch:
            use(Asker(self.build, pathlib.Path(scratch), pictures, descriptions, written))

    def plain(self, name, asker, questions, templates):
        relevant = [right for right, _ in questions]
        words = [text for _, text in questions]
        answers = asker.ask(words)
        self.note('plain', name, 'cosine', rank_measures(relevant, map(by_score, answers)), len(words))
        self.note('plain', name, 'program', rank_measures(relevant, map(in_order, answers)), len(words))
        for template in templates:
            asked = asker.ask([template % text.rstrip(' .') for text in words])
            self.note('templates', name, template, rank_measures(relevant, map(by_score, asked)), len(words))
        return answers

    # ---- the line

    def line(self, parts):
        """parts: (name, asker, questions, answers)"""
        prepared = [self.prepare_line(*part) for part in parts]
        for name, rows in prepared:
            relevant = [row['right'] for row in rows]
            self.note('line', name, 'program, all questions',
                      self.f1s(relevant, [row['strong'] for row in rows]), len(rows))
        for name, rows in [*prepared, ('both', None)]:
            self.fit('fixed cosine, fitted', [0.01 * i for i in range(5, 70)], self.above_cosine, name, prepared)
            grid = [(share, scale) for share in (0.3, 0.4, 0.5, 0.6, 0.7) for scale in (0.5, 1, 2)]
            self.fit('line, fitted', grid, self.above_line, name, prepared)
            self.fit('program', [None], lambda row, _: row['strong'], name, prepared)

    @staticmethod
    def prepare_line(name, asker, questions, answers):
        bank = [score for _, items in asker.ask(EVERYDAY) for _, score in items]
        null = statistics.fmean(bank), statistics.pstdev(bank)
        rows = []
        for (right, text), (strong, items) in zip(questions, answers):
            scores = [score for _, score in items]
            n, weight = len(scores), 50
            mean = (sum(scores) + weight * null[0]) / (n + weight)
            square = (sum(s * s for s in scores) + weight * (null[1] ** 2 + null[0] ** 2)) / (n + weight)
            deviation = (square - mean * mean) ** 0.5
            rows.append({'right': right, 'items': items, 'strong': {number for number, _ in items[:strong]}, 'n': n,
                         'words': len(text.split()), 'z': [((s - mean) / deviation) for s in scores]})
        return name, rows

    @staticmethod
    def above_cosine(row, threshold):
        return {number for number, score in row['items'] if score >= threshold}

    @staticmethod
    def above_line(row, constants):
        share, scale = constants
        expected = scale * min(5, max(1, 10 / row['words']))
        line = max(1, share * max(row['z']) - (1 - share) * NORMAL.inv_cdf(min(0.5, expected / row['n'])))
        return {number for (number, _), z in zip(row['items'], row['z']) if z >= line}

    @staticmethod
    def f1s(relevant, chosen):
        return {'F1 of a question': 100 * statistics.fmean(map(f1, relevant, chosen)),
                'F1 of all': 100 * micro_f1(relevant, chosen)}

    def fit(self, setting, grid, choose, name, prepared):
        """Fitted on one half of the questions of every part that counts, judged on the other; both ways, the mean."""
        parts = [rows for part, rows in prepared if name in ('both', part)]
        results = {measure: [] for measure in ('F1 of a question', 'F1 of all')}
        for half in (0, 1):
            for measure in results:
                def worth(constants, which):
                    values = []
                    for rows in parts:
                        some = rows[which::2]
                        values.append(self.f1s([r['right'] for r in some], [choose(r, constants) for r in some])[measure])
                    return statistics.fmean(values)
                best = max(grid, key=lambda constants: worth(constants, half))
                results[measure].append(worth(best, 1 - half))
        self.note('line', name, setting, {m: statistics.fmean(v) for m, v in results.items()},
                  sum(len(rows) for rows in parts))

    # ---- fusion

    def fusion(self):
        first = {}
        for picture, caption in self.captions:
            first.setdefault(picture, caption)
        chance = random.Random(3)
        others = [first[i] for i in range(len(self.pictures))]
        chance.shuffle(others)
        questions = [({picture}, caption) for i, (picture, caption) in enumerate(self.captions) if i % 5 in (1, 3)]
        half = {i: caption for i, caption in first.items() if i % 2}
        for name, descriptions in (('half described', half), ('all described', first),
                                   ('wrongly described', dict(enumerate(others)))):
            self.with_library(self.pictures, descriptions,
                              lambda asker: self.fusion_of(f'captioned, {name}', asker, descriptions, questions))

    def fusion_of(self, name, asker, descriptions, questions):
        relevant = [right for right, _ in questions]
        answers = asker.ask([text for _, text in questions])
        texts = self.full_text(descriptions, [text for _, text in questions])
        orders = [by_score(answer) for answer in answers]
        self.note('fusion', name, 'cosine', rank_measures(relevant, orders), len(questions))
        self.note('fusion', name, 'words', rank_measures(relevant, [[i for i, _ in t] for t in texts]), len(questions))
        for weighted in (False, True):
            for k in (10, 30, 60):
                for weight in (0.25, 0.5, 1):
                    fused = [self.fuse(order, text, k, weight, weighted) for order, text in zip(orders, texts)]
                    self.note('fusion', name, f'k {k}, words {weight}' + (', by share' if weighted else ''),
                              rank_measures(relevant, fused), len(questions))
        self.note('fusion', name, 'program', rank_measures(relevant, map(in_order, answers)), len(questions))

    @staticmethod
    def full_text(descriptions, questions):
        db = sqlite3.connect(':memory:')
        db.execute("create virtual table f using fts5(t, tokenize='unicode61 remove_diacritics 2')")
        db.executemany('insert into f(rowid, t) values(?, ?)', [(i + 1, text) for i, text in descriptions.items()])
        found = []
        for question in questions:
            words = [word for word in re.findall(r'[a-z]+', question.lower()) if word not in STOP]
            match = ' OR '.join(f'"{word}"' for word in words) or '"nothing at all"'
            found.append(db.execute('select rowid - 1, -bm25(f) from f where f match ? order by bm25(f)', (match,))
                         .fetchall())
        return found

    @staticmethod
    def fuse(order, text, k, weight, weighted):
        value = {number: 1 / (k + rank) for rank, number in enumerate(order, 1)}
        for rank, (number, score) in enumerate(text, 1):
            share = score / text[0][1] if weighted and text[0][1] > 0 else 1
            value[number] += weight * share / (k + rank)
        return sorted(order, key=lambda number: -value[number])

    # ---- what machines write

    def machine(self):
        questions = [({picture}, caption) for i, (picture, caption) in enumerate(self.captions) if i % 5 in (1, 3)]
        for setting, written in (('nothing', ['--no-tags']), ('tags', []), ('captions', ['--no-tags', '--captions']),
                                 ('tags and captions', ['--captions'])):
            for name, pictures, asked in (('captioned', self.pictures, questions), ('nouns', self.noun_pictures, self.nouns)):
                self.with_library(pictures, None, lambda asker: self.machine_of(name, setting, asker, asked), written)

    def machine_of(self, name, setting, asker, questions):
        answers = asker.ask([text for _, text in questions])
        self.note('machine', name, setting, rank_measures([right for right, _ in questions], map(in_order, answers)),
                  len(questions))

    def run(self):
        captions = [({picture}, text) for picture, text in self.captions]

        def use_nouns(nouns):
            answers = self.plain('nouns', nouns, self.nouns, ['a photo of a %s', 'a %s', '%s in a photo'])
            self.with_library(self.pictures, None, lambda asker: self.use_captions(
                asker, captions, ('nouns', nouns, self.nouns, answers)))
        self.with_library(self.noun_pictures, None, use_nouns)
        self.fusion()
        self.machine()

    def use_captions(self, asker, captions, nouns):
        answers = self.plain('captioned', asker, captions, ['a photo of %s'])
        self.line([nouns, ('captioned', asker, captions, answers)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--build', type=pathlib.Path, default=HERE.parent / 'build')
    parser.add_argument('--data', type=pathlib.Path, default=HERE.parent.parent / 'shared/quality')
    parser.add_argument('--write', action='store_true', help='write quality/ablation.csv')
    parser.add_argument('--machine', action='store_true', help='this study alone; with --write its rows are replaced')
    arguments = parser.parse_args()
    study = Study(arguments.build.resolve(), arguments.data.resolve())
    if arguments.machine:
        study.machine()
        with open(HERE / 'ablation.csv', newline='') as file:
            study.rows[:0] = [row for row in list(csv.reader(file))[1:] if row[0] != 'machine']
    else:
        study.run()
    if arguments.write:
        with open(HERE / 'ablation.csv', 'w', newline='') as file:
            writer = csv.writer(file, lineterminator='\n')
            writer.writerow(COLUMNS)
            writer.writerows(study.rows)


if __name__ == '__main__':
    main()
