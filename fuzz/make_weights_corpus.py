#!/usr/bin/env python3
"""make_weights_corpus.py: writes corpus/zip, corpus/pickle and corpus/safetensors' archives. (What the fuzzer found
keeps its bytes.) Pickles are written by hand: PyTorch is not needed, and would not write most of these."""
import io
import pathlib
import struct
import zipfile


def text(s):
    return b'X' + struct.pack('<I', len(s)) + s.encode()


def storage(key='0', kind='FloatStorage', count=4):
    return (b'(' + text('storage') + f'ctorch\n{kind}\n'.encode() + text(key) + text('cpu') + b'K' + bytes([count]) + b'tQ')


def tensor(name='t', shape=(4,), stride=(1,), first=0, **of_storage):
    numbers = lambda extents: b'(' + b''.join(b'K' + bytes([e]) for e in extents) + b't'
    return (text(name) + b'ctorch._utils\n_rebuild_tensor_v2\n(' + storage(**of_storage) + b'K' + bytes([first]) +
            numbers(shape) + numbers(stride) + b'\x89ccollections\nOrderedDict\n)RtR')


def table(*tensors):
    return b'\x80\x02ccollections\nOrderedDict\n)Rq\x00(' + b''.join(tensors) + b'u}' + text('_metadata') + b'}sb.'


PICKLES = {
    'one_tensor': table(tensor()),
    'turned': table(tensor(shape=(2, 2), stride=(1, 2))),
    'halves_and_longs': table(tensor('a', kind='HalfStorage'), tensor('b', kind='LongStorage', key='1')),
    'parameter': b'\x80\x02}(' + text('p') + b'ctorch._utils\n_rebuild_parameter\n(' + tensor()[6:] + b'\x88}tRu.',
    'not_only_tensors': b'\x80\x02}(' + tensor() + text('epoch') + b'J\x05\0\0\0' + text('loss') + b'G' + b'\0' * 8 +
                        text('list') + b'](K\1K\2e' + text('none') + b'Nu.',
    'remembered': b'\x80\x02}(' + text('a') + b'q\x01ctorch._utils\n_rebuild_tensor_v2\nq\x02(' + storage() +
                  b'K\0K\4\x85q\x03K\1\x85\x89}tq\x04Rq\x05' + text('b') + b'h\x05u.',
    'os_system': b'\x80\x02cos\nsystem\n(' + text('true') + b'tR.',
    'stack_global': b'\x80\x02' + text('os') + text('system') + b'\x93' + text('true') + b'\x85R.',
    'inst': b'\x80\x02(' + text('true') + b'ios\nsystem\n.',
    'new_object': b'\x80\x02cbuiltins\nobject\n)\x81.',
    'protocol_4': b'\x80\x04\x95\0\0\0\0\0\0\0\0}.',
    'holds_itself': b'\x80\x02}q\0' + text('a') + b'h\0sh\0b.',
    'tower_of_tuples': b'\x80\x02)' + b'\x85' * 2000 + b'.',
    'many_marks': b'\x80\x02' + b'(' * 2000 + b'.',
    'giant_text': b'\x80\x02X\xff\xff\xff\xffabc.',
    'giant_memo': b'\x80\x02}r\xff\xff\xff\xff.',
    'giant_number': b'\x80\x02\x8a\xff.',
    'never_remembered': b'\x80\x02h\x07.',
    'empty_table': b'\x80\x02}.',
    'empty': b'',
}


def archive(files, method=zipfile.ZIP_STORED, comment=b''):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, 'w', method) as z:
        for name, content in files:
            z.writestr(zipfile.ZipInfo(name), content, method)
        z.comment = comment
    return packed.getvalue()


def zip64(good, said=None):
    """The same archive with the end record of zip64, as PyTorch writes it; said: where that is said to be."""
    end = good.rindex(b'PK\5\6')
    count, length, at = struct.unpack('<HII', good[end + 10:end + 20])
    end64 = b'PK\6\6' + struct.pack('<QHHIIQQQQ', 44, 45, 45, 0, 0, count, count, length, at)
    locator = b'PK\6\7' + struct.pack('<IQI', 0, end if said is None else said, 1)
    return good[:end] + end64 + locator + b'PK\5\6' + b'\xff' * 16 + b'\0\0'


def overlapping():
    """Two names for the same bytes."""
    good = archive([('a/data/0', b'0123456789'), ('a/data/1', b'')])
    second = good.rindex(b'PK\1\2')
    line = bytearray(good[second:second + 46])
    line[20:28] = struct.pack('<II', 10, 10)
    line[42:46] = struct.pack('<I', 0)
    return good[:second] + bytes(line) + good[second + 46:]


FILES = [('a/data.pkl', table(tensor())), ('a/data/0', bytes(16)), ('a/version', b'3\n')]
GOOD = archive(FILES)
ZIPS = {
    'state_dict': GOOD,
    'state_dict_zip64': zip64(GOOD),
    'commented': archive(FILES, comment=b'PK\5\6 is not the end'),
    'deflated': archive([('a/data.pkl', bytes(100000))], zipfile.ZIP_DEFLATED),
    'overlapping': overlapping(),
    'twice': archive([('a', b'1'), ('b', b'2')]).replace(b'b', b'a'),
    'no_files': archive([]),
    'cut_short': GOOD[:-30],
    'directory_outside': GOOD[:-6] + b'\xff\xff\xff\x7f\0\0',
    'too_many': GOOD[:-12] + b'\xff\xff' + GOOD[-10:],
    'end64_outside': zip64(GOOD, 1 << 62),
    'empty': b'',
}


def write(folder, inputs):
    for name, content in inputs.items():
        path = pathlib.Path(__file__).parent / 'corpus' / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


write('pickle', PICKLES)
write('zip', ZIPS)
write('safetensors', {'torch_' + name: content for name, content in ZIPS.items() if name.startswith('state_dict')})
