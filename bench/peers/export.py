#!/usr/bin/python3
"""export.py CHECKPOINT FOLDER: the image tower of a checkpoint as ONNX, fp32 and (for a ViT) int8, with pictures.

FOLDER gets fp32.onnx, int8.onnx, inputs.f32 (PICTURES of [3, side, side], normalised noise in waves), inputs_nhwc.f32
(the same as [side, side, 3]) and shape.json. The int8 form is ONNX Runtime's own dynamic quantisation: unsigned bytes
by tensor, signed weights by output, DynamicQuantizeLinear and MatMulInteger, which it fuses. Needs Debian's
python3-torch and python3-onnx.
"""
import json
import pathlib
import sys

import numpy
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

import towers

PICTURES = 8
OPSET = 15


def quantise_weights(weights):
    """Symmetric by output, which is the last axis."""
    scale = (numpy.abs(weights).max(0) / 127).astype(numpy.float32)
    return numpy.clip(numpy.rint(weights / scale), -127, 127).astype(numpy.int8), scale


def quantise_product(node, weights, quantised, initializers):
    """The nodes that stand for a MatMul by constant weights; `quantised`: inputs that have been so already."""
    inputs, name, result = node.input[0], node.input[1], node.output[0]
    integers, scale = quantise_weights(weights)
    parts = {'q': integers, 's': scale, 'z': numpy.zeros(scale.shape, numpy.int8)}
    initializers.extend(numpy_helper.from_array(value, f'{name}_{part}') for part, value in parts.items())
    if inputs not in quantised:
        quantised[inputs] = [f'{inputs}_{part}' for part in 'qsz']
        yield helper.make_node('DynamicQuantizeLinear', [inputs], quantised[inputs])
    q, s, z = quantised[inputs]
    yield helper.make_node('MatMulInteger', [q, f'{name}_q', z, f'{name}_z'], [f'{result}_i'])
    yield helper.make_node('Cast', [f'{result}_i'], [f'{result}_f'], to=TensorProto.FLOAT)
    yield helper.make_node('Mul', [s, f'{name}_s'], [f'{result}_s'])
    yield helper.make_node('Mul', [f'{result}_f', f'{result}_s'], [result])


def quantise(source, target):
    model = onnx.load(str(source))
    graph = model.graph
    constants = {initializer.name: initializer for initializer in graph.initializer}
    nodes, quantised, initializers, replaced = [], {}, [], set()
    for node in graph.node:
        if node.op_type == 'MatMul' and node.input[1] in constants:
            weights = numpy_helper.to_array(constants[node.input[1]])
            nodes.extend(quantise_product(node, weights, quantised, initializers))
            replaced.add(node.input[1])
        else:
            nodes.append(node)
    kept = [initializer for initializer in graph.initializer if initializer.name not in replaced]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept + initializers)
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, str(target))
    return len(replaced)


def draw_pictures(side):
    """Waves and noise with the spread of normalised photographs."""
    generator = torch.Generator().manual_seed(7)
    noise = torch.randn(PICTURES, 3, side, side, generator=generator) * 0.2
    waves = torch.nn.functional.interpolate(torch.randn(PICTURES, 3, 7, 7, generator=generator), size=(side, side),
                                            mode='bicubic', align_corners=False)
    return waves + noise


def main(checkpoint, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tower, side = towers.open_tower(checkpoint)
    pictures = draw_pictures(side)
    pictures.numpy().tofile(folder / 'inputs.f32')
    pictures.permute(0, 2, 3, 1).contiguous().numpy().tofile(folder / 'inputs_nhwc.f32')
    with torch.no_grad():
        torch.onnx.export(tower, pictures[:1], str(folder / 'fp32.onnx'), opset_version=OPSET, input_names=['x'],
                          output_names=['y'], do_constant_folding=True)
    n_quantised = quantise(folder / 'fp32.onnx', folder / 'int8.onnx') if isinstance(tower, towers.Vit) else 0
    (folder / 'shape.json').write_text(json.dumps({'side': side, 'pictures': PICTURES, 'int8': n_quantised > 0}))
    print(f'{folder}: {PICTURES} pictures of {side} px, {n_quantised} layers in int8')


if len(sys.argv) != 3:
    sys.exit(__doc__)
main(*sys.argv[1:])
