#!/usr/bin/python3
"""random_blip.py base|large FOLDER [--seed N]: a BLIP captioner of full size with random weights, for benchmarks.

In the layout and names of Hugging Face (BlipForConditionalGeneration), fp16, spread as transformers initialises it but
for layer norms, which vary as trained ones do. Base has 224 million parameters, 450 MB. Its words are made up."""
import argparse
import json
import pathlib
import struct

import numpy

SIZES = {'base': (768, 12, 12), 'large': (1024, 24, 16)}  # of the image tower; the decoder is the same
SIDE, PATCH, WIDTH, LAYERS, HEADS, VOCABULARY, POSITIONS = 384, 16, 768, 12, 12, 30524, 512


def list_tensors(size):
    """(name, shape, kind) of all tensors"""
    width, layers, _ = SIZES[size]
    patches = (SIDE // PATCH) ** 2 + 1

    def linear(name, n, k):
        yield f'{name}.weight', (n, k), 'weight'
        yield f'{name}.bias', (n,), 'bias'

    def norm(name, n):
        yield f'{name}.weight', (n,), 'gain'
        yield f'{name}.bias', (n,), 'bias'

    vision, text = 'vision_model.', 'text_decoder.bert.'
    yield vision + 'embeddings.class_embedding', (1, 1, width), 'weight'
    yield vision + 'embeddings.position_embedding', (1, patches, width), 'weight'
    yield vision + 'embeddings.patch_embedding.weight', (width, 3, PATCH, PATCH), 'weight'
    yield vision + 'embeddings.patch_embedding.bias', (width,), 'bias'
    for i in range(layers):
        block = f'{vision}encoder.layers.{i}.'
        yield from norm(block + 'layer_norm1', width)
        yield from linear(block + 'self_attn.qkv', 3 * width, width)
        yield from linear(block + 'self_attn.projection', width, width)
        yield from norm(block + 'layer_norm2', width)
        yield from linear(block + 'mlp.fc1', 4 * width, width)
        yield from linear(block + 'mlp.fc2', width, 4 * width)
    yield from norm(vision + 'post_layernorm', width)
    yield text + 'embeddings.word_embeddings.weight', (VOCABULARY, WIDTH), 'weight'
    yield text + 'embeddings.position_embeddings.weight', (POSITIONS, WIDTH), 'weight'
    yield from norm(text + 'embeddings.LayerNorm', WIDTH)
    for i in range(LAYERS):
        block = f'{text}encoder.layer.{i}.'
        for attention, inputs in (('attention', WIDTH), ('crossattention', width)):
            yield from linear(f'{block}{attention}.self.query', WIDTH, WIDTH)
            yield from linear(f'{block}{attention}.self.key', WIDTH, inputs)
            yield from linear(f'{block}{attention}.self.value', WIDTH, inputs)
            yield from linear(f'{block}{attention}.output.dense', WIDTH, WIDTH)
            yield from norm(f'{block}{attention}.output.LayerNorm', WIDTH)
        yield from linear(block + 'intermediate.dense', 4 * WIDTH, WIDTH)
        yield from linear(block + 'output.dense', WIDTH, 4 * WIDTH)
        yield from norm(block + 'output.LayerNorm', WIDTH)
    head = 'text_decoder.cls.predictions.'
    yield from linear(head + 'transform.dense', WIDTH, WIDTH)
    yield from norm(head + 'transform.LayerNorm', WIDTH)
    yield head + 'bias', (VOCABULARY,), 'bias'


def draw(shape, kind, random):
    if kind == 'gain':
        return 1 + 0.1 * random.standard_normal(shape, numpy.float32)
    if kind == 'bias':
        return 0.02 * random.standard_normal(shape, numpy.float32)
    inputs = numpy.prod(shape[1:]) if len(shape) != 3 else 768
    return random.standard_normal(shape, numpy.float32) / numpy.float32(inputs) ** 0.5


def write_weights(size, path, seed):
    header, at = {}, 0
    tensors = list(list_tensors(size))
    for name, shape, _ in tensors:
        end = at + 2 * int(numpy.prod(shape))
        header[name] = {'dtype': 'F16', 'shape': shape, 'data_offsets': [at, end]}
        at = end
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    random = numpy.random.default_rng(seed)
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text)
        for _, shape, kind in tensors:
            file.write(draw(shape, kind, random).astype(numpy.float16).tobytes())


def write_configs(size, folder):
    width, layers, heads = SIZES[size]
    config = {'architectures': ['BlipForConditionalGeneration'], 'model_type': 'blip',
              'text_config': {'model_type': 'blip_text_model', 'vocab_size': VOCABULARY, 'hidden_size': WIDTH,
                              'intermediate_size': 4 * WIDTH, 'num_hidden_layers': LAYERS, 'num_attention_heads': HEADS,
                              'max_position_embeddings': POSITIONS, 'hidden_act': 'gelu', 'layer_norm_eps': 1e-12,
                              'encoder_hidden_size': width, 'bos_token_id': 30522, 'sep_token_id': 102},
              'vision_config': {'model_type': 'blip_vision_model', 'hidden_size': width,
                                'intermediate_size': 4 * width, 'num_hidden_layers': layers,
                                'num_attention_heads': heads, 'image_size': SIDE, 'patch_size': PATCH,
                                'hidden_act': 'gelu', 'layer_norm_eps': 1e-5}}
    (folder / 'config.json').write_text(json.dumps(config, indent=1))
    (folder / 'preprocessor_config.json').write_text(json.dumps({
        'do_resize': True, 'size': {'height': SIDE, 'width': SIDE}, 'resample': 3, 'do_normalize': True,
        'image_mean': [0.48145466, 0.4578275, 0.40821073], 'image_std': [0.26862954, 0.26130258, 0.27577711]}))
    (folder / 'tokenizer_config.json').write_text('{"do_lower_case": true}')
    special = {0: '[PAD]', 100: '[UNK]', 101: '[CLS]', 102: '[SEP]', 103: '[MASK]'}
    (folder / 'vocab.txt').write_text(''.join(special.get(i, f'w{i}') + '\n' for i in range(VOCABULARY - 2)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('size', choices=SIZES)
    parser.add_argument('folder', type=pathlib.Path)
    parser.add_argument('--seed', type=int, default=1)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    write_configs(arguments.size, arguments.folder)
    write_weights(arguments.size, arguments.folder / 'model.safetensors', arguments.seed)


if __name__ == '__main__':
    main()
