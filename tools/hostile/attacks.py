"""Files that mean harm. `spoil` damages a valid picture at random; every function in ATTACKS makes one file from
nothing: (extension, bytes). Those in HEAVY cost seconds of decoding and are made once."""
import struct
import zlib

from pictures import (PNG_MARK, box, chunk, gif_data, gif_frame, ifd, jpeg, png, png_header, riff, riff_chunk, segment,
                      sidecar, tiff, tiff_entries, tiff_tail_at)

EXTREMES = (0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff)
EXTENSIONS = ('jpg', 'jpeg', 'png', 'webp', 'gif', 'bmp', 'tif', 'tiff', 'heic', 'heif', 'avif', 'jxl', 'jp2',
              'dng', 'cr2', 'cr3', 'crw', 'nef', 'arw', 'raf', 'rw2', 'orf', 'pef', 'srw', 'x3f', 'mrw')


# ---- damage

def cut(rng, data):
    return data[:rng.randrange(len(data))]


def cut_short(rng, data):
    return data[:rng.randrange(min(len(data), 200))]


def flip(rng, data):
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def flip_early(rng, data):
    out = bytearray(data)
    for _ in range(rng.randrange(1, 12)):
        out[rng.randrange(min(len(out), 300))] = rng.randrange(256)
    return bytes(out)


def lie(rng, data):
    """a number of 1, 2 or 4 bytes near the beginning becomes an extreme one"""
    out = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        width = rng.choice((1, 2, 4, 4))
        at = rng.randrange(max(1, min(len(out), 2000) - width))
        value = rng.choice(EXTREMES) & ((1 << 8 * width) - 1)
        out[at:at + width] = value.to_bytes(width, rng.choice(('big', 'little')))
    return bytes(out)


def blank(rng, data):
    at = rng.randrange(len(data))
    n = rng.randrange(1, 4096)
    return data[:at] + bytes([rng.choice((0, 0xff, 0x41))]) * min(n, len(data) - at) + data[at + n:]


def noise(rng, data):
    at = rng.randrange(len(data))
    n = min(rng.randrange(1, 4096), len(data) - at)
    return data[:at] + rng.randbytes(n) + data[at + n:]


def double(rng, data):
    at = rng.randrange(len(data))
    n = rng.randrange(1, 2048)
    return data[:at] + data[at:at + n] * rng.randrange(2, 20) + data[at:]


def swap(rng, data):
    a, b = sorted(rng.randrange(len(data)) for _ in range(2))
    return data[:a] + data[b:] + data[a:b]


def pad(rng, data):
    return data + rng.randbytes(rng.randrange(1, 20000))


DAMAGE = (cut, cut, cut_short, flip, flip, flip_early, flip_early, lie, lie, lie, blank, noise, double, swap, pad)


def spoil(rng, data):
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        data = rng.choice(DAMAGE)(rng, data) or b'\0'
    return data


def splice(rng, one, two):
    return one[:rng.randrange(len(one))] + two[rng.randrange(len(two)):]


# ---- metadata

LAUGHS = ('<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a0 "ha">' +
          ''.join(f'<!ENTITY a{i} "{"&a%d;" % (i - 1) * 10}">' for i in range(1, 12)) +
          ']><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
          '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>&a11;</dc:title></rdf:Description>'
          '</rdf:RDF></x:xmpmeta>').encode()
XXE = (b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY f SYSTEM "file:///etc/passwd"><!ENTITY % p SYSTEM '
       b'"http://127.0.0.1:9/x.dtd">%p;]><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
       b'"http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/">'
       b'<dc:title>&f;</dc:title></rdf:Description></rdf:RDF></x:xmpmeta>')


def xmp_of(rng):
    deep = b'<a>' * 200000
    wide = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + b'<rdf:li>k</rdf:li>' * 100000
    unclosed = b'<x:xmpmeta xmlns:x="' + b'a' * 300000
    return rng.choice((LAUGHS, XXE, deep, wide, unclosed))


def exif_of(rng):
    """a TIFF block whose directories bite their own tails, or count to the end of the world"""
    kind = rng.randrange(6)
    head = b'II*\0' + struct.pack('<I', 8)
    if kind == 0:
        return head + ifd([(0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0xa005, 4, 1, 8)], following=8)
    if kind == 1:
        return head + ifd([(0x110, 2, 0xffffffff, 26), (0x8769, 4, 0x40000001, 8)], following=0xffffffff)
    if kind == 2:  # directories that point to each other
        return head + ifd([(0x8769, 4, 1, 26)], following=26) + ifd([(0x8769, 4, 1, 8)], following=8)
    if kind == 3:
        return head + struct.pack('<H', 0xffff) + bytes(rng.randrange(256) for _ in range(4000))
    if kind == 4:
        return head + ifd([(tag, rng.randrange(14), rng.choice(EXTREMES), rng.choice(EXTREMES)) for tag in
                           (0x10f, 0x110, 0x112, 0x132, 0x8769, 0x8825, 0x9003, 0x829a, 0x829d, 0x8827)])
    return b'MM\0*' + struct.pack('>I', rng.choice(EXTREMES))


def png_with_exif_loop(rng):
    return 'png', png(rng, chunk(b'eXIf', exif_of(rng)))


def png_with_xmp(rng):
    return 'png', png(rng, chunk(b'iTXt', b'XML:com.adobe.xmp\0\0\0\0\0' + xmp_of(rng)))


def png_with_packed_xmp(rng):
    return 'png', png(rng, chunk(b'iTXt', b'XML:com.adobe.xmp\0\1\0\0\0' + zlib.compress(xmp_of(rng) * 20)))


def jpeg_with_exif_loop(rng):
    return 'jpg', jpeg(rng, segment(0xe1, b'Exif\0\0' + exif_of(rng)[:65000]) * rng.choice((1, 50)))


def jpeg_with_xmp(rng):
    return 'jpg', jpeg(rng, segment(0xe1, b'http://ns.adobe.com/xap/1.0/\0' + xmp_of(rng)[:65000]))


def jpeg_with_long_xmp(rng):
    """a packet that names its continuation, whose pieces lie about their size and place"""
    name = b'0123456789ABCDEF' * 2
    packet = (b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
              b'<rdf:Description xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="' + name +
              b'"/></rdf:RDF></x:xmpmeta>')
    pieces = b''.join(segment(0xe1, b'http://ns.adobe.com/xmp/extension/\0' + name + struct.pack(
        '>II', rng.choice(EXTREMES), rng.choice(EXTREMES)) + xmp_of(rng)[:60000]) for _ in range(rng.randrange(1, 9)))
    return 'jpg', jpeg(rng, segment(0xe1, b'http://ns.adobe.com/xap/1.0/\0' + packet) + pieces)


def jpeg_with_iptc(rng):
    """Photoshop's blocks and IPTC's records, lengths at random"""
    records = b''.join(b'\x1c\2' + bytes([rng.choice((5, 25, 80, 116, 120))]) + struct.pack('>H', rng.choice(
        (0, 1, 5, 0x7fff, 0x8000, 0x8004, 0xffff))) + rng.randbytes(5) for _ in range(rng.randrange(1, 2000)))
    block = b'8BIM\4\4\0\0' + struct.pack('>I', rng.choice((len(records),) + EXTREMES)) + records
    return 'jpg', jpeg(rng, segment(0xed, b'Photoshop 3.0\0' + block[:60000]))


def webp_with_metadata(rng):
    extra = riff_chunk(b'EXIF', exif_of(rng), rng.choice((None, 0xffffffff))) + riff_chunk(b'XMP ', xmp_of(rng))
    return 'webp', riff(b'WEBP', riff_chunk(b'VP8X', b'\x0c\0\0\0' + b'\1\0\0' * 2) +
                        riff_chunk(b'VP8L', b'\x2f' + rng.randbytes(40)) + extra)


def tiff_with_xmp(rng):
    xmp = xmp_of(rng)
    return 'tif', tiff(rng, extra=[(700, 1, len(xmp), tiff_tail_at(1))], tail=xmp)


def tiff_with_exif_loop(rng):
    return 'tif', tiff(rng, extra=[(0x8769, 4, 1, tiff_tail_at(2)), (0x8825, 4, 1, tiff_tail_at(2))],
                       tail=ifd([(0x8769, 4, 1, tiff_tail_at(2)), (0x9003, 2, 0xffffffff, 0)], tiff_tail_at(2)))


def png_with_profile(rng):
    """large, or a header that promises what does not follow"""
    profile = bytearray(rng.randbytes(rng.choice((128, 4000, 2000000))))
    profile[0:4] = struct.pack('>I', rng.choice((len(profile),) + EXTREMES))
    profile[36:40] = b'acsp'
    profile[128:132] = struct.pack('>I', rng.choice(EXTREMES))
    return 'png', png(rng, chunk(b'iCCP', b'p\0\0' + zlib.compress(bytes(profile), 1)))


def png_with_profile_bomb(rng):
    return 'png', png(rng, chunk(b'iCCP', b'p\0\0' + zlib.compress(bytes(100000000), 9)))


def png_with_text_bomb(rng):
    return 'png', png(rng, b''.join(chunk(b'zTXt', b'k%d\0\0' % i + zlib.compress(bytes(20000000), 9)) for i in range(40)))


def png_with_many_chunks(rng):
    return 'png', png(rng, b''.join(chunk(b'tEXt', b'k\0%d' % i) for i in range(100000)))


# ---- sizes

def png_lying(rng):
    sides = (0, 1, 65535, 65536, 1000000, 1000001, 0x7fffffff, 0xffffffff)
    header = png_header(rng.choice(sides), rng.choice(sides), rng.choice((1, 2, 4, 8, 16, 3)), rng.choice((0, 2, 3, 4, 6)),
                        rng.randrange(2))
    return 'png', PNG_MARK + header + chunk(b'IDAT', zlib.compress(rng.randbytes(500))) + chunk(b'IEND', b'')


def png_overfull(rng):
    """far more pixels than its size has room for"""
    return 'png', PNG_MARK + png_header(16, 16) + chunk(b'IDAT', zlib.compress(bytes(30000000), 9)) + chunk(b'IEND', b'')


def png_animated_for_ever(rng):
    return 'png', png(rng, chunk(b'acTL', struct.pack('>II', 0x7fffffff, 0)) +
                      chunk(b'fcTL', struct.pack('>IIIIIHHBB', 0, 48, 40, 0, 0, 0, 0, 0, 0)) * 3)


def png_bomb(rng):
    rows = zlib.compressobj(9)
    data = b''.join(rows.compress(bytes(20001) * 100) for _ in range(200)) + rows.flush()
    return 'png', PNG_MARK + png_header(20000, 20000, 8, 0) + chunk(b'IDAT', data) + chunk(b'IEND', b'')


def png_interlaced_bomb(rng):
    data = zlib.compress(bytes(430000000), 1)
    return 'png', PNG_MARK + png_header(20000, 20000, 8, 0, 1) + chunk(b'IDAT', data) + chunk(b'IEND', b'')


def png_beyond_limit(rng):
    rows = zlib.compressobj(9)
    data = rows.compress(bytes(12501) * 1000) + rows.flush()
    return 'png', PNG_MARK + png_header(100000, 100000, 1, 0) + chunk(b'IDAT', data) + chunk(b'IEND', b'')


def gif_large(rng):
    head = b'GIF89a' + struct.pack('<HHBBB', 65535, 65535, 0xf7, 0, 0) + bytes(768)
    return 'gif', head + gif_frame(rng.choice((1, 65535)), rng.choice((1, 65535)), gif_data([0] * 50)) + b';'


def gif_of_many_frames(rng):
    head = b'GIF89a' + struct.pack('<HHBBB', 8, 8, 0xf7, 0, 0) + bytes(768)
    return 'gif', head + gif_frame(1, 1, gif_data([0])) * rng.choice((1000, 100000)) + b';'


def gif_of_a_million_frames(rng):
    head = b'GIF89a' + struct.pack('<HHBBB', 2000, 2000, 0xf7, 0, 0) + bytes(768)
    return 'gif', head + gif_frame(1, 1, gif_data([0])) * 1000000 + b';'


def gif_of_endless_blocks(rng):
    head = b'GIF89a' + struct.pack('<HHBBB', 8, 8, 0xf7, 0, 0) + bytes(768)
    return 'gif', head + b'!\xff\x0bNETSCAPE2.0' + b'\x01x' * 500000


def bmp_lying(rng):
    return 'bmp', (b'BM' + struct.pack('<IHHI', rng.choice(EXTREMES), 0, 0, rng.choice(EXTREMES)) +
                   struct.pack('<IIIHHIIIIII', rng.choice((12, 40, 64, 108, 124, 0xffffffff)), rng.choice(EXTREMES),
                               rng.choice(EXTREMES), rng.choice((0, 1, 0xffff)), rng.choice((1, 4, 8, 16, 24, 32, 0)),
                               rng.randrange(8), rng.choice(EXTREMES), 0, 0, rng.choice(EXTREMES), 0) + rng.randbytes(300))


def bmp_of_runs(rng):
    """a tiny file that unpacks to 256 MiB"""
    return 'bmp', (b'BM' + struct.pack('<IHHI', 2000, 0, 0, 1078) +
                   struct.pack('<IIIHHIIIIII', 40, 16384, 16384, 1, 8, 1, 0, 0, 0, 256, 0) + bytes(1024) +
                   b'\0\2\xff\xff' * 200 + b'\0\1')


def tiff_lying(rng):
    entries = tiff_entries(rng.choice(EXTREMES), rng.choice(EXTREMES), rng.choice((1, 5, 7, 8, 32773, 34712)),
                           rng.choice(EXTREMES), rng.choice(EXTREMES))
    if rng.random() < 0.3:
        entries += [(322, 4, 1, rng.choice(EXTREMES)), (323, 4, 1, rng.choice(EXTREMES)),
                    (324, 4, rng.choice(EXTREMES), 8), (325, 4, rng.choice(EXTREMES), 8)]
    return 'tif', b'II*\0' + struct.pack('<I', 8) + ifd(sorted(entries), rng.choice((0, 8, 0xffffffff))) + rng.randbytes(200)


def tiff_chain(rng):
    """a hundred thousand directories, one behind the other, or round in a ring"""
    n, size = rng.choice(((100000, 18), (3000, 18))), 18
    n = n[0]
    ring = rng.random() < 0.5
    out = [b'II*\0' + struct.pack('<I', 8)]
    for i in range(n):
        after = 8 + (i + 1) * size if i + 1 < n else (8 if ring else 0)
        out.append(ifd([(256, 4, 1, 1)], after))
    return 'tif', b''.join(out)


def tiff_bomb(rng):
    strip = zlib.compress(bytes(400000000), 9)
    entries = tiff_entries(20000, 20000, 8, 8, len(strip))
    return 'tif', b'II*\0' + struct.pack('<I', 8 + len(strip)) + strip + ifd(entries)


def tiff_big_lying(rng):
    out = b'II+\0' + struct.pack('<HHQ', 8, 0, 16) + struct.pack('<Q', rng.choice((3, 0xffff, 1 << 62)))
    for tag in (256, 257, 273):
        out += struct.pack('<HHQQ', tag, rng.choice((4, 16)), rng.choice((1, 1 << 40)), rng.choice(EXTREMES))
    return 'tif', out + struct.pack('<Q', rng.choice((0, 16, 1 << 63)))


def webp_lying(rng):
    kind = rng.randrange(4)
    big = struct.pack('<I', 0xffffff)[:3]
    if kind == 0:
        return 'webp', riff(b'WEBP', riff_chunk(b'VP8X', b'\x02\0\0\0' + big + big), 0xfffffffe)
    if kind == 1:
        frame = riff_chunk(b'ANMF', bytes(6) + bytes(6) + bytes(4))
        return 'webp', riff(b'WEBP', riff_chunk(b'VP8X', b'\x02\0\0\0' + b'\x1f\0\0' * 2) + riff_chunk(b'ANIM', bytes(6)) +
                            frame * 50000)
    if kind == 2:
        return 'webp', riff(b'WEBP', riff_chunk(b'VP8L', b'\x2f\xff\xff\xff\x0f' + rng.randbytes(400)))
    return 'webp', riff(b'WEBP', riff_chunk(b'VP8 ', b'\x10\x02\0\x9d\x01\x2a\xff\x3f\xff\x3f' + rng.randbytes(400)))


def jpeg_lying(rng):
    sof = b'\xff' + rng.choice((b'\xc0', b'\xc2', b'\xc9')) + struct.pack('>HBHHB', 17, rng.choice((8, 12)), rng.choice(
        (0, 1, 65535)), rng.choice((0, 1, 65535)), 3) + b'\1\x44\0\2\x11\0\3\x11\0'
    app = b'\xff\xe1' + struct.pack('>H', min(65535, 8 + len(e := exif_of(rng)))) + b'Exif\0\0' + e[:65000]
    scans = b'\xff\xda\0\x0c\3\1\0\2\x11\3\x11\0\x3f\0' * rng.choice((1, 1000))
    return 'jpg', b'\xff\xd8' + app + sof + b'\xff\xdb\0\x43\0' + b'\1' * 64 + scans + rng.randbytes(200)


def jpeg_of_scans(rng):
    """progressive, with as many scans as fit: each costs a pass over all coefficients"""
    tables = b'\xff\xdb\0\x43\0' + b'\1' * 64 + b'\xff\xc4\0\x14\0' + b'\1' + bytes(15) + b'\0' + \
             b'\xff\xc4\0\x14\x10' + b'\1' + bytes(15) + b'\0'
    sof = b'\xff\xc2' + struct.pack('>HBHHB', 11, 8, 8000, 8000, 1) + b'\1\x11\0'
    scans = b''.join(b'\xff\xda\0\x08\1\1\0' + bytes([k, k, 0]) + b'\0' for k in range(1, 64)) * 300
    return 'jpg', b'\xff\xd8' + tables + sof + b'\xff\xda\0\x08\1\1\0\0\0\1\0' + scans + b'\xff\xd9'


def heif_loop(rng):
    brand = box(b'ftyp', rng.choice((b'heic', b'avif', b'mif1')) + b'\0\0\0\0mif1heicavif')
    kind = rng.randrange(5)
    if kind == 0:  # a box of no size, for ever
        return 'heic', brand + box(b'meta', b'\0\0\0\0' + box(b'free', b'', 0) * 10)
    if kind == 1:
        return 'heic', brand + struct.pack('>I', 1) + b'meta' + struct.pack('>Q', rng.choice((0, 1, 16, 1 << 62)))
    if kind == 2:
        nested = b''
        for _ in range(3000):
            nested = box(b'meta', b'\0\0\0\0' + nested)
        return 'heic', brand + nested
    if kind == 3:  # an item derived from itself
        infe = box(b'infe', b'\2\0\0\0' + struct.pack('>HH', 1, 0) + b'grid\0')
        iref = box(b'iref', b'\0\0\0\0' + box(b'dimg', struct.pack('>HHH', 1, 1, 1)))
        iloc = box(b'iloc', b'\0\0\0\0\x44\0' + struct.pack('>HHHHII', 1, 1, 0, 1, 0, 0xffffffff))
        ispe = box(b'iprp', box(b'ipco', box(b'ispe', b'\0\0\0\0' + struct.pack('>II', 0x7fffffff, 0x7fffffff))) +
                   box(b'ipma', b'\0\0\0\0' + struct.pack('>IHBB', 1, 1, 1, 0x81)))
        return 'heic', brand + box(b'meta', b'\0\0\0\0' + box(b'hdlr', bytes(8) + b'pict' + bytes(13)) + box(
            b'pitm', b'\0\0\0\0\0\1') + iloc + box(b'iinf', b'\0\0\0\0\0\1' + infe) + iref + ispe)
    return 'avif', brand + box(b'meta', b'\0\0\0\0' + box(b'iloc', b'\2\0\0\0\x88\x88' + b'\xff' * 2000))


def jp2_lying(rng):
    codestream = b'\xff\x4f\xff\x51' + struct.pack('>HHIIIIIIIIH', 41, 0, *[rng.choice(EXTREMES) for _ in range(8)], 1) + \
        b'\x07\1\1' + rng.randbytes(300)
    return 'jp2', (b'\0\0\0\x0cjP  \r\n\x87\n' + box(b'ftyp', b'jp2 \0\0\0\0jp2 ') +
                   box(b'jp2h', box(b'ihdr', struct.pack('>IIHBBBB', rng.choice(EXTREMES), rng.choice(EXTREMES), 3, 7, 7, 0,
                                                         0))) + box(b'jp2c', codestream, rng.choice((0, 1, None))))


def jxl_lying(rng):
    bare = b'\xff\x0a' + rng.randbytes(rng.randrange(1, 500))
    boxed = b'\0\0\0\x0cJXL \r\n\x87\n' + box(b'ftyp', b'jxl \0\0\0\0jxl ') + box(b'jxlc', bare, rng.choice((0, 1, None)))
    return 'jxl', rng.choice((bare, boxed))


# ---- raw files of cameras

def raw_lying(rng):
    """a DNG whose previews and strips lie anywhere, in directories that lead to each other"""
    def directory():
        return ifd(sorted([(254, 4, 1, rng.randrange(2)), (256, 4, 1, rng.choice(EXTREMES)), (257, 4, 1, rng.choice(EXTREMES)),
                           (258, 3, 1, rng.choice((8, 12, 14, 16, 0xffff))), (259, 3, 1, rng.choice((1, 6, 7, 34892, 0xffff))),
                           (262, 3, 1, rng.choice((2, 6, 32803, 34892))), (273, 4, rng.choice((1, 3, 0x7fffffff)), rng.choice(
                               EXTREMES + (300,))), (277, 3, 1, rng.choice((1, 3, 0xffff))),
                           (279, 4, 1, rng.choice(EXTREMES + (400,))), (330, 4, rng.choice((1, 2, 0xffff)), rng.choice((8, 250))),
                           (513, 4, 1, rng.choice(EXTREMES + (300,))), (514, 4, 1, rng.choice(EXTREMES)),
                           (50706, 1, 4, b'\1\4\0\0')]), rng.choice((0, 8, 180, 0xffffffff)))
    kind = rng.choice(('dng', 'nef', 'cr2', 'arw', 'pef', 'srw'))
    return kind, b'II*\0' + struct.pack('<I', 8) + directory() + directory() + jpeg(rng) + rng.randbytes(800)


def raw_of_others(rng):
    kind = rng.randrange(6)
    numbers = struct.pack('>12I', *(rng.choice(EXTREMES) for _ in range(12)))
    if kind == 0:
        return 'raf', b'FUJIFILMCCD-RAW 0201FF383501' + bytes(32) + b'0100' + bytes(20) + numbers + jpeg(rng)
    if kind == 1:
        return 'crw', b'II' + struct.pack('<I', rng.choice(EXTREMES)) + b'HEAPCCDR' + rng.randbytes(2000)
    if kind == 2:
        return 'cr3', box(b'ftyp', b'crx \0\0\0\1crx isom') + box(b'moov', box(b'uuid', bytes.fromhex(
            '85c0b687820f11e08111f4ce462b6a48') + box(b'CMT1', exif_of(rng)) + box(b'PRVW', numbers, rng.choice((0, 1, None)))))
    if kind == 3:
        return 'rw2', b'IIU\0' + struct.pack('<I', 24) + bytes(16) + ifd([(2, 4, 1, 5000), (3, 4, 1, 5000), (0x2e, 7, rng.choice(
            EXTREMES), rng.choice(EXTREMES)), (0x118, 4, 1, rng.choice(EXTREMES))]) + jpeg(rng)
    if kind == 4:
        return 'orf', b'IIRO' + exif_of(rng)[4:] + rng.randbytes(500)
    return 'mrw', b'\0MRM' + struct.pack('>I', rng.choice(EXTREMES)) + b'\0PRD' + numbers + b'\0TTW' + numbers + exif_of(rng)


# ---- what is no picture at all

def impostor(rng):
    kinds = (b'', b'\0', bytes(rng.randrange(1, 100000)), rng.randbytes(rng.randrange(1, 50000)), b'GIF89a', b'BM',
             b'<html><body>404</body></html>', b'PK\3\4' + rng.randbytes(900), b'\x7fELF' + rng.randbytes(900),
             b'%PDF-1.4\n' + rng.randbytes(900), b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
             b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>',
             b'push graphic-context\nviewbox 0 0 640 480\nfill \'url(https://127.0.0.1/"|touch "/tmp/owned)\'\n',
             b'%!PS\n(%pipe%touch /tmp/owned) (w) file\n', b'\x1f\x8b' + rng.randbytes(500), LAUGHS, XXE,
             box(b'ftyp', b'isom\0\0\0\0isom') + rng.randbytes(900), b'\xff\xd8\xff', b'\x89PNG\r\n\x1a\n', b'RIFF\0\0\0\0WEBP')
    return rng.choice(EXTENSIONS), rng.choice(kinds)


def sidecar_of(rng):
    """what stands beside a picture that is good"""
    kind = rng.randrange(5)
    if kind == 0:
        return xmp_of(rng)
    if kind == 1:
        return spoil(rng, sidecar(rng))
    if kind == 2:
        return rng.randbytes(rng.randrange(5000))
    if kind == 3:
        return b'\xff\xfe' + sidecar(rng).decode().encode('utf-16-le')[:rng.randrange(1, 2000)]
    return sidecar(rng) + b' ' * rng.choice((0, 70_000, 5_000_000))


ATTACKS = (png_with_exif_loop, png_with_xmp, png_with_packed_xmp, tiff_with_xmp, tiff_with_exif_loop, png_with_profile,
           jpeg_with_exif_loop, jpeg_with_xmp, jpeg_with_long_xmp, jpeg_with_iptc, webp_with_metadata, raw_lying, raw_lying,
           raw_of_others, raw_of_others,
           png_lying, png_animated_for_ever, gif_large, gif_of_many_frames, gif_of_endless_blocks, bmp_lying, tiff_lying,
           tiff_lying, tiff_chain, tiff_big_lying, webp_lying, webp_lying, jpeg_lying, heif_loop, heif_loop, jp2_lying,
           jxl_lying, impostor, impostor)
HEAVY = (png_bomb, png_interlaced_bomb, png_beyond_limit, png_overfull, png_with_profile_bomb, png_with_text_bomb,
         png_with_many_chunks, gif_of_a_million_frames, bmp_of_runs, tiff_bomb, jpeg_of_scans)
