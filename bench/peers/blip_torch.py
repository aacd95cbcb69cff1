#!/usr/bin/python3
"""blip_torch.py CHECKPOINT: BLIP in PyTorch fp32, as a peer's user would write it for speed (fused q, k and v; keys and
values kept from step to step; those of the picture computed once), behind the protocol of caption_peers.py."""
import json
import pathlib
import sys
import time

import numpy
import torch
from torch.nn.functional import gelu, layer_norm, linear

import towers

TOKENS = 20  # of every caption: random weights do not stop by themselves


class Blip:
    def __init__(self, folder):
        config = json.loads((pathlib.Path(folder) / 'config.json').read_text())
        self.text, self.vision = config['text_config'], config['vision_config']
        self.t = towers.read_tensors(pathlib.Path(folder) / 'model.safetensors')
        for i in range(self.text['num_hidden_layers']):
            block = f'text_decoder.bert.encoder.layer.{i}.'
            for kind in ('weight', 'bias'):
                for part, name in (('attention', 'qkv'), ('crossattention', 'kv')):
                    keys = ('query', 'key', 'value') if name == 'qkv' else ('key', 'value')
                    self.t[f'{block}{part}.{name}.{kind}'] = torch.cat(
                        [self.t[f'{block}{part}.self.{key}.{kind}'] for key in keys])

    def linear(self, x, name):
        return linear(x, self.t[f'{name}.weight'], self.t[f'{name}.bias'])

    def norm(self, x, name, eps):
        return layer_norm(x, x.shape[-1:], self.t[f'{name}.weight'], self.t[f'{name}.bias'], eps)

    def look(self, pixels):
        """pixels [1, 3, side, side] -> for every layer of the decoder, keys and values [1, heads, patches, d]"""
        v, eps, heads = 'vision_model.', self.vision['layer_norm_eps'], self.vision['num_attention_heads']
        x = torch.nn.functional.conv2d(pixels, self.t[v + 'embeddings.patch_embedding.weight'],
                                       self.t[v + 'embeddings.patch_embedding.bias'], stride=self.vision['patch_size'])
        x = torch.cat([self.t[v + 'embeddings.class_embedding'], x.flatten(2).transpose(1, 2)], 1)
        x = x + self.t[v + 'embeddings.position_embedding']
        for i in range(self.vision['num_hidden_layers']):
            block = f'{v}encoder.layers.{i}.'
            _, n, width = x.shape
            qkv = self.linear(self.norm(x, block + 'layer_norm1', eps), block + 'self_attn.qkv')
            q, k, value = qkv.reshape(n, 3, heads, -1).permute(1, 2, 0, 3)
            y = ((q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)).softmax(-1) @ value
            x = x + self.linear(y.transpose(0, 1).reshape(1, n, width), block + 'self_attn.projection')
            y = gelu(self.linear(self.norm(x, block + 'layer_norm2', eps), block + 'mlp.fc1'))
            x = x + self.linear(y, block + 'mlp.fc2')
        x = self.norm(x, v + 'post_layernorm', eps)
        return [self.split(self.linear(x, f'text_decoder.bert.encoder.layer.{i}.crossattention.kv'), 2)
                for i in range(self.text['num_hidden_layers'])]

    def split(self, x, parts):
        """[rows, n, parts * width] -> parts x [rows, heads, n, d]"""
        rows, n, _ = x.shape
        return x.reshape(rows, n, parts, self.text['num_attention_heads'], -1).permute(2, 0, 3, 1, 4)

    def attend(self, q, k, v):
        rows, heads, n, d = q.shape
        y = ((q * d ** -0.5) @ k.transpose(-1, -2)).softmax(-1) @ v
        return y.transpose(1, 2).reshape(rows, n, heads * d)

    def step(self, ids, position, cache, memory):
        """ids [rows] at one position -> logits [rows, vocabulary]; the cache grows"""
        bert, eps = 'text_decoder.bert.', self.text['layer_norm_eps']
        x = self.t[bert + 'embeddings.word_embeddings.weight'][ids][:, None]
        x = self.norm(x + self.t[bert + 'embeddings.position_embeddings.weight'][position], bert + 'embeddings.LayerNorm',
                      eps)
        for i, (k_memory, v_memory) in enumerate(memory):
            block = f'{bert}encoder.layer.{i}.'
            q, k, v = self.split(self.linear(x, block + 'attention.qkv'), 3)
            if cache[i]:
                k, v = (torch.cat([old, new], 2) for old, new in zip(cache[i], (k, v)))
            cache[i] = (k, v)
            x = self.norm(x + self.linear(self.attend(q, k, v), block + 'attention.output.dense'),
                          block + 'attention.output.LayerNorm', eps)
            # all beams look at one picture: they are the queries of one sequence
            q = self.split(self.linear(x, block + 'crossattention.self.query').transpose(0, 1), 1)[0]
            y = self.attend(q, k_memory, v_memory).transpose(0, 1)
            x = self.norm(x + self.linear(y, block + 'crossattention.output.dense'),
                          block + 'crossattention.output.LayerNorm', eps)
            y = gelu(self.linear(x, block + 'intermediate.dense'))
            x = self.norm(x + self.linear(y, block + 'output.dense'), block + 'output.LayerNorm', eps)
        head = 'text_decoder.cls.predictions.'
        x = self.norm(gelu(self.linear(x, head + 'transform.dense')), head + 'transform.LayerNorm', eps)
        return linear(x[:, 0], self.t[bert + 'embeddings.word_embeddings.weight'], self.t[head + 'bias'])

    def write(self, memory, n_beams):
        """The ids of exactly TOKENS tokens: beam search that may not stop; greedy with one beam."""
        ids, scores = torch.tensor([[self.text['bos_token_id']]]), torch.zeros(1)
        cache = [None] * len(memory)
        for position in range(TOKENS):
            logits = self.step(ids[:, -1], position, cache, memory)
            logits = logits.log_softmax(-1)
            logits[:, self.text['sep_token_id']] = -torch.inf
            scores, places = (logits + scores[:, None]).flatten().topk(n_beams)
            rows = torch.div(places, logits.shape[1], rounding_mode='floor')
            ids = torch.cat([ids[rows], (places % logits.shape[1])[:, None]], 1)
            cache = [(k[rows], v[rows]) for k, v in cache]
        return ids[0].tolist()


def main():
    torch.set_num_threads(1)
    blip = Blip(sys.argv[1])
    side = blip.vision['image_size']
    values = (numpy.arange(side * side * 3, dtype=numpy.uint64) * 2654435761 & 0xFFFFFFFF) >> 20 & 1023
    pixels = torch.from_numpy(values.astype(numpy.float32) / 512 - 1).reshape(1, side, side, 3).permute(0, 3, 1, 2)
    pixels = pixels.contiguous()
    print(f'ready PyTorch {torch.__version__} fp32', flush=True)
    with torch.inference_mode():
        for line in sys.stdin:
            start = time.perf_counter()
            memory = blip.look(pixels)
            looked = time.perf_counter()
            ids = blip.write(memory, int(line))
            print(looked - start, time.perf_counter() - looked, *ids, flush=True)


if __name__ == '__main__':
    main()
