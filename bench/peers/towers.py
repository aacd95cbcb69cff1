"""towers.py: the image towers of a checkpoint in Hugging Face layout as PyTorch modules: what the peers run."""
import json
import pathlib
import struct

import torch
from torch import nn
from torch.nn import functional

DTYPES = {'F32': torch.float32, 'F16': torch.float16, 'BF16': torch.bfloat16}
# output channels and strides of MobileNetV2's 16 blocks behind the stem (transformers' MobileNetV2Model, width 1)
MOBILE_STRIDES = [2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1]


def read_tensors(path):
    """{name: float32 tensor} of the floats in a .safetensors file."""
    data = bytearray(pathlib.Path(path).read_bytes())
    header_bytes = struct.unpack_from('<Q', data)[0]
    tensors = {}
    for name, entry in json.loads(data[8:8 + header_bytes]).items():
        if entry.get('dtype') in DTYPES:
            first, end = entry['data_offsets']
            dtype = DTYPES[entry['dtype']]
            count = (end - first) // torch.tensor([], dtype=dtype).element_size()
            flat = torch.frombuffer(data, dtype=dtype, count=count, offset=8 + header_bytes + first)
            tensors[name] = flat.to(torch.float32).reshape(entry['shape'])
    return tensors


class Block(nn.Module):
    """A pre-norm transformer block; q, k and v as one layer, as a peer's user would write it for speed."""

    def __init__(self, tensors, prefix, heads, eps):
        super().__init__()
        get = {name[len(prefix):]: value for name, value in tensors.items() if name.startswith(prefix)}
        width = get['layer_norm1.weight'].numel()
        self.heads, self.scale = heads, (width // heads) ** -0.5
        self.norm1, self.norm2 = nn.LayerNorm(width, eps), nn.LayerNorm(width, eps)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.fc1 = nn.Linear(width, get['mlp.fc1.weight'].shape[0])
        self.fc2 = nn.Linear(get['mlp.fc1.weight'].shape[0], width)
        for module, name in [(self.norm1, 'layer_norm1'), (self.norm2, 'layer_norm2'),
                             (self.out, 'self_attn.out_proj'), (self.fc1, 'mlp.fc1'), (self.fc2, 'mlp.fc2')]:
            module.load_state_dict({'weight': get[f'{name}.weight'], 'bias': get[f'{name}.bias']})
        self.qkv.load_state_dict({kind: torch.cat([get[f'self_attn.{part}_proj.{kind}'] for part in 'qkv'])
                                  for kind in ('weight', 'bias')})

    def forward(self, x):
        batch, tokens, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        weights = ((q * self.scale) @ k.transpose(-1, -2)).softmax(-1)
        x = x + self.out((weights @ v).transpose(1, 2).reshape(batch, tokens, width))
        y = self.fc1(self.norm2(x))
        return x + self.fc2(y * torch.sigmoid(1.702 * y))


class Vit(nn.Module):
    def __init__(self, tensors, config):
        super().__init__()
        shape, prefix = config['vision_config'], 'vision_model.'
        if shape['hidden_act'] != 'quick_gelu':
            raise SystemExit('only quick_gelu is exported')
        width, patch, eps = shape['hidden_size'], shape['patch_size'], shape['layer_norm_eps']
        self.patch = patch
        self.patches = nn.Linear(3 * patch * patch, width, bias=False)
        self.patches.weight = nn.Parameter(tensors[prefix + 'embeddings.patch_embedding.weight'].flatten(1))
        self.token = nn.Parameter(tensors[prefix + 'embeddings.class_embedding'])
        self.positions = nn.Parameter(tensors[prefix + 'embeddings.position_embedding.weight'])
        self.before, self.after = nn.LayerNorm(width, eps), nn.LayerNorm(width, eps)
        for norm, name in [(self.before, 'pre_layrnorm'), (self.after, 'post_layernorm')]:  # sic
            norm.load_state_dict({kind: tensors[f'{prefix}{name}.{kind}'] for kind in ('weight', 'bias')})
        self.blocks = nn.ModuleList(
            [Block(tensors, f'{prefix}encoder.layers.{i}.', shape['num_attention_heads'], eps)
             for i in range(shape['num_hidden_layers'])])
        self.projection = nn.Parameter(tensors['visual_projection.weight'].T.contiguous())

    def forward(self, x):
        n = x.shape[-1] // self.patch  # a product of matrices, so that the int8 form has it too
        x = x.reshape(-1, 3, n, self.patch, n, self.patch).permute(0, 2, 4, 1, 3, 5)
        x = self.patches(x.reshape(-1, n * n, 3 * self.patch * self.patch))
        x = torch.cat([self.token.expand(x.shape[0], 1, -1), x], 1) + self.positions
        x = self.before(x)
        for block in self.blocks:
            x = block(x)
        return self.after(x[:, 0]) @ self.projection


class Convolution(nn.Module):
    """A convolution, its batch norm and perhaps relu6, padded as TensorFlow does: an odd pixel at the end."""

    def __init__(self, tensors, prefix, stride=1, depthwise=False, clip=True):
        super().__init__()
        weight = tensors[prefix + '.convolution.weight']
        outputs, inputs, kernel, _ = weight.shape
        self.clip, self.uneven = clip, kernel == 3 and stride == 2
        self.convolution = nn.Conv2d(inputs * (outputs if depthwise else 1), outputs, kernel, stride,
                                     1 if kernel == 3 and stride == 1 else 0,
                                     groups=outputs if depthwise else 1, bias=False)
        self.convolution.weight = nn.Parameter(weight)
        self.normalization = nn.BatchNorm2d(outputs, 0.001)
        self.normalization.load_state_dict({name: tensors[f'{prefix}.normalization.{name}'] for name in
                                            ('weight', 'bias', 'running_mean', 'running_var')}, strict=False)

    def forward(self, x):
        x = functional.pad(x, (0, 1, 0, 1)) if self.uneven else x
        x = self.normalization(self.convolution(x))
        return functional.relu6(x) if self.clip else x


class MobileBlock(nn.Module):
    def __init__(self, tensors, prefix, stride):
        super().__init__()
        self.parts = nn.Sequential(Convolution(tensors, prefix + 'expand_1x1'),
                                   Convolution(tensors, prefix + 'conv_3x3', stride, depthwise=True),
                                   Convolution(tensors, prefix + 'reduce_1x1', clip=False))
        widened, reduced = self.parts[0].convolution, self.parts[2].convolution
        self.residual = stride == 1 and widened.in_channels == reduced.out_channels

    def forward(self, x):
        return x + self.parts(x) if self.residual else self.parts(x)


class MobileNet(nn.Module):
    """MobileNetV2 at width 1 and output stride 32, with TensorFlow's padding: what models/tiny is."""

    def __init__(self, tensors, config):
        super().__init__()
        shape, prefix = config['vision_config'], 'vision_model.'
        if not shape['tf_padding'] or shape['output_stride'] != 32 or shape['depth_multiplier'] != 1.0:
            raise SystemExit('only the shape of models/tiny is exported')
        stem = prefix + 'conv_stem.'
        self.network = nn.Sequential(
            Convolution(tensors, stem + 'first_conv', 2), Convolution(tensors, stem + 'conv_3x3', depthwise=True),
            Convolution(tensors, stem + 'reduce_1x1', clip=False),
            *[MobileBlock(tensors, f'{prefix}layer.{i}.', stride) for i, stride in enumerate(MOBILE_STRIDES)],
            Convolution(tensors, prefix + 'conv_1x1'))
        self.projection = nn.Parameter(tensors['visual_projection.weight'].T.contiguous())

    def forward(self, x):
        return self.network(x).mean((2, 3)) @ self.projection


def open_tower(folder):
    """(module, side of its pictures in px)"""
    folder = pathlib.Path(folder)
    config = json.loads((folder / 'config.json').read_text())
    kind = MobileNet if config['vision_config'].get('model_type') == 'mobilenet_v2' else Vit
    with torch.no_grad():
        return kind(read_tensors(folder / 'model.safetensors'), config).eval(), config['vision_config']['image_size']
