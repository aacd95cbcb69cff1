#!/usr/bin/env python3
"""vocabulary.py VOCABULARY.txt [OUTPUT.c]: checks the words that photos are tagged with (the form is said at the top of the
file), and writes them as one C table (src/annotate/lexicon.h)."""
import hashlib
import pathlib
import re
import sys

N_MIN, N_MAX = 1000, 4000
NAME = re.compile(r"[a-z0-9]+(?:[ '-][a-z0-9]+)*('s)?")
TEXT = re.compile(r"[a-z0-9][a-z0-9 ,'-]*[a-z0-9]")
NAME_BYTES_MAX, TEXT_BYTES_MAX, GENERAL_MAX = 32, 80, 24
VOWELS = 'aeiou'


class Wrong(Exception):
    pass


def split_list(part, separator):
    return [item for item in part.split(separator)] if part else []


def read_line(line):
    """(word, general words, synonyms, texts)"""
    rest, _, texts = line.partition(' : ')
    rest, _, synonyms = rest.partition(' = ')
    word, _, general = rest.partition(' > ')
    return word, split_list(general, ', '), split_list(synonyms, ', '), split_list(texts, '; ')


def check_names(word, general, synonyms, texts):
    for name in [word, *general, *synonyms]:
        if not NAME.fullmatch(name) or len(name) > NAME_BYTES_MAX:
            raise Wrong(f"'{name}' is no word of this list: lower case, digits, single blanks, at most {NAME_BYTES_MAX} bytes")
    for text in texts:
        if not TEXT.fullmatch(text) or len(text) > TEXT_BYTES_MAX:
            raise Wrong(f"'{text}' is no text to ask for: lower case, at most {TEXT_BYTES_MAX} bytes")
    for what, names in ('general words', general), ('synonyms', synonyms):
        if names != sorted(set(names)):
            raise Wrong(f'the {what} of "{word}" are not in order, or one stands twice')


def implied(words, word, path=()):
    """Every word that is true where this one is, without itself."""
    if word in path:
        raise Wrong(f'in a circle: {" > ".join([*path, word])}')
    found = set()
    for general in words[word][0]:
        found |= {general} | implied(words, general, (*path, word))
    return found


def read(source):
    """{word: (general, synonyms, texts)} and {word: all that it implies}; Wrong with a line number."""
    words, places, previous = {}, {}, ''
    for number, line in enumerate(source.split('\n')[:-1], 1):
        try:
            if line.startswith('#'):
                continue
            word, general, synonyms, texts = read_line(line)
            check_names(word, general, synonyms, texts)
            if word.encode() <= previous.encode():
                raise Wrong(f'"{word}" stands after "{previous}": the words are not in order, or one stands twice')
            previous = word
            for name in [word, *synonyms]:
                if name in places:
                    raise Wrong(f'"{name}" stands in line {places[name]} already')
                places[name] = number
            words[word] = general, synonyms, texts
        except Wrong as wrong:
            raise Wrong(f'{number}: {wrong}') from None
    for word, (general, _, _) in words.items():
        for name in general:
            if name not in words:
                raise Wrong(f'{places[word]}: "{word}" implies "{name}", which is no word of this list')
    above = {word: implied(words, word) for word in words}
    for word, (general, _, _) in words.items():
        for name in general:
            if any(name in above[other] for other in general):
                raise Wrong(f'{places[word]}: "{word}" implies "{name}" through another general word already')
        if len(above[word]) > GENERAL_MAX:
            raise Wrong(f'{places[word]}: "{word}" implies more than {GENERAL_MAX} words')
    if not N_MIN <= len(words) <= N_MAX:
        raise Wrong(f'{len(words)} words; {N_MIN} to {N_MAX} are meant')
    return words, above


def texts_of(word, synonyms, texts):
    """What is embedded for a word: the mean of the names, and of a photo of each."""
    asked = []
    for text in texts or [word, *synonyms]:
        asked.append(text)
        has_article = re.match('(a|an|the|some|two) ', text)
        asked.append('a photo of ' + ('' if has_article else 'an ' if text[0] in VOWELS else 'a ') + text)
    return asked


def c_text(parts):
    """NUL-terminated texts in one literal, an empty one at the end."""
    return '"' + ''.join(part + '\\0' for part in parts) + '"'


def table(words, above, digest):
    order = {word: i for i, word in enumerate(words)}
    beneath = set().union(*above.values())
    flat, rows = [], []
    for word, (_, synonyms, texts) in words.items():
        general = sorted(order[name] for name in above[word])
        rows.append(f'    {{ "{word}", {c_text(texts_of(word, synonyms, texts))}, '
                    f'{len(flat)}, {len(general)}, {str(word in beneath).lower()} }},\n')
        flat += general
    numbers = ',\n'.join(', '.join(map(str, flat[i:i + 20])) for i in range(0, len(flat), 20))
    return ('#include "annotate/lexicon.h"\n\n'
            f'static const uint16_t implied[] = {{\n{numbers}\n}};\n\n'
            f'static const pd_word words[] = {{\n{"".join(rows)}}};\n\n'
            'const pd_vocabulary *pd_vocabulary_get(void)\n{\n'
            '    static const pd_vocabulary vocabulary = {\n'
            f'        .version = "{digest}", .words = words, .n = {len(words)}, .implied = implied\n'
            '    };\n    return &vocabulary;\n}\n')


def main(path, output=None):
    source = path.read_text(encoding='ascii')
    try:
        words, above = read(source)
    except Wrong as wrong:
        print(f'{path}:{wrong}', file=sys.stderr)
        return 1
    if output:
        made = table(words, above, '')
        digest = hashlib.sha256(made.encode()).hexdigest()[:12]
        output.write_text(table(words, above, digest))
    return 0


if __name__ == '__main__':
    sys.exit(main(*map(pathlib.Path, sys.argv[1:3])))
