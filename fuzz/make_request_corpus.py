#!/usr/bin/env python3
"""make_request_corpus.py: writes corpus/request from this list. (What the fuzzer found keeps its bytes.)"""
import pathlib
import struct

FILE, SLOT, SMALL, READ_ONLY, FOLDER, PIPE, SOCKET, ENDLESS, WRITE_ONLY = range(9)
MAGIC, VERSION, ABSENT = 0x31444450, 5, -2**31
BMP = (b'BM' + struct.pack('<IHHI', 50, 0, 0, 26) + struct.pack('<IHHHH', 12, 3, 2, 1, 24) + bytes(range(24)))

XMP = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"> </rdf:RDF>'


def request(magic=MAGIC, version=VERSION, side=100, thumb=0, timeout=1000, rendition=0, meta_only=0, sidecar=0, merge=0,
            rating=0):
    return struct.pack('<IIQIIIIIIIi', magic, version, 7, side, thumb, timeout, rendition, meta_only, sidecar, merge, rating)


# name: descriptors, packet, make magic and version right, what the file holds
INPUTS = {
    'bitmap': ([FILE, SLOT], request(thumb=1), 1, BMP),
    'rendition': ([FILE, SLOT], request(rendition=320), 1, BMP),
    'rendition_and_thumb': ([FILE, SLOT], request(rendition=320, thumb=1), 1, BMP),
    'meta_only': ([FILE, SLOT], request(meta_only=1), 1, BMP),
    'sidecar': ([FILE, SLOT, FILE], request(sidecar=1), 1, BMP),
    'sidecar_is_a_folder': ([FILE, SLOT, FOLDER], request(sidecar=1), 1, BMP),
    'sidecar_is_endless': ([FILE, SLOT, ENDLESS], request(sidecar=1), 1, BMP),
    'sidecar_is_a_fifo': ([FILE, SLOT, PIPE], request(sidecar=1), 1, BMP),
    'sidecar_is_missing': ([FILE, SLOT], request(sidecar=1), 1, BMP),
    'sidecar_was_not_announced': ([FILE, SLOT, FILE], request(), 1, BMP),
    'merge': ([FILE, SLOT, FILE], request(side=0, sidecar=1, merge=1, rating=ABSENT), 1, XMP),
    'merge_rating': ([FILE, SLOT, FOLDER], request(side=0, sidecar=1, merge=1, rating=5), 1, XMP),
    'merge_no_xmp': ([FILE, SLOT, FOLDER], request(side=0, sidecar=1, merge=1, rating=5), 1, BMP),
    'merge_without_words': ([FILE, SLOT], request(side=0, merge=1), 1, XMP),
    'merge_of_six_stars': ([FILE, SLOT, FILE], request(side=0, sidecar=1, merge=1, rating=6), 1, XMP),
    'not_a_picture': ([FILE, SLOT], request(), 1, b'hello'),
    'no_descriptor': ([], request(), 1, b'hello'),
    'one_descriptor': ([FILE], request(), 1, b'hello'),
    'four_descriptors': ([FILE, SLOT, FOLDER, PIPE], request(sidecar=1), 1, b'hello'),
    'folder': ([FOLDER, SLOT], request(), 1, b''),
    'fifo': ([PIPE, SLOT], request(), 1, b''),
    'socket': ([SOCKET, SOCKET], request(), 1, b''),
    'endless': ([ENDLESS, SLOT], request(), 1, b''),
    'write_only': ([WRITE_ONLY, SLOT], request(), 1, b'hello'),
    'empty_file': ([FILE, SLOT], request(), 1, b''),
    'slot_too_small': ([FILE, SMALL], request(), 1, BMP),
    'slot_read_only': ([FILE, READ_ONLY], request(), 1, BMP),
    'slot_is_a_folder': ([FILE, FOLDER], request(), 1, BMP),
    'slot_as_file': ([SLOT, SLOT], request(), 1, b''),
    'other_version': ([FILE, SLOT], request(version=1), 0, BMP),
    'other_magic': ([FILE, SLOT], request(magic=7), 0, BMP),
    'short_packet': ([FILE, SLOT], request()[:-1], 0, b''),
    'long_packet': ([FILE, SLOT], request() + b'x', 0, BMP),
    'thumb_of_two': ([FILE, SLOT], request(thumb=2), 1, BMP),
    'no_time': ([FILE, SLOT], request(timeout=0), 1, BMP),
    'huge_time': ([FILE, SLOT], request(timeout=0xffffffff), 1, BMP),
    'huge_side': ([FILE, SLOT], request(side=0xffffffff), 1, BMP),
    'largest_side': ([FILE, SLOT], request(side=1000000, thumb=1), 1, BMP),
}


def main():
    folder = pathlib.Path(__file__).parent / 'corpus/request'
    for name, (fds, packet, is_mended, file) in INPUTS.items():
        head = bytes([len(fds), *fds, *[0] * (4 - len(fds)), len(packet), is_mended])
        (folder / name).write_bytes(head + packet + file)


if __name__ == '__main__':
    main()
