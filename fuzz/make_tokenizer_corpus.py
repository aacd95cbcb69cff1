#!/usr/bin/env python3
"""make_tokenizer_corpus.py: writes corpus/tokenizer_json. (What the fuzzer found keeps its bytes.)"""
import importlib.util
import json
import pathlib

HERE = pathlib.Path(__file__).parent
spec = importlib.util.spec_from_file_location('variant', HERE.parent / 'tools/golden/checkpoint_variant.py')
variant = importlib.util.module_from_spec(spec)
spec.loader.exec_module(variant)

VOCABULARY = {'a': 0, 'b': 1, 'a</w>': 2, 'b</w>': 3, 'ab': 4, 'ab</w>': 5, **{s: 6 + i for i, s in
                                                                            enumerate(variant.SPECIALS)}}
MERGES = ['a b</w>', 'a b']


def changed(change):
    content = variant.tokenizer_json(VOCABULARY, MERGES, False)
    change(content)
    return json.dumps(content)


GOOD = changed(lambda c: None)
INPUTS = {
    'strings': GOOD,
    'pairs': json.dumps(variant.tokenizer_json(VOCABULARY, MERGES, True)),
    'indented': json.dumps(variant.tokenizer_json(VOCABULARY, MERGES, True), indent=2),
    'unigram': changed(lambda c: c['model'].update(type='Unigram', vocab=[['a', 0.5]])),
    'other_pattern': GOOD.replace("'s|'t", 'x'),
    'merges_first': json.dumps({'model': {'merges': MERGES, 'vocab': VOCABULARY, 'end_of_word_suffix': '</w>'},
                                'pre_tokenizer': variant.tokenizer_json({}, [], False)['pre_tokenizer']}),
    'no_merges': changed(lambda c: c['model'].pop('merges')),
    'vocab_twice': GOOD.replace('"merges": [', '"vocab": {}, "merges": ['),
    'brackets_crossed': GOOD.replace('"a b"]', '"a b"}'),
    'three_symbols': GOOD.replace('"a b"]', '"a b c"]'),
    'half_a_pair': GOOD.replace('"a b"]', '["a"]]'),
    'newline_in_merge': GOOD.replace('"a b"]', '"a\\nb"]'),
    'escaped_key': GOOD.replace('"model"', '"mod\\u0065l"'),
    'cut_in_escape': GOOD[:40] + '\\',
    'deep': '{"model": {"vocab": ' + '[' * 3000,
    'empty': '',
}
folder = HERE / 'corpus/tokenizer_json'
folder.mkdir(exist_ok=True)
for name, text in INPUTS.items():
    (folder / name).write_text(text)
