#!/usr/bin/env python3
"""test_program.py PROGRAM SOURCE: the command line from outside, as a person or a script meets it.

Pictures are made here; each case has folders and XDG directories of its own."""
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile

from cli_place import NOBODY, SkipRest, main, png, unprepared, within


@unprepared
def shapes_are_the_promised_ones(place):
    index = place.json('index', place.photos)
    assert set(index) >= {'files', 'learned', 'unchanged', 'moved', 'removed', 'skipped', 'errors', 'seconds'}, index
    assert index['files'] == index['learned'] == 3 and index['errors'] == []
    again = place.json('index', place.photos)
    assert again['learned'] == 0 and again['unchanged'] == 3, again
    found = place.json('search', 'a', 'picture', '-n', '2')
    assert set(found) >= {'query', 'model', 'took_ms', 'total', 'strong', 'hits'}, found
    assert found['total'] == 3 and len(found['hits']) == 2 and found['query'] == 'a picture'
    hit = found['hits'][0]
    assert set(hit) >= {'id', 'path', 'score', 'match', 'taken', 'width', 'height'}, hit
    assert hit['match'] >= found['hits'][1]['match'] and 0 <= found['strong'] <= 3 and hit['width'] == 64 and 0 <= hit['match'] <= 100
    similar = place.json('similar', place.photos / '0.png')
    assert len(similar['hits']) == 2 and all(not h['path'].endswith('/0.png') for h in similar['hits'])
    shown = place.json('show', hit['id'])
    assert set(shown) >= {'id', 'path', 'bytes', 'type', 'width', 'height', 'orientation', 'taken', 'taken_source',
                          'make', 'model', 'lens', 'iso', 'exposure_s', 'fnumber', 'focal_mm', 'gps', 'keywords',
                          'rating', 'caption', 'tags', 'sha256', 'phash', 'learned', 'error'}, shown
    assert shown['type'] == 'png' and len(shown['phash']) == 16 and len(shown['sha256']) == 64 and shown['gps'] is None
    assert place.json('show', hit['path'])['id'] == hit['id']
    status = place.json('status')
    assert set(status) >= {'library', 'roots', 'files', 'learned', 'errors', 'offline', 'model', 'bytes', 'job'}, status
    assert status['files'] == status['learned'] == 3 and status['job'] is None


def other_forms_hold_the_same(place):
    place.run('index', place.photos, code=0)
    hits = place.json('search', 'red')['hits']
    lines = [json.loads(line) for line in place.run('search', 'red', '--jsonl', code=0).splitlines()]
    assert lines == hits
    table = place.run('search', 'red', '--csv', code=0).splitlines()
    assert table[0].startswith('id,path,score') and len(table) == 4
    paths = place.run('search', 'red', '-0', code=0).split('\0')
    assert paths[:-1] == [h['path'] for h in hits] and paths[-1] == ''
    names = [pathlib.Path(h['path']).name for h in place.json('search', 'red', '--sort', 'name')['hits']]
    assert names == sorted(names)


def usage_errors_are_explained(place):
    place.run('serch', 'x', code=2, says="did you mean 'search'")
    place.run('search', code=2, says='words')
    place.run('search', '-dog', code=2, says="'--'")
    place.run('search', 'x', '--frob', code=2, says='--frob')
    place.run('search', 'x', '-n', '0', code=2, says='-n')
    place.run('search', 'x', '--sort', 'taste', code=2, says='taste')
    place.run('index', code=2, says='index')
    place.run('status', '--cpu', 'z80', code=2, says='scalar')
    place.run('search', 'x' * 5000, code=6, says='4096')


def every_command_has_help(place):
    for command in ('index', 'search', 'similar', 'tag', 'rate', 'favorite', 'album', 'undo', 'saved', 'history', 'export', 'import', 'show', 'status'):
        text = place.run(command, '--help', code=0)
        assert command in text and 'Examples' in text and 'Exit codes' in text
        assert place.run('help', command, code=0) == text
        assert command in place.run('help', code=0)
    assert place.run('--version', code=0).startswith('pixel-detective ')


def folders_that_cannot_be_learned(place):
    place.run('index', place.root / 'nowhere', code=3, says='nowhere')
    place.run('index', place.photos / '0.png', code=3, says='not a folder')
    (place.root / 'empty').mkdir()
    assert 'no pictures' in place.run('index', place.root / 'empty', code=0)
    place.run('search', 'dog', code=1, says='learned')
    assert 'Begin with' in place.run('status', code=0)
    if os.getuid() == 0:
        os.chmod(place.root, 0o755)
        place.photos.chmod(0)
        place.environment['XDG_DATA_HOME'] = place.environment['XDG_CACHE_HOME'] = tempfile.mkdtemp(dir='/tmp')
        os.chown(place.environment['XDG_DATA_HOME'], NOBODY, NOBODY)
        place.run('index', place.photos, code=3, says='Permission denied', user=NOBODY, group=NOBODY, extra_groups=[])
        shutil.rmtree(place.environment['XDG_DATA_HOME'])


def bad_pictures_cost_themselves(place):
    (place.photos / 'archive.jpg').write_bytes(b'PK\3\4' + b'x' * 100)
    (place.photos / 'cut.png').write_bytes(png(9)[:300])
    (place.photos / 'noise.jpg').write_bytes(b'\xff\xd8\xff' + bytes(range(256)) * 4)
    index = place.json('index', place.photos, code=4)
    assert index['learned'] == 3 and len(index['errors']) == 3, index
    reasons = {pathlib.Path(e['path']).name: e['reason'] for e in index['errors']}
    assert 'ZIP' in reasons['archive.jpg'] and all(len(r) > 10 for r in reasons.values()), reasons
    again = place.json('index', place.photos, code=4)
    assert again['learned'] == 0 and len(again['errors']) == 3
    place.run('show', place.photos / 'cut.png', code=4)
    (place.photos / 'cut.png').write_bytes(png(9))
    mended = place.json('index', place.photos, code=4)
    assert mended['learned'] == 1 and len(mended['errors']) == 2


def odd_names_are_no_trouble(place):
    folder = os.path.join(os.fsencode(place.photos), b'new\nline \xff "quoted"')
    os.mkdir(folder)
    with open(os.path.join(folder, b'\x1b[31m.png'), 'wb') as file:
        file.write(png(77))
    assert place.json('index', place.photos)['learned'] == 4
    lines = place.run('search', 'x', code=0).replace('-- weaker matches below --\n', '')
    assert lines.count('\n') == 4, lines
    assert '\x1b' not in place.run('search', 'x', code=0)
    assert place.json('index', os.fsdecode(folder))['unchanged'] == 1


def a_broken_model_is_named(place):
    place.run('index', place.photos, code=0)
    model = place.root / 'model'
    shutil.copytree(place.tiny, model)
    weights = (model / 'model.safetensors').read_bytes()
    (model / 'vocab.json').unlink()
    place.run('search', 'x', '--model', model, code=3, says='vocab.json')
    shutil.copy(place.tiny / 'vocab.json', model)
    (model / 'special_tokens_map.json').unlink()  # not every model has one
    place.run('index', place.photos, '--model', model, code=0)
    place.run('search', 'x', '--model', model, code=0)
    for broken in (weights[:100000], weights[:4], b'\xff' * 8 + weights[8:]):
        (model / 'model.safetensors').write_bytes(broken)
        place.run('search', 'x', '--model', model, code=3, says='model.safetensors')
    place.run('search', 'x', '--model', place.root / 'no-model', code=3, says='no-model')
    place.run('index', place.photos, '--model', model, code=3, says='model.safetensors')
    assert place.json('search', 'x')['total'] == 3


def a_damaged_or_newer_catalogue_is_left_alone(place):
    place.run('index', place.photos, code=0)
    catalogue = place.library / 'catalogue.sqlite'
    db = sqlite3.connect(catalogue)
    db.execute('PRAGMA user_version = 99')
    db.close()
    before = catalogue.read_bytes()
    place.run('search', 'x', code=3, says='version 99')
    place.run('index', place.photos, code=3, says='version 99')
    assert catalogue.read_bytes() == before
    catalogue.write_bytes(b'no database at all' * 500)
    place.run('search', 'x', code=3, says='damaged')
    place.run('index', place.photos, code=3, says='damaged')


@unprepared  # so it learns for a while
def a_second_learner_is_turned_away(place):
    for i in range(150):
        (place.photos / f'more-{i}.png').write_bytes(png(i + 10, 200))
    first = place.start('index', place.photos, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        lock = place.library / 'learner.lock'
        within(20, lambda: lock.exists() and lock.read_text().strip(), 'the lock', 0.002)
        place.run('index', place.photos, code=5, says=str(first.pid))
        place.run('status', code=0)
    finally:
        first.send_signal(signal.SIGINT)
        assert first.wait(60) in (0, 130)
    assert place.json('index', place.photos)['errors'] == []


def progress_can_be_read_by_programs(place):
    done = place.ask('index', place.photos, '--progress', 'json', '--json')
    snapshots = [json.loads(line) for line in done.stderr.decode().splitlines() if line.startswith('{')]
    assert snapshots and snapshots[-1]['phase'] == 'ready' and snapshots[-1]['learned'] == 3, done.stderr
    fractions = [s['fraction'] for s in snapshots]
    assert fractions == sorted(fractions) and fractions[-1] == 1
    assert json.loads(done.stdout)['learned'] == 3


def a_full_disk_is_said_and_loses_nothing(place):
    with open('/dev/full', 'w') as full:
        place.run('index', place.photos, code=0)
        done = subprocess.run(place.command('search', 'x', '--json'), env=place.environment, stdout=full,
                              stderr=subprocess.PIPE, timeout=60)
        assert done.returncode == 6 and b'No space left' in done.stderr, done
    small = place.root / 'small'
    small.mkdir()
    if os.getuid() != 0 or subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', small],
                                          capture_output=True).returncode != 0:
        raise SkipRest('a small file system can be mounted by root only')
    try:
        place.environment['XDG_DATA_HOME'] = str(small)
        for i in range(40):
            (place.photos / f'more-{i}.png').write_bytes(png(i + 50))
        place.run('index', place.photos, code=6, says='o space left')
        place.run('status', code=0)
    finally:
        subprocess.run(['umount', small], check=True)


if __name__ == '__main__':
    sys.exit(main(globals()))
