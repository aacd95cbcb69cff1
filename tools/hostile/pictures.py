"""Small valid pictures of several formats, made from a seed with nothing but the standard library, and the parts of
which hostile ones are made."""
import struct
import zlib


def chunk(kind, data, crc=None):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data) if crc is None else crc)


PNG_MARK = b'\x89PNG\r\n\x1a\n'


def png_header(width, height, bits=8, colour=2, interlace=0):
    return chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, bits, colour, 0, 0, interlace))


def pixels(rng, width, height):
    """rows of RGB: two gradients and a few blocks, different for every seed"""
    a, b, c = (rng.randrange(1, 255) for _ in range(3))
    rows = [bytearray((x * a + y * b + k * c) // 16 & 255 for x in range(width) for k in range(3)) for y in range(height)]
    for _ in range(4):
        x, y = rng.randrange(width - 4), rng.randrange(height - 4)
        colour = bytes(rng.randrange(256) for _ in range(3))
        for row in rows[y:y + 12]:
            row[3 * x:3 * min(x + 12, width)] = colour * (min(x + 12, width) - x)
    return [bytes(row) for row in rows]


def png(rng, extra=b'', width=48, height=40):
    data = zlib.compress(b''.join(b'\0' + row for row in pixels(rng, width, height)))
    return PNG_MARK + png_header(width, height) + extra + chunk(b'IDAT', data) + chunk(b'IEND', b'')


def bmp(rng, width=48, height=40):
    rows = b''.join(row + b'\0' * (-len(row) % 4) for row in reversed(pixels(rng, width, height)))
    return (b'BM' + struct.pack('<IHHI', 54 + len(rows), 0, 0, 54) +
            struct.pack('<IiiHHIIiiII', 40, width, height, 1, 24, 0, len(rows), 2835, 2835, 0, 0) + rows)


def gif_data(indices):
    """LZW without compression: a clear code often enough for codes to stay nine bits wide"""
    bits, n = 0, 0
    out = bytearray()
    for i, index in enumerate(indices):
        for code in ([256, index] if i % 200 == 0 else [index]):
            bits |= code << n
            n += 9
            while n >= 8:
                out.append(bits & 255)
                bits >>= 8
                n -= 8
    bits |= 257 << n
    out += struct.pack('<I', bits)[:(n + 9 + 7) // 8]
    return b'\x08' + b''.join(bytes([len(out[i:i + 255])]) + out[i:i + 255] for i in range(0, len(out), 255)) + b'\0'


def gif_frame(width, height, data):
    return b',' + struct.pack('<HHHHB', 0, 0, width, height, 0) + data


def gif(rng, width=32, height=24, frames=1):
    palette = bytes(rng.randrange(256) for _ in range(768))
    body = b''.join(gif_frame(width, height, gif_data([rng.randrange(256) for _ in range(width * height)]))
                    for _ in range(frames))
    return b'GIF89a' + struct.pack('<HHBBB', width, height, 0xf7, 0, 0) + palette + body + b';'


def ifd(entries, following=0, order='<'):
    """entries: (tag, type, count, value as int or 4 bytes)"""
    out = struct.pack(order + 'H', len(entries))
    for tag, kind, count, value in entries:
        out += struct.pack(order + 'HHI', tag, kind, count)
        out += value if isinstance(value, bytes) else struct.pack(order + 'I', value)
    return out + struct.pack(order + 'I', following)


def tiff_entries(width, height, compression, offset, count):
    return [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, compression), (262, 3, 1, 1),
            (273, 4, 1, offset), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, count)]


def tiff(rng, width=48, height=40, extra=(), tail=b''):
    """Grey, one strip; `extra` entries may point to `tail`, whose offset is the second value returned by tiff_tail_at."""
    strip = b''.join(row[::3] for row in pixels(rng, width, height))
    entries = sorted(tiff_entries(width, height, 1, 8, len(strip)) + list(extra))
    return b'II*\0' + struct.pack('<I', 8 + len(strip)) + strip + ifd(entries) + tail


def tiff_tail_at(n_extra, width=48, height=40):
    return 8 + width * height + 2 + 12 * (9 + n_extra) + 4


def box(kind, data, size=None):
    return struct.pack('>I', 8 + len(data) if size is None else size) + kind + data


def riff(kind, chunks, size=None):
    return b'RIFF' + struct.pack('<I', 4 + len(chunks) if size is None else size) + kind + chunks


def riff_chunk(kind, data, size=None):
    return kind + struct.pack('<I', len(data) if size is None else size) + data + b'\0' * (len(data) & 1)


def segment(marker, data):
    return b'\xff' + bytes([marker]) + struct.pack('>H', 2 + len(data)) + data


def jpeg(rng, segments=b''):
    """Grey, 8 x 8 px of one brightness: one code in each of its two tables, so that all its scan is two bits."""
    table = bytes([rng.randrange(1, 255)]) * 64
    return (b'\xff\xd8' + segments + segment(0xdb, b'\0' + table) +
            segment(0xc0, struct.pack('>BHHB', 8, 8, 8, 1) + b'\1\x11\0') +
            segment(0xc4, b'\0\1' + bytes(15) + b'\0') + segment(0xc4, b'\x10\1' + bytes(15) + b'\0') +
            segment(0xda, b'\1\1\0\0\x3f\0') + b'\x3f\xff\xd9')


def sidecar(rng):
    words = ''.join(f'<rdf:li>word{rng.randrange(1000)}</rdf:li>' for _ in range(rng.randrange(20)))
    return ('<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            '<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
            f'xmp:Rating="{rng.randrange(-1, 6)}"><dc:subject><rdf:Bag>{words}</rdf:Bag></dc:subject></rdf:Description>'
            '</rdf:RDF></x:xmpmeta>').encode()


MAKERS = {'png': png, 'jpg': jpeg, 'bmp': bmp, 'gif': gif, 'tif': tiff}
