#!/usr/bin/env python3
"""Writes a model directory again with the same tensors and words in other files, as other people's checkpoints have
them. Needs neither PyTorch nor tokenizers.

    python3 tools/golden/checkpoint_variant.py FROM TO [VARIANT...]

    bin              pytorch_model.bin, as torch.save writes it
    bin-shards       two of them and pytorch_model.bin.index.json
    turned           the projections transposed in their storage, as converted CLIP models have them (with bin)
    f16              halves (from a file of floats whose values are halves, or near)
    words            tokenizer.json with merges "a b" in place of vocab.json and merges.txt
    words-pairs      the same with merges ["a", "b"], as newer versions write them
"""
import json
import pathlib
import shutil
import struct
import sys
import zipfile

STORAGES = {'F32': ('FloatStorage', 4), 'F16': ('HalfStorage', 2), 'BF16': ('BFloat16Storage', 2),
            'I64': ('LongStorage', 8)}
CLIP_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
SPECIALS = ('<|startoftext|>', '<|endoftext|>')


def read_tensors(folder):
    """name -> (dtype, shape, bytes) of a directory's safetensors"""
    tensors = {}
    for path in sorted(folder.glob('model*.safetensors')):
        content = path.read_bytes()
        length, = struct.unpack_from('<Q', content)
        for name, about in json.loads(content[8:8 + length]).items():
            if name != '__metadata__':
                begin, end = about['data_offsets']
                tensors[name] = (about['dtype'], about['shape'], content[8 + length + begin:8 + length + end])
    return tensors


def halve(tensor):
    dtype, shape, content = tensor
    if dtype != 'F32':
        return tensor
    n = len(content) // 4
    return 'F16', shape, struct.pack(f'<{n}e', *struct.unpack(f'<{n}f', content))


def transpose(shape, content, size):
    m, k = shape
    return b''.join(content[(i * k + j) * size:(i * k + j + 1) * size] for j in range(k) for i in range(m))


class Pickle:
    """A table of tensors in the opcodes that Python's pickler uses for it."""

    def __init__(self):
        self.out = bytearray(b'\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01(')
        self.storages = []

    def text(self, text):
        self.out += b'X' + struct.pack('<I', len(text.encode())) + text.encode()

    def number(self, n):
        self.out += (b'K' + bytes([n]) if n < 256 else b'M' + struct.pack('<H', n) if n < 65536 else
                     b'J' + struct.pack('<i', n))

    def numbers(self, numbers):
        self.out += b'('
        for n in numbers:
            self.number(n)
        self.out += b't'

    def tensor(self, name, dtype, shape, content, turned):
        storage, size = STORAGES[dtype]
        strides = [1]
        for extent in shape[:0:-1]:
            strides.insert(0, strides[0] * extent)
        if turned:
            content = transpose(shape, content, size)
            strides = [1, shape[0]]
        self.text(name)
        self.out += b'ctorch._utils\n_rebuild_tensor_v2\n(('
        self.text('storage')
        self.out += f'ctorch\n{storage}\n'.encode()
        self.text(str(len(self.storages)))
        self.text('cpu')
        self.number(len(content) // size)
        self.out += b'tQK\x00'
        self.numbers(shape)
        self.numbers(strides if shape else [])
        self.out += b'\x89h\x00)RtR'
        self.storages.append(content)

    def end(self):
        self.out += b'u}'
        self.text('_metadata')
        self.out += b'}sb.'
        return bytes(self.out)


def write_bin(path, tensors, turned):
    pickle = Pickle()
    for name, (dtype, shape, content) in tensors.items():
        pickle.tensor(name, dtype, shape, content, turned and 'projection' in name and len(shape) == 2)
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_STORED) as archive:
        archive.writestr(path.stem + '/data.pkl', pickle.end())
        for i, content in enumerate(pickle.storages):
            archive.writestr(f'{path.stem}/data/{i}', content)
        archive.writestr(path.stem + '/version', '3\n')


def write_shards(folder, tensors, turned):
    names = list(tensors)
    halves = names[:len(names) // 2], names[len(names) // 2:]
    files = [f'pytorch_model-{i}-of-00002.bin' for i in ('00001', '00002')]
    for file, part in zip(files, halves):
        write_bin(folder / file, {name: tensors[name] for name in part}, turned)
    weight_map = {name: file for file, part in zip(files, halves) for name in part}
    (folder / 'pytorch_model.bin.index.json').write_text(json.dumps({'metadata': {}, 'weight_map': weight_map}))


def write_safetensors(path, tensors):
    header, at = {}, 0
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {'dtype': dtype, 'shape': shape, 'data_offsets': [at, at + len(content)]}
        at += len(content)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack('<Q', len(text)) + text + b''.join(t[2] for t in tensors.values()))


def tokenizer_json(vocabulary, merges, pairs):
    """What CLIPTokenizerFast.save_pretrained writes."""
    ids = [vocabulary.get(token) for token in SPECIALS]
    return {
        'version': '1.0', 'truncation': None, 'padding': None,
        'added_tokens': [{'id': id, 'content': token, 'single_word': False, 'lstrip': False, 'rstrip': False,
                          'normalized': False, 'special': True} for token, id in zip(SPECIALS, ids) if id is not None],
        'normalizer': {'type': 'Sequence', 'normalizers': [
            {'type': 'NFC'}, {'type': 'Replace', 'pattern': {'Regex': r'\s+'}, 'content': ' '}, {'type': 'Lowercase'}]},
        'pre_tokenizer': {'type': 'Sequence', 'pretokenizers': [
            {'type': 'Split', 'pattern': {'Regex': CLIP_PATTERN}, 'behavior': 'Removed', 'invert': True},
            {'type': 'ByteLevel', 'add_prefix_space': False, 'trim_offsets': True, 'use_regex': True}]},
        'post_processor': {'type': 'RobertaProcessing', 'sep': [SPECIALS[1], ids[1]], 'cls': [SPECIALS[0], ids[0]],
                           'trim_offsets': False, 'add_prefix_space': False},
        'decoder': {'type': 'ByteLevel', 'add_prefix_space': True, 'trim_offsets': True, 'use_regex': True},
        'model': {'type': 'BPE', 'dropout': None, 'unk_token': SPECIALS[1], 'continuing_subword_prefix': '',
                  'end_of_word_suffix': '</w>', 'fuse_unk': False, 'byte_fallback': False, 'ignore_merges': False,
                  'vocab': vocabulary, 'merges': [merge.split(' ') if pairs else merge for merge in merges]},
    }


def write_words(source, folder, pairs):
    vocabulary = json.loads((source / 'vocab.json').read_text())
    merges = [line for line in (source / 'merges.txt').read_text().split('\n') if line and not line.startswith('#ver')]
    content = tokenizer_json(vocabulary, merges, pairs)
    (folder / 'tokenizer.json').write_text(json.dumps(content, ensure_ascii=pairs, indent=None if pairs else 2))


def main():
    source, folder, variants = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), set(sys.argv[3:])
    folder.mkdir(parents=True, exist_ok=True)
    words = variants & {'words', 'words-pairs'}
    for path in source.iterdir():
        if path.suffix in ('.json', '.txt') and not path.name.startswith('model.') and not (
                words and path.name in ('vocab.json', 'merges.txt')):
            shutil.copy(path, folder)
    if words:
        write_words(source, folder, 'words-pairs' in variants)
    tensors = read_tensors(source)
    if not tensors:
        return  # a directory of words only
    if 'f16' in variants:
        tensors = {name: halve(tensor) for name, tensor in tensors.items()}
    if 'bin' in variants:
        write_bin(folder / 'pytorch_model.bin', tensors, 'turned' in variants)
    elif 'bin-shards' in variants:
        write_shards(folder, tensors, 'turned' in variants)
    else:
        write_safetensors(folder / 'model.safetensors', tensors)


if __name__ == '__main__':
    main()
