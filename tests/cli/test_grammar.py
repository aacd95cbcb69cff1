#!/usr/bin/env python3
"""test_grammar.py PROGRAM SOURCE: every row of the table of the grammar, asked on the command line and over HTTP about
photos whose cameras, dates, places and keywords are known (../shared/photos), and what the answer should be computed here.

A condition says for each photo True, False, or None where what is known of it does not decide."""
import json
import math
import pathlib
import shutil
import struct
import subprocess
import sys
import urllib.parse
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'server'))
from server_place import main  # noqa: E402

FORMATS_OF_EACH_TYPE = 3
PERHAPS_SHOWN = ('sony.hif',)            # damaged pixels: filters find it by its metadata, unless decoding it ran out of time
PLACED_BY_XMP = ('nikon-d5000.jpg',)  # the list has the places of EXIF


def solid(path, colour, width=96, height=96):
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    path.write_bytes(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)) +
                     chunk(b'IDAT', zlib.compress((b'\0' + bytes(colour) * width) * height)) + chunk(b'IEND', b''))


class Photo:
    """What is known; None: not known, and False of a text: the file has none."""

    def __init__(self, path, **facts):
        self.path, self.name, self.bytes = str(path), path.name, path.stat().st_size
        self.camera = self.lens = self.iso = self.f = self.focal = self.exposure = self.date = self.place = None
        self.keywords, self.type, self.width, self.height = None, None, None, None
        self.tags, self.rating, self.favorite, self.albums, self.caption = set(), 0, False, set(), ''
        vars(self).update(facts)


def gather(where):
    shared, root = where.fixture('photos').resolve(), where.root
    photos = []
    for line in (shared / 'camera.jsonl').read_text().splitlines():
        g = json.loads(line)
        if g['file'] in PERHAPS_SHOWN:
            continue
        date = g['datetime_original']
        known = bool(date) and date[:4].strip().isdigit() and int(date[:4]) > 0
        keywords = g['iptc_keywords'] or g['xmp_subject']
        photos.append(Photo(shared / 'camera' / g['file'], camera=f'{g["make"]} {g["model"]}'.lower(), lens=(g['lens'] or '').lower(),
                            iso=g['iso'] if isinstance(g['iso'], int) and g['iso'] else None,  # a maker's note may have one
                            f=g['fnumber'], focal=g['focal_mm'] or 0, exposure=g['exposure_s'] or 0,
                            date=date.replace(':', '-', 2)[:10] if known else None,
                            place=(g['gps_lat'], g['gps_lon']) if g['gps_lat'] is not None else None if g['file'] in PLACED_BY_XMP else False,
                            keywords={keywords.lower()} if isinstance(keywords, str) else set(),
                            type={'JPEG': 'jpeg', 'HEIC': 'heif', 'HEIF': 'heif'}[g['type']],
                            width=g['display_w'], height=g['display_h']))
    (root / 'formats').mkdir()
    seen = {}
    for line in (shared / 'formats.jsonl').read_text().splitlines():
        g = json.loads(line)
        seen[g['type']] = seen.get(g['type'], 0) + (g['expect'] == 'must')
        if g['expect'] != 'must' or seen[g['type']] > FORMATS_OF_EACH_TYPE:
            continue
        path = root / 'formats' / g['file']
        shutil.copyfile(shared / 'formats' / g['file'], path)
        photos.append(Photo(path, type={'heic': 'heif'}.get(g['type'], g['type']), width=g['w'], height=g['h']))
    (root / 'plain').mkdir()
    for name, colour in (('red', (220, 20, 20)), ('steel', (0x33, 0x66, 0x99)), ('gray', (128, 128, 128)), ('wide', (20, 160, 40))):
        path = root / 'plain' / f'{name}.png'
        solid(path, colour, width=192 if name == 'wide' else 96)
        photos.append(Photo(path, camera='', lens='', iso=0, f=0, focal=0, exposure=0, place=False, keywords=set(), type='png',
                            width=192 if name == 'wide' else 96, height=96))
    return shared, photos


def kilometres(a, b):
    (la, lo), (lb, lp) = [map(math.radians, p) for p in (a, b)]
    h = math.sin((lb - la) / 2) ** 2 + math.cos(la) * math.cos(lb) * math.sin((lp - lo) / 2) ** 2
    return 2 * 6371 * math.asin(math.sqrt(h))


def words(field, *alternatives):
    """All words of one of the alternatives in the text."""
    def condition(p):
        text = getattr(p, field)
        return None if text is None else any(all(w in text for w in a.split()) for a in alternatives)
    return condition


def within(field, low=-math.inf, high=math.inf):
    """A number that the file says; 0: it says none. At the very ends what is written may be rounded: not compared."""
    def condition(p):
        value = getattr(p, field)
        if value is None:
            return None
        if any(math.isfinite(end) and value and value != end and abs(value - end) < 0.01 * end for end in (low, high)):
            return None
        return value > 0 and low <= value <= high
    return condition


def dated(*spans):
    """Between two texts, as far as they go; one that has no date of its own is found by its file's."""
    return lambda p: None if p.date is None else any(low <= p.date[:len(low)] and p.date[:len(high)] <= high for low, high in spans)


def in_months(*months):
    return lambda p: None if p.date is None else int(p.date[5:7]) in months


def known(field, test):
    return lambda p: None if getattr(p, field) is None else test(getattr(p, field))


def near(lat, lon, km):
    return lambda p: None if p.place is None else bool(p.place) and kilometres(p.place, (lat, lon)) <= km


def negated(condition):
    return lambda p: None if condition(p) is None else not condition(p)


def both(a, b):
    return lambda p: None if None in (a(p), b(p)) else a(p) and b(p)


def every(_):
    return True


def grays(p):
    if p.name in ('red.png', 'steel.png', 'wide.png'):
        return False
    return True if p.name == 'gray.png' else None


def rows(shared):
    nikon = words('camera', 'nikon')
    gps = lambda p: None if p.place is None else bool(p.place)  # noqa: E731
    tag = lambda name: lambda p: None if p.keywords is None and name not in p.tags else name in (p.keywords or set()) | p.tags  # noqa: E731
    colour = lambda name, others: lambda p: True if p.name == name else False if p.name in others else None  # noqa: E731
    plain = ['red.png', 'steel.png', 'gray.png', 'wide.png']
    return [
        # meaning leaves nothing out
        ('sunset over water', every), ('beach -people', every), ('beach -(people at night)', every), ('2*red car', every),
        ('0.5*(old house) snow', every), ('photos of 2017', every), ('maybe', every), ('iso:fast', every), ('canon', every),
        ('nothing:here', every), ('a:b:c ((', every),
        # exact words: names of files are texts
        ('"dscn0040"', lambda p: 'dscn0040' in p.name), ('-"dscn0040"', lambda p: 'dscn0040' not in p.name),
        ('"no such words at all"', lambda p: False),
        # photo metadata
        ('camera:canon', words('camera', 'canon')), ('camera:CANON', words('camera', 'canon')),
        ('camera:"powershot a70"', words('camera', 'powershot a70')), ('camera:nikon,sony', words('camera', 'nikon', 'sony')),
        ('-camera:canon', negated(words('camera', 'canon'))), ('camera:canon iso:>=400', both(words('camera', 'canon'), within('iso', 400))),
        ('lens:iphone', words('lens', 'iphone')), ('lens:35mm', words('lens', '35mm')),
        ('iso:>=800', within('iso', 800)), ('iso:100', within('iso', 100, 100)), ('iso:<100', within('iso', 0, 99.999)),
        ('iso:100..250', within('iso', 100, 250)), ('-iso:100', negated(within('iso', 100, 100))),
        ('f:<2.8', within('f', 0, 2.7999)), ('f:4..5.6', within('f', 4, 5.6)), ('focal:24..70', within('focal', 24, 70)),
        ('exposure:<=1/200', within('exposure', 0, 0.005)), ('exposure:>=1/10', within('exposure', 0.1)),
        # time
        ('date:2008', dated(('2008', '2008'))), ('date:2008-06..2008-12', dated(('2008-06', '2008-12'))),
        ('date:2008-10-22', dated(('2008-10-22', '2008-10-22'))), ('date:>2019', dated(('2020', '9999'))),
        ('date:<2001', dated(('0000', '2000'))), ('year:2020', dated(('2020', '2020'))),
        ('year:2002,2004', dated(('2002', '2002'), ('2004', '2004'))), ('year:2001..2004', dated(('2001', '2004'))),
        ('month:10', in_months(10)), ('month:may,july', in_months(5, 7)), ('month:nov..feb', in_months(11, 12, 1, 2)),
        ('-year:2008', negated(dated(('2008', '2008')))),
        # file
        ('in:camera', lambda p: '/camera/' in p.path), (f'in:"{shared}/camera"', lambda p: '/camera/' in p.path),
        ('in:formats', lambda p: '/formats/' in p.path), ('-in:camera', lambda p: '/camera/' not in p.path),
        ('in:form', lambda p: False), ('name:*.heic', lambda p: p.name.endswith('.heic')), ('name:dscn00?1*', lambda p: p.name.startswith('dscn00') and p.name[7] == '1'),
        ('name:iphone', lambda p: 'iphone' in p.name.lower()), ('name:dscn', lambda p: 'dscn' in p.name),
        ('type:heic', known('type', lambda t: t == 'heif')), ('type:jpg', known('type', lambda t: t == 'jpeg')),
        ('type:png,webp', known('type', lambda t: t in ('png', 'webp'))), ('type:raw', known('type', lambda t: False)),
        ('-type:jpg', known('type', lambda t: t != 'jpeg')),
        ('size:>1mb', lambda p: p.bytes > 1000000), ('size:<=100kb', lambda p: p.bytes <= 100000), ('size:100kb..1mb', lambda p: 100000 <= p.bytes <= 1000000),
        ('width:>=4000', known('width', lambda w: w >= 4000)), ('height:<300', known('height', lambda h: h < 300)), ('width:640', known('width', lambda w: w == 640)),
        ('orientation:portrait', lambda p: p.height > p.width), ('orientation:landscape', lambda p: p.width > p.height),
        ('orientation:square', lambda p: p.width == p.height), ('-orientation:square', lambda p: p.width != p.height),
        # user data, and what files say of it
        ('tag:harvest', tag('harvest')), ('tag:summer', tag('summer')), ('tag:sum*', tag('summer')), ('-tag:summer', negated(tag('summer'))),
        ('tag:"blue sky"', tag('blue sky')), ('rating:>=4', lambda p: p.rating >= 4), ('rating:5', lambda p: p.rating == 5),
        ('rating:0', lambda p: p.rating == 0), ('favorite:yes', lambda p: p.favorite), ('favorite:no', lambda p: not p.favorite),
        ('album:"Rome, by night"', lambda p: 'Rome, by night' in p.albums), ('album:rome*', lambda p: bool(p.albums)),
        ('-album:rome*', lambda p: not p.albums), ('has:album', lambda p: bool(p.albums)), ('has:rating', lambda p: True if p.rating else None),
        # place
        ('has:gps', gps), ('-has:gps', negated(gps)), ('near:43.467,11.88,5km', near(43.467, 11.88, 5)), ('near:38.7,-9.2,10km', near(38.7, -9.2, 10)),
        ('near:0,0,100km', near(0, 0, 100)),
        # colours
        ('color:red', colour('red.png', plain)), ('color:#336699', colour('steel.png', plain)), ('gray:yes', grays), ('gray:no', negated(grays)),
        # together
        ('camera:nikon has:gps size:<155kb', both(both(nikon, gps), lambda p: p.bytes < 155000)),
        ('old town camera:nikon -month:10', both(nikon, negated(in_months(10)))),
        ('camera:canon,nikon year:2008 -name:dscn sort:name', both(both(words('camera', 'canon', 'nikon'), dated(('2008', '2008'))), lambda p: 'dscn' not in p.name)),
    ]


class Program:
    """The command line in a place."""

    def __init__(self, place):
        self.place = place

    def run(self, *arguments, codes=(0,)):
        done = subprocess.run([self.place.program, *map(str, arguments)], env=self.place.environment, cwd=self.place.root,
                              capture_output=True, timeout=120)
        assert done.returncode in codes, (arguments, done.returncode, done.stderr.decode())
        return done.stdout

    def search(self, query, *options):
        out = self.run('search', '-n', 10000, '--json', *options, '--', query, codes=(0, 1))
        return json.loads(out)


def do_work(program, photos):
    """Gives tags, ratings and albums, and notes what was given."""
    some = [p for p in photos if p.camera][:6]
    paths = [p.path for p in some]
    program.run('tag', 'Summer', *paths[:3])
    program.run('tag', 'blue sky', paths[0])
    program.run('rate', 5, paths[0])
    program.run('rate', 4, paths[1])
    program.run('rate', 2, paths[2])
    program.run('favorite', *paths[1:3])
    program.run('album', 'add', 'Rome, by night', *paths[:2])
    for p in some[:3]:
        p.tags.add('summer')
    some[0].tags.add('blue sky')
    some[0].rating, some[1].rating, some[2].rating = 5, 4, 2
    some[1].favorite = some[2].favorite = True
    some[0].albums = some[1].albums = {'Rome, by night'}


def compare(query, condition, found, photos):
    """Sentences about what should not have been found, and what should have."""
    hits = {h['path'] for h in found['hits']}
    assert len(hits) == len(found['hits']) == found['total'], (query, found['total'], len(hits))
    wrong = []
    for p in photos:
        wanted = condition(p)
        if wanted is not None and wanted != (p.path in hits):
            wrong.append(f'{query}: {p.name} {"is missing" if wanted else "should not be there"}')
    return wrong


def check_order(name, hits, photos):
    by_path = {p.path: p for p in photos}
    hits = [h for h in hits if h['path'] in by_path]
    keys = {'name': lambda p: p.name.encode(), 'size': lambda p: p.bytes}
    field = name.lstrip('-')
    if field in keys:
        values = [keys[field](by_path[h['path']]) for h in hits]
    else:
        values = [h['taken'] for h in hits if h['taken'] and by_path[h['path']].date]
    assert len(values) > 10 and values == sorted(values, reverse=name.startswith('-')), (name, values)


def every_row_of_the_grammar_is_true(place):
    shared, photos = gather(place)
    program = Program(place)
    program.run('index', '--no-tags', shared / 'camera', place.root / 'formats', place.root / 'plain', codes=(0, 4))
    do_work(program, photos)
    server = place.serve()
    wrong, n = [], 0
    for query, condition in rows(shared):
        found = program.search(query)
        wrong += compare(query, condition, found, photos)
        answer = server.get('/api/v1/search?n=10000&q=' + urllib.parse.quote(query)).json()
        same = [(h['id'], h['match']) for h in answer['hits']] == [(h['id'], h['match']) for h in found['hits']]
        if not same or (answer['total'], answer['strong'], answer['sort']) != (found['total'], found['strong'], found['sort']):
            wrong.append(f'{query}: HTTP says otherwise')
        n += 1
    for name in ('date', '-date', 'name', '-name', 'size', '-size'):
        check_order(name, program.search(f'sort:{name}')['hits'], photos)
        check_order(name, program.search('camera:canon,nikon,sony sunset', '--sort', name)['hits'], photos)
    assert not wrong and n > 70, '\n'.join(wrong)


def pictures_are_asked_for_by_id_path_and_with_words(place):
    place.add_pictures(5, first=10)
    program = Program(place)
    program.run('index', '--no-tags', place.photos)
    everything = {pathlib.Path(h['path']).name: h['id'] for h in program.search('sort:name')['hits']}
    one = everything['1.png']
    by_id = program.search(f'like:{one}')
    assert by_id['total'] == 7 and one not in {h['id'] for h in by_id['hits']}, by_id
    by_path = program.search(f'like:"{place.photos / "1.png"}"')
    assert [h['id'] for h in by_path['hits']] == [h['id'] for h in by_id['hits']]
    similar = json.loads(program.run('similar', one, '--json', '-n', 100))
    assert [h['id'] for h in similar['hits']] == [h['id'] for h in by_id['hits']]
    assert program.search(f'-like:{one}')['hits'][0]['id'] != by_id['hits'][0]['id']
    words_too = json.loads(program.run('similar', one, '--with', 'at night name:1*', '--json', '-n', 100))
    assert words_too['query'] == 'at night name:1*'
    assert {pathlib.Path(h['path']).name for h in words_too['hits']} == {f'{i}.png' for i in range(10, 15)}, words_too
    assert program.run('search', '--', 'like:999999', codes=(1,)) == b''


if __name__ == '__main__':
    sys.exit(main(globals()))
