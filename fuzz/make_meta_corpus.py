#!/usr/bin/env python3
"""make_meta_corpus.py ROOT: writes the corpora of the metadata readers (fuzz/corpus/xmp, meta and parts of ifd), valid
files and hostile ones, each named after what it is. tests/decoder/test_meta.c knows what the valid ones say.

The files are committed; this program says how they were made, and makes them again when a form is added."""
import pathlib
import struct
import sys
import zlib

ASCII, SHORT, LONG, RATIONAL, UNDEFINED, BYTE = 2, 3, 4, 5, 7, 1


class Tiff:
    """Directories of (tag, type, count, bytes), laid out one after the other with their values behind them."""

    def __init__(self, order='<', start=b''):
        self.order, self.bytes = order, bytearray(start or (b'II*\0' if order == '<' else b'MM\0*') + b'\0\0\0\0')

    def pack(self, form, *values):
        return struct.pack(self.order + form, *values)

    def directory(self, entries):
        at = len(self.bytes)
        values_at = at + 2 + 12 * len(entries) + 4
        head, values = self.pack('H', len(entries)), b''
        for tag, kind, count, data in sorted(entries, key=lambda e: e[0]):
            if len(data) > 4:
                head += self.pack('HHII', tag, kind, count, values_at + len(values))
                values += data + b'\0' * (len(data) & 1)
            else:
                head += self.pack('HHI', tag, kind, count) + data.ljust(4, b'\0')
        self.bytes += head + self.pack('I', 0) + values
        return at

    def first(self, at):
        self.bytes[4:8] = self.pack('I', at)
        return bytes(self.bytes)

    def text(self, tag, text):
        data = text.encode() if isinstance(text, str) else text
        return tag, ASCII, len(data) + 1, data + b'\0'

    def short(self, tag, *values):
        return tag, SHORT, len(values), self.pack(f'{len(values)}H', *values)

    def long(self, tag, value):
        return tag, LONG, 1, self.pack('I', value)

    def ratio(self, tag, *values):
        return tag, RATIONAL, len(values) // 2, self.pack(f'{len(values)}I', *values)


def exif(order='<', note=None, lens=True):
    t = Tiff(order)
    entries = [t.ratio(0x829a, 1, 250), t.ratio(0x829d, 28, 10), t.short(0x8827, 65535), t.long(0x8833, 102400),
               t.text(0x9003, '2019:12:31 23:59:58'), t.text(0x9011, '+01:00'), t.text(0x9291, '123'),
               t.short(0x9209, 25), t.ratio(0x920a, 35, 1), t.short(0xa403, 1), t.short(0xa405, 52),
               (0x9286, UNDEFINED, 13, b'ASCII\0\0\0words')]
    entries += [t.text(0xa434, 'Lens 35mm F1.4')] if lens else []
    entries += [(0x927c, UNDEFINED, len(note), note)] if note else []
    exif_at = t.directory(entries)
    gps_at = t.directory([t.text(1, 'S'), t.ratio(2, 33, 1, 30, 1, 12, 1), t.text(3, 'E'), t.ratio(4, 151, 1, 12, 1, 0, 1),
                          (5, BYTE, 1, b'\1'), t.ratio(6, 125, 10)])
    keywords = 'sea; Köln;sea'.encode('utf-16-le') + b'\0\0'
    return t.first(t.directory([
        t.text(0x010f, 'Maker'), t.text(0x0110, 'Model 12'), t.short(0x0112, 6), t.text(0x0131, 'Firmware 1.0'),
        t.text(0x013b, b'J\xf6rg'), t.text(0x8298, 'All of it'), t.short(0x4746, 3), t.long(0x8769, exif_at),
        t.long(0x8825, gps_at), (0x9c9e, BYTE, len(keywords), keywords)]))


XMP_HEAD = ('<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
            'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/" '
            'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/" '
            'xmlns:aux="http://ns.adobe.com/exif/1.0/aux/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
            'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:lr="http://ns.adobe.com/lightroom/1.0/" '
            'xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" '
            'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
            'xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#" xmlns:MP="http://ns.microsoft.com/photo/1.2/" '
            'xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#" '
            'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmlns:digiKam="http://www.digikam.org/ns/1.0/" '
            'xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#">')
XMP_TAIL = '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'


def items(kind, *texts, lang=False):
    mark = ' xml:lang="x-default"' if lang else ''
    return f'<rdf:{kind}>' + ''.join(f'<rdf:li{mark}>{t}</rdf:li>' for t in texts) + f'</rdf:{kind}>'


def xmp(body, attributes=''):
    return (XMP_HEAD + f'<rdf:Description rdf:about=""{attributes}>{body}</rdf:Description>' + XMP_TAIL).encode()


XMP_FULL = xmp(
    f'<dc:title>{items("Alt", "A title", lang=True)}</dc:title>'
    f'<dc:description>{items("Alt", "First line&#10;second &amp; last", lang=True)}</dc:description>'
    f'<dc:creator>{items("Seq", "Ann", "Bob")}</dc:creator><dc:rights>{items("Alt", "(c) Ann")}</dc:rights>'
    f'<dc:subject>{items("Bag", "robin", "Köln", "robin", "")}</dc:subject>'
    f'<lr:hierarchicalSubject>{items("Bag", "animals|birds|robin")}</lr:hierarchicalSubject>'
    '<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag>'
    '<rdf:li><rdf:Description mwg-rs:Name="Carla" mwg-rs:Type="Face"><mwg-rs:Area stArea:x="0.5"/></rdf:Description></rdf:li>'
    '<rdf:li rdf:parseType="Resource"><mwg-rs:Name>Dog</mwg-rs:Name><mwg-rs:Type>Pet</mwg-rs:Type></rdf:li>'
    '<rdf:li rdf:parseType="Resource"><mwg-rs:Type>Face</mwg-rs:Type><mwg-rs:Name>Dora</mwg-rs:Name></rdf:li>'
    '</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>'
    f'<Iptc4xmpExt:PersonInImage>{items("Bag", "Emil")}</Iptc4xmpExt:PersonInImage>'
    '<MP:RegionInfo><rdf:Description><MPRI:Regions><rdf:Bag><rdf:li><rdf:Description MPReg:PersonDisplayName="Fritz"/>'
    '</rdf:li></rdf:Bag></MPRI:Regions></rdf:Description></MP:RegionInfo>'
    '<exif:Flash rdf:parseType="Resource"><exif:Fired>True</exif:Fired></exif:Flash>'
    f'<exif:ISOSpeedRatings>{items("Seq", "640")}</exif:ISOSpeedRatings>',
    ' xmp:Rating="4" xmp:Label="Green" xmp:CreatorTool="Tool 1" photoshop:DateCreated="2018-07-06T05:04:03.25+02:00"'
    ' exif:GPSLatitude="48,51.5N" exif:GPSLongitude="2,21,7W" exif:GPSAltitude="351/10" exif:ExposureTime="1/60"'
    ' exif:FNumber="56/10" exif:FocalLength="50/1" aux:LensInfo="18/1 55/1 35/10 56/10" tiff:Make="XMaker"')

IPTC = b''.join(b'\x1c' + bytes([r, d]) + struct.pack('>H', len(v)) + v for r, d, v in [
    (1, 90, b'\x1b%G'), (2, 5, b'An object'), (2, 25, b'harbour'), (2, 25, 'Fluß'.encode()), (2, 80, b'Greta'),
    (2, 116, b'IPTC rights'), (2, 120, b'A caption')])


def photoshop(iptc):
    return (b'8BIM' + struct.pack('>H', 0x03ed) + b'\0\0' + struct.pack('>I', 3) + b'abc\0' +
            b'8BIM' + struct.pack('>H', 0x0404) + b'\x03abc' + struct.pack('>I', len(iptc)) + iptc + b'\0' * (len(iptc) & 1))


def segment(marker, data):
    return bytes([0xff, marker]) + struct.pack('>H', len(data) + 2) + data


def jpeg(*segments):
    return b'\xff\xd8' + b''.join(segments) + b'\xff\xda\0\x02\0\xff\xd9'


def app1_exif(data):
    return segment(0xe1, b'Exif\0\0' + data)


def app1_xmp(data):
    return segment(0xe1, b'http://ns.adobe.com/xap/1.0/\0' + data)


def extended(guid, whole, place, part):
    return segment(0xe1, b'http://ns.adobe.com/xmp/extension/\0' + guid + struct.pack('>II', whole, place) + part)


def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def png(*chunks):
    return b'\x89PNG\r\n\x1a\n' + b''.join(chunks) + chunk(b'IEND', b'')


def raw_profile(name, data):
    digits = data.hex()
    lines = '\n'.join(digits[i:i + 72] for i in range(0, len(digits), 72))
    return f'\n{name}\n{len(data):8}\n{lines}\n'.encode()


def riff(*chunks):
    body = b'WEBP' + b''.join(k + struct.pack('<I', len(d)) + d + b'\0' * (len(d) & 1) for k, d in chunks)
    return b'RIFF' + struct.pack('<I', len(body)) + body


def box(kind, data=b''):
    return struct.pack('>I', len(data) + 8) + kind + data


def full(kind, version, data):
    return box(kind, bytes([version, 0, 0, 0]) + data)


def heif(exif_pieces=1, method=0, bad_offset=False):
    exif_item, xmp_item = struct.pack('>I', 6) + b'Exif\0\0' + exif(), XMP_FULL
    infe = (full(b'infe', 2, struct.pack('>HH', 1, 0) + b'hvc1\0') + full(b'infe', 2, struct.pack('>HH', 2, 0) + b'Exif\0') +
            full(b'infe', 2, struct.pack('>HH', 3, 0) + b'mime\0application/rdf+xml\0'))
    iinf = full(b'iinf', 0, struct.pack('>H', 3) + infe)
    idat = box(b'idat', exif_item + xmp_item) if method else b''

    def iloc(base):
        cut = len(exif_item) // exif_pieces
        pieces = [(base + i * cut, cut if i < exif_pieces - 1 else len(exif_item) - i * cut) for i in range(exif_pieces)]
        if bad_offset:
            pieces = [(0xfffffff0, 100)]
        rows = b''
        for ident, extents in ((2, pieces), (3, [(base + len(exif_item), len(xmp_item))])):
            rows += struct.pack('>HHHH', ident, method, 0, len(extents))
            rows += b''.join(struct.pack('>II', o, n) for o, n in extents)
        return full(b'iloc', 1, b'\x44\x00' + struct.pack('>H', 2) + rows)

    ftyp = box(b'ftyp', b'heic\0\0\0\0mif1heic')
    meta_bytes = len(ftyp) + 12 + len(iinf) + len(iloc(0)) + len(idat)
    base = 0 if method else meta_bytes + 8
    meta = full(b'meta', 0, iinf + iloc(base) + idat)
    assert len(ftyp) + len(meta) == meta_bytes
    return ftyp + meta + (b'' if method else box(b'mdat', exif_item + xmp_item))


def cr3():
    t1, t2, t3, t4 = Tiff(), Tiff(), Tiff(), Tiff()
    cmt1 = t1.first(t1.directory([t1.text(0x010f, 'Canon'), t1.text(0x0110, 'Canon EOS R'), t1.short(0x0112, 8)]))
    cmt2 = t2.first(t2.directory([t2.ratio(0x829a, 1, 500), t2.text(0x9003, '2020:02:29 01:02:03')]))
    cmt3 = t3.first(t3.directory([t3.text(0x0095, 'RF35mm F1.8 MACRO IS STM'),
                                  t3.short(0x0004, 0, 32, 160)]))
    cmt4 = t4.first(t4.directory([t4.text(1, 'N'), t4.ratio(2, 10, 1, 0, 1, 0, 1), t4.text(3, 'W'),
                                  t4.ratio(4, 20, 1, 30, 1, 0, 1)]))
    uuid = bytes.fromhex('85c0b687820f11e08111f4ce462b6a48')
    boxes = box(b'CMT1', cmt1) + box(b'CMT2', cmt2) + box(b'CMT3', cmt3) + box(b'CMT4', cmt4)
    return box(b'ftyp', b'crx \0\0\0\x01crx ') + box(b'moov', box(b'uuid', uuid + boxes))


def note_nikon():
    t = Tiff('>')
    inner = t.first(t.directory([t.ratio(0x84, 18, 1, 55, 1, 35, 10, 56, 10), t.short(2, 0, 400)]))
    return b'Nikon\0\2\x10\0\0' + inner


def note_olympus():
    t = Tiff('<', b'OLYMPUS\0II\x03\0')
    head = bytes(t.bytes)
    t.bytes = bytearray(head) + t.pack('H', 1) + t.pack('HHII', 0x2010, 13, 1, 12 + 2 + 12 + 4) + t.pack('I', 0)
    t.directory([t.text(0x0203, 'OLYMPUS M.17mm F1.8')])
    return bytes(t.bytes)


def hostile_ifd():
    t = Tiff()
    entries = [(0x010f, ASCII, 0xffffffff, struct.pack('<I', 8)), t.text(0x0110, b'\xff\xfe\xff'), t.short(0x0112, 99),
               t.long(0x8769, 8), t.long(0x8825, 8), (0x0132, 99, 1, b'\0\0\0\0')]
    return t.first(t.directory(entries))


def hostile_values():
    t = Tiff()
    at = t.directory([t.ratio(0x829a, 1, 0), t.ratio(0x829d, 0, 0), t.text(0x9003, '2019:02:30 25:61:61'),
                      t.ratio(0x920a, 0xffffffff, 1), t.short(0x8827, 0)])
    gps = t.directory([t.text(1, 'N'), t.ratio(2, 999, 1, 0, 1, 0, 1), t.text(3, 'E'), t.ratio(4, 0, 0, 1, 0, 1, 0),
                       t.ratio(6, 1, 0)])
    return t.first(t.directory([t.long(0x8769, at), t.long(0x8825, gps), t.text(0x010e, b'a\x01b\x1b[0m\r\nc\xff')]))


def laughs():
    rows = ''.join(f'<!ENTITY l{i} "' + f'&l{i - 1};' * 10 + '">' for i in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{rows}]>'.encode()


def xmp_files():
    title = f'<dc:title>{items("Alt", "&l9;")}</dc:title>'
    yield 'all_fields', XMP_FULL
    yield 'attributes_only', xmp('', ' xmp:Rating="-1" photoshop:DateCreated="2018-07-06" digiKam:x="y"')
    yield 'paths_only', xmp(f'<digiKam:TagsList>{items("Seq", "places/Köln", "animals")}</digiKam:TagsList>')
    yield 'utf16', XMP_FULL.decode()[len('<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'):].encode('utf-16')
    yield 'billion_laughs', laughs() + xmp(title)
    yield 'external_entity', (b'<!DOCTYPE x [<!ENTITY l9 SYSTEM "file:///etc/hostname">]>' + xmp(title))
    yield 'cut_in_the_middle', XMP_FULL[:2200]
    yield 'too_deep', xmp('<a>' * 70 + '</a>' * 70)
    yield 'no_namespace', b'<rdf:RDF><dc:title>x</dc:title></rdf:RDF>'
    yield 'nonsense_values', xmp('', ' xmp:Rating="99" photoshop:DateCreated="yesterday" exif:GPSLatitude="999,0N"'
                                 ' exif:GPSLongitude="nan" exif:FNumber="1/0" exif:ExposureTime="-1" xmp:Label=" "')
    yield 'control_characters', xmp(f'<dc:subject>{items("Bag", "a&#x9;b", "c&#x85;d", "x" * 300)}</dc:subject>')
    yield 'not_xml', b'\0\1\2\3'
    yield 'empty', b' '


def meta_files():
    guid = b'0123456789ABCDEF0123456789ABCDEF'
    more = xmp(f'<dc:subject>{items("Bag", "continued")}</dc:subject>')
    ext = [extended(guid, len(more), 0, more[:900]), extended(guid, len(more), 900, more[900:])]
    main = xmp('', f' xmpNote:HasExtendedXMP="{guid.decode()}"')
    yield 'jpeg_exif_xmp_iptc', jpeg(app1_exif(exif()), app1_xmp(XMP_FULL),
                                     segment(0xed, b'Photoshop 3.0\0' + photoshop(IPTC)))
    yield 'jpeg_iptc_alone', jpeg(segment(0xed, b'Photoshop 3.0\0' + photoshop(IPTC)))
    yield 'jpeg_extended_xmp', jpeg(app1_xmp(main), *ext)
    yield 'jpeg_extension_lies', jpeg(app1_xmp(main), extended(guid, 0xffffffff, 0xfffffff0, more), *ext[1:])
    yield 'jpeg_segment_too_long', jpeg(app1_exif(exif()))[:-5] + b'\xff\xe1\xff\xff'
    yield 'jpeg_nikon_note', jpeg(app1_exif(exif('<', note_nikon(), lens=False)))
    yield 'jpeg_olympus_note', jpeg(app1_exif(exif('>', note_olympus(), lens=False)))
    yield 'jpeg_hostile_directory', jpeg(app1_exif(hostile_ifd()))
    yield 'jpeg_hostile_values', jpeg(app1_exif(hostile_values()))
    yield 'png_exif_chunk', png(chunk(b'eXIf', exif('>')))
    yield 'png_xmp_compressed', png(chunk(b'iTXt', b'XML:com.adobe.xmp\0\1\0\0\0' + zlib.compress(XMP_FULL)))
    yield 'png_raw_profiles', png(chunk(b'zTXt', b'Raw profile type exif\0\0' + zlib.compress(
        raw_profile('exif', b'Exif\0\0' + exif()))), chunk(b'tEXt', b'Raw profile type iptc\0' + raw_profile(
            'iptc', photoshop(IPTC))))
    yield 'png_texts', png(chunk(b'tEXt', b'Title\0A png'), chunk(b'zTXt', b'Author\0\0' + zlib.compress(b'Hans')))
    yield 'png_bomb', png(chunk(b'zTXt', b'Title\0\0' + zlib.compress(b'x' * (5 << 20), 9)))
    yield 'png_cut', png(chunk(b'zTXt', b'Title\0\0' + zlib.compress(XMP_FULL)[:-30]), b'\xff\xff\xff\xf0tEXtabc')
    yield 'webp_exif_and_xmp', riff((b'VP8X', bytes(10)), (b'EXIF', b'Exif\0\0' + exif()), (b'XMP ', XMP_FULL))
    yield 'gif_xmp', (b'GIF89a\1\0\1\0\0\0\0!\xff\x0bXMP DataXMP' + XMP_FULL + b'\1' + bytes(range(255, -1, -1)) + b'\0;')
    yield 'heif_exif_and_xmp', heif()
    yield 'heif_in_three_pieces', heif(3)
    yield 'heif_in_idat', heif(1, 1)
    yield 'heif_item_outside', heif(bad_offset=True)
    yield 'cr3', cr3()
    yield 'jxl', (bytes.fromhex('0000000c4a584c200d0a870a') + box(b'Exif', struct.pack('>I', 0) + exif()) +
                  box(b'xml ', XMP_FULL))
    yield 'jp2', (bytes.fromhex('0000000c6a5020200d0a870a') + box(b'uuid', b'JpgTiffExif->JP2' + exif()) +
                  box(b'uuid', bytes.fromhex('be7acfcb97a942e89c71999491e3afac') + XMP_FULL))
    yield 'box_of_size_nothing', box(b'ftyp', b'heic') + struct.pack('>I', 3) + b'meta' + b'\0' * 20
    yield 'box_of_64_bits', box(b'ftyp', b'heic') + b'\0\0\0\1meta' + b'\xff' * 8 + b'\0' * 20
    raf = b'FUJIFILMCCD-RAW '.ljust(84, b'\0') + struct.pack('>II', 92, len(jpeg(app1_exif(exif()))))
    yield 'raf', raf + jpeg(app1_exif(exif()))
    tiff = Tiff()
    yield 'tiff_xmp_iptc', tiff.first(tiff.directory([(700, BYTE, len(XMP_FULL), XMP_FULL),
                                                      (33723, UNDEFINED, len(IPTC), IPTC)]))
    orf = bytearray(exif())
    orf[2:4] = b'RO'
    yield 'olympus_raw', bytes(orf)
    yield 'sidecar_alone', XMP_FULL


def ifd_files():
    yield 'all_tags', exif()
    yield 'hostile_directory', hostile_ifd()
    yield 'hostile_values', hostile_values()
    yield 'nikon_note', exif('<', note_nikon(), lens=False)
    yield 'olympus_note', exif('>', note_olympus(), lens=False)


def main(root):
    for folder, files in (('xmp', xmp_files()), ('meta', meta_files()), ('ifd', ifd_files())):
        (root / 'fuzz/corpus' / folder).mkdir(parents=True, exist_ok=True)
        for name, data in files:
            (root / 'fuzz/corpus' / folder / name).write_bytes(data)


if __name__ == '__main__':
    main(pathlib.Path(sys.argv[1]))
