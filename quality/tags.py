#!/usr/bin/env python3
"""tags.py: how often a tag is right, and how often it is missing.

    ninja -C build pixel-detective pixel-detective-decoder bench/tags
    python3 quality/tags.py                # prints the table
    python3 quality/tags.py --write        # and writes quality/tags.csv

Learns the pictures of ../shared/quality with the built program, tags their embeddings, and judges:

  nouns      each picture shows what its folder is called (folded onto the vocabulary's word) and what that implies.
             'word': tags that are a folder's word; 'implied': tags that some folder's word implies.
             Other tags are not judged: nobody wrote down what else is on the picture.
  captioned  a tag is borne out when it, or a word that implies it, stands in one of the picture's five captions.
             'any': a lower bound, for captions leave out what goes without saying.

precision: of the tags given. recall: of those that are true. micro: over tags; macro: mean over words that were given
(precision) or are true (recall). Halves: `fit` is every second noun and picture, on which the constants were fitted;
`judge` the others.
"""
import argparse
import collections
import csv
import pathlib
import re
import sqlite3
import struct
import subprocess
import sys
import tempfile

from measure import HERE, Program, read_captions

sys.path.insert(0, str(HERE.parent / 'tools'))
import vocabulary  # noqa: E402

SCORES = [0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
COLUMNS = ['model', 'data', 'half', 'tags', 'score', 'precision_micro', 'precision_macro', 'recall_micro',
           'recall_macro', 'given', 'pictures']
IRREGULAR = {'men': 'man', 'women': 'woman', 'children': 'child', 'people': 'person', 'wolves': 'wolf', 'leaves': 'leaf',
             'feet': 'foot', 'teeth': 'tooth', 'geese': 'goose', 'mice': 'mouse', 'knives': 'knife', 'kids': 'child'}
WORDS_OF_NAME_MAX = 4


class Words:
    """The vocabulary, with synonyms folded."""

    def __init__(self, path):
        words, above = vocabulary.read(path.read_text(encoding='ascii'))
        self.above = above
        self.of_name = {name: word for word, (_, synonyms, _) in words.items() for name in [word, *synonyms]}

    def true_of(self, name):
        word = self.of_name[name]
        return {word} | self.above[word]

    def in_text(self, text):
        tokens, found = re.findall(r"[a-z0-9'-]+", text.lower()), set()
        for i in range(len(tokens)):
            for n in range(1, WORDS_OF_NAME_MAX + 1):
                for last in singulars(tokens[i + n - 1]) if i + n <= len(tokens) else []:
                    name = ' '.join([*tokens[i:i + n - 1], last])
                    if name in self.of_name:
                        found |= self.true_of(name)
        return found


def singulars(word):
    forms = [word, IRREGULAR.get(word, word)]
    for ending, singular in ('ies', 'y'), ('es', ''), ('s', ''):
        if word.endswith(ending):
            forms.append(word[:-len(ending)] + singular)
    return forms


def learn(arguments, scratch):
    """{path: embedding as bytes of floats}"""
    program = Program(arguments.program, scratch, 'int8', model=arguments.model)
    for part in 'nouns', 'captioned':
        program.pictures = scratch / part
        program.index(arguments.data / part)
    catalogue = sqlite3.connect(scratch / 'library' / 'catalogue.sqlite')
    rows = catalogue.execute('SELECT p.path, e.vec FROM photo p JOIN embedding e ON e.content_id = p.content_id')
    embeddings = {}
    for path, half in rows:
        values = struct.unpack(f'<{len(half) // 2}e', half)
        embeddings[program.path_of[path.decode()]] = struct.pack(f'<{len(values)}f', *values)
    return embeddings


def tag(arguments, scratch, embeddings):
    """{path: {word: score}}"""
    done = subprocess.run([arguments.program.parent / 'bench/tags', arguments.model, scratch / 'cache'], check=True,
                          input=b''.join(embeddings.values()), stdout=subprocess.PIPE)
    lines = done.stdout.decode().split('\n')[:-1]
    return {path: {word: float(score.rstrip('?')) for word, score in (item.rsplit('=', 1) for item in line.split('\t'))}
            if line else {} for path, line in zip(embeddings, lines)}


class Counts:
    """Of pairs of a picture and a word that are judged."""

    def __init__(self):
        self.right, self.given, self.true = collections.Counter(), collections.Counter(), collections.Counter()

    def add(self, given, true, judged):
        self.given.update(given & judged)
        self.true.update(true & judged)
        self.right.update(given & true & judged)

    def rates(self):
        """Per cent: precision micro, macro, recall micro, macro"""
        def micro(of):
            return 100 * self.right.total() / max(1, of.total())

        def macro(of):
            return 100 * sum(self.right[word] / of[word] for word in of) / max(1, len(of))

        return micro(self.given), macro(self.given), micro(self.true), macro(self.true)


def read_truth(data, words):
    """[(path, data, half, {tags: judged words}, true words)]"""
    nouns = sorted(path.name for path in (data / 'nouns').iterdir())
    named = {words.of_name[noun] for noun in nouns}
    implied = set().union(*(words.true_of(noun) for noun in nouns)) - named
    rows = []
    for i, noun in enumerate(nouns):
        for path in sorted((data / 'nouns' / noun).iterdir()):
            rows.append((str(path.resolve()), 'nouns', 'judge' if i % 2 else 'fit', {'word': named, 'implied': implied},
                         words.true_of(noun)))
    captions = collections.defaultdict(set)
    for path, caption in read_captions(data):
        captions[path] |= words.in_text(caption)
    every = set(words.above)
    for i, path in enumerate(sorted(captions)):
        rows.append((path, 'captioned', 'judge' if i % 2 else 'fit', {'any': every}, captions[path]))
    return rows


def judge(tags, truth, score, wanted):
    """wanted: (data, half, tags) -> rates, given, pictures"""
    counts, pictures = Counts(), 0
    for path, data, half, judged, true in truth:
        if data == wanted[0] and half == wanted[1] and path in tags:
            given = {word for word, sure in tags[path].items() if sure >= score}
            counts.add(given, true, judged[wanted[2]])
            pictures += 1
    return counts.rates(), counts.given.total(), pictures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--program', type=pathlib.Path, default=HERE.parent / 'build/pixel-detective')
    parser.add_argument('--data', type=pathlib.Path, default=HERE.parent.parent / 'shared/quality')
    parser.add_argument('--model', default=str(HERE.parent / 'models/tiny'))
    parser.add_argument('--write', action='store_true', help='write quality/tags.csv')
    parser.add_argument('--list', type=pathlib.Path, help='write every picture and its tags here')
    arguments = parser.parse_args()
    arguments.program, arguments.data = arguments.program.resolve(), arguments.data.resolve()
    words = Words(HERE.parent / 'src/annotate/vocabulary.txt')
    with tempfile.TemporaryDirectory() as scratch:
        embeddings = learn(arguments, pathlib.Path(scratch))
        tags = tag(arguments, pathlib.Path(scratch), embeddings)
    if arguments.list:
        arguments.list.write_text(''.join(f'{path}\t' + ', '.join(f'{w} {s:.2f}' for w, s in tags[path].items()) + '\n'
                                          for path in tags))
    truth, rows = read_truth(arguments.data, words), []
    for wanted in [(d, h, t) for d, t in (('nouns', 'word'), ('nouns', 'implied'), ('captioned', 'any'))
                   for h in ('fit', 'judge')]:
        for score in SCORES:
            rates, given, pictures = judge(tags, truth, score, wanted)
            rows.append([pathlib.Path(arguments.model).name, *wanted, score, *(f'{rate:.1f}' for rate in rates), given,
                         pictures])
    for row in [COLUMNS, *rows]:
        print(' '.join(f'{value!s:>15}' for value in row))
    if arguments.write:
        with open(HERE / 'tags.csv', 'w', newline='') as file:
            writer = csv.writer(file, lineterminator='\n')
            writer.writerow(COLUMNS)
            writer.writerows(rows)


if __name__ == '__main__':
    main()
