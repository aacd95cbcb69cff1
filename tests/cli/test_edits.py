#!/usr/bin/env python3
"""test_edits.py PROGRAM SOURCE: what the user does for photos, on the command line: edits, albums, undo, saved searches,
the document of all that, copies; also while another process learns."""
import json
import os
import pathlib
import signal
import subprocess
import sys

from cli_place import main, png


def learned(where):
    where.run('index', where.photos, code=0)
    return [str(where.photos / f'{i}.png') for i in range(3)]


def total(where, query):
    return json.loads(where.ask('search', '--json', '--', query).stdout)['total']


def edits_are_found_and_taken_back(place):
    one, two, three = learned(place)
    assert place.run('tag', 'beach', one, two, code=0) == "tag 'beach' of 2 photos\n"
    assert 'nothing to change' in place.run('tag', 'beach', one, code=0)
    place.run('tag', 'old boat', '--query', 'tag:beach', code=0)
    assert total(place, 'tag:"old boat"') == 2 and total(place, 'tag:old*') == 2
    rated = place.json('rate', '4', three)
    assert rated['edited'] == 1 and rated['step'] > 0 and rated['sentence'] == 'rating 4 of 1 photo', rated
    place.run('favorite', one, three, code=0)
    assert total(place, 'rating:>=4 favorite:yes') == 1
    assert place.json('tag', 'beach', '--remove', '--query', 'favorite:yes')['edited'] == 1
    shown = place.json('show', one)
    assert [t['name'] for t in shown['tags']] == ['old boat'] and shown['work']['favorite'] is True, shown
    assert 'favorite' in place.run('show', one, code=0) and 'old boat' in place.run('show', one, code=0)
    assert 'beach' in place.run('undo', '--dry-run', code=0) and total(place, 'tag:beach') == 1
    for said in ('beach', 'favo', 'rating', 'old boat', 'beach'):
        taken = place.run('undo', code=0)
        assert taken.startswith('taken back: ') and said in taken, taken
    assert total(place, 'tag:*') == 0 and total(place, 'favorite:yes') == 0
    place.run('undo', code=1, says='nothing to take back')
    place.run('rate', '0', one, code=0)
    place.run('rate', 'none', one, code=0)
    assert place.json('show', one)['rating'] is None


def a_dry_run_changes_nothing(place):
    learned(place)
    assert place.run('tag', 'x', '--query', 'name:*.png', '--dry-run', code=0) == 'would change 3 photos\n'
    assert place.json('rate', '5', '--query', 'name:0.png', '--dry-run') == {'photos': 1, 'dry_run': True}
    place.run('export', '--query', 'name:*', '--to', place.root / 'out', '--dry-run', code=0)
    assert not (place.root / 'out').exists() and total(place, 'tag:x') == 0
    place.run('undo', code=1, says='nothing')


def sidecars_carry_what_the_user_said(place):
    one, two, three = map(pathlib.Path, learned(place))
    bytes_before = [path.read_bytes() for path in (one, two, three)]
    place.run('tag', 'beach', one, two, code=0)
    place.run('rate', '4', one, code=0)
    theirs = two.with_name(two.name + '.xmp')
    theirs.write_text('<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
                      '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:q="urn:q" q:kept="yes">'
                      '<dc:subject><rdf:Bag><rdf:li>harbour</rdf:li></rdf:Bag></dc:subject></rdf:Description>'
                      '</rdf:RDF></x:xmpmeta>')
    theirs.chmod(0o640)
    everything = ('export', '--sidecars', '--query', 'name:*.png')
    assert 'would write: 2 sidecars' in place.run(*everything, '--dry-run', code=0)
    assert not one.with_name(one.name + '.xmp').exists() and 'beach' not in theirs.read_text()
    assert place.json(*everything) == {'written': 2, 'unchanged': 1, 'failed': 0, 'of': 3, 'message': None}
    assert place.json(*everything)['unchanged'] == 3
    assert 'q:kept="yes"' in theirs.read_text() and theirs.stat().st_mode & 0o777 == 0o640
    assert not three.with_name(three.name + '.xmp').exists()
    assert [path.read_bytes() for path in (one, two, three)] == bytes_before
    place.run('index', place.photos, code=0)
    assert sorted(place.json('show', two)['keywords']) == ['beach', 'harbour']
    assert place.json('show', one)['keywords'] == ['beach']
    place.run('tag', '--remove', 'beach', one, code=0)
    place.run('rate', 'none', one, code=0)
    assert place.json(*everything)['written'] == 1
    assert 'beach' not in one.with_name(one.name + '.xmp').read_text()


def a_sidecar_that_cannot_be_written_costs_that_photo(place):
    one, two, three = map(pathlib.Path, learned(place))
    place.run('tag', 'beach', one, two, three, code=0)
    one.with_name(one.name + '.xmp').write_text('<not xmp')
    elsewhere = place.root / 'elsewhere.xmp'
    elsewhere.write_text('theirs')
    two.with_name(two.name + '.xmp').symlink_to(elsewhere)
    place.run('export', '--sidecars', one, two, three, code=4, says='2 could not be written')
    assert one.with_name(one.name + '.xmp').read_text() == '<not xmp' and elsewhere.read_text() == 'theirs'
    assert three.with_name(three.name + '.xmp').exists()
    assert not [name for name in place.photos.iterdir() if name.name.startswith('.')]
    place.run('export', '--sidecars', '--to', 'x', one, code=2, says='not both')
    place.run('export', '--machine', '--to', 'x', one, code=2, says='--sidecars')
    place.run('export', '--sidecars', code=2, says='which photos?')


def mistakes_are_explained(place):
    one, *_ = learned(place)
    place.run('tag', code=2, says='tag needs a tag and photos')
    place.run('tag', 'x', code=2, says='which photos?')
    place.run('tag', 'x', one, '--query', 'dog', code=2, says='not both')
    place.run('tag', '  ', one, code=2, says='empty')
    place.run('tag', 'a\nb', one, code=2, says='one line')
    place.run('tag', 'x', place.photos / 'none.png', code=1, says='none.png')
    place.run('tag', 'x', '--query', 'tag:none', code=1, says='nothing found')
    place.run('rate', '6', one, code=2, says='0 to 5')
    place.run('favorite', code=2, says='which photos?')
    place.run('album', 'burn', 'x', code=2, says='album burn')
    place.run('album', 'rename', 'x', code=2, says='album rename NAME TO')
    place.run('album', 'show', 'none', code=1, says="no album 'none'")
    place.run('album', 'remove', 'none', code=1, says='none')
    place.run('export', one, code=2, says='--to')
    place.run('export', '--to', 'x', '-o', 'y', one, code=2, says='-o')
    place.run('import', place.root / 'none.json', code=3, says='none.json')
    place.run('search', '--saved', 'none', code=1, says="saved as 'none'")
    place.run('search', 'tag:none year:1900', code=1, says='nothing found')
    place.run('search', 'name:*.png tag:none', code=1, says="without 'tag: none' it would be 3")
    place.run('undo', 'x', code=2, says='no argument')


def albums_hold_photos(place):
    one, two, three = learned(place)
    place.run('album', code=1, says='no album yet')
    place.run('album', 'make', 'Empty', code=0)
    place.run('album', 'add', 'Italy, "2019"', one, two, code=0)
    albums = {a['name']: a['photos'] for a in place.json('album', 'list')['albums']}
    assert albums == {'Empty': 0, 'Italy, "2019"': 2}, albums
    assert '        2  Italy, "2019"\n' in place.run('album', code=0)
    shown = place.json('album', 'show', 'Italy, "2019"')
    assert {h['path'] for h in shown['hits']} == {one, two}, shown
    assert place.run('album', 'show', 'italy, "2019"', '-0', code=0).count('\0') == 2
    place.run('album', 'take', 'Italy, "2019"', two, code=0)
    place.run('album', 'rename', 'Italy, "2019"', 'Rome', code=0)
    place.run('album', 'rename', 'Rome', 'Empty', code=2, says='Empty')
    assert [h['path'] for h in place.json('album', 'show', 'Rome')['hits']] == [one]
    place.run('album', 'remove', 'Rome', code=0)
    assert total(place, 'album:*') == 0 and pathlib.Path(one).exists()
    place.run('undo', code=0)
    assert total(place, 'album:rome') == 1 and total(place, 'has:album') == 1


def searches_are_saved(place):
    learned(place)
    place.run('saved', code=1, says='--save NAME')
    place.run('search', '--save', 'png files', 'name:*.png', 'sort:name', code=0)
    assert place.run('saved', code=0) == 'png files\tname:*.png sort:name\n'
    again = place.json('search', '--saved', 'png files', 'dog')
    assert again['query'] == 'name:*.png sort:name dog' and again['total'] == 3 and again['sort'] == 'name', again
    assert place.json('saved')['saved'][0]['name'] == 'png files'
    place.run('saved', 'remove', 'png files', code=0)
    place.run('history', code=1, says='page')
    place.run('history', 'clear', code=0)
    place.run('history', 'burn', code=2, says='history clear')


def queries_are_explained_without_a_library(place):
    text = place.run('search', '--explain', '--', '-people 2*red camera:canon iso:fast sort:-date', code=0)
    assert len(text.splitlines()) == 6 and 'camera: canon' in text and 'people' in text, text
    assert any(line.startswith('  ') for line in text.splitlines()), 'the note about iso:fast'
    reading = place.json('search', '--explain', 'sunset', 'year:2020')
    assert [p['kind'] for p in reading['parts']] == ['meaning', 'filter'] and reading['print'] == 'sunset year:2020'
    assert not place.library.exists()


def windows_fit_together(place):
    for i in range(3, 12):
        (place.photos / f'{i}.png').write_bytes(png(i + 1))
    place.run('index', place.photos, code=0)
    for sort in ('score', '-name', 'size', 'date'):
        whole = place.json('search', 'red', '--sort', sort, '-n', '100')
        parts = [place.json('search', 'red', '--sort', sort, '-n', '5', '--offset', str(at)) for at in (0, 5, 10, 15)]
        assert [h['id'] for p in parts for h in p['hits']] == [h['id'] for h in whole['hits']], sort
        assert [len(p['hits']) for p in parts] == [5, 5, 2, 0] and len(whole['hits']) == 12
    text = place.run('search', 'red', '--offset', '9', code=0)
    assert text.splitlines()[-1].split()[0] == '12', text


def work_moves_to_another_library(place):
    one, two, three = learned(place)
    place.run('tag', 'beach', one, two, code=0)
    place.run('tag', 'ünï "x"', three, code=0)
    place.run('rate', '5', one, code=0)
    place.run('favorite', two, code=0)
    place.run('album', 'add', 'Trip', three, one, code=0)
    place.run('album', 'make', 'Empty', code=0)
    place.run('search', '--save', 'best', 'rating:5', code=0)
    file = place.root / 'work.json'
    assert '2 saved' not in place.run('export', '-o', file, code=0)
    document = json.loads(file.read_text())
    on_stdout = json.loads(place.run('export', code=0))
    assert document['edits'] == on_stdout['edits'] and document['work'] == 1
    other = ('--library', str(place.root / 'other'))
    moved = place.root / 'moved'
    moved.mkdir()
    for path in (one, two, three):
        (moved / f'other-{pathlib.Path(path).name}').write_bytes(pathlib.Path(path).read_bytes())
    place.run('index', moved / 'other-0.png', *other, code=3, says='not a folder')
    (moved / 'later').mkdir()
    os.rename(moved / 'other-2.png', place.root / 'aside.png')
    place.run('index', moved, *other, code=0)
    counts = place.json('import', file, *other)
    assert counts == {'edits': 8, 'photos': 5, 'waiting': 2, 'albums': 2, 'searches': 1}, counts
    again = place.json('import', file, *other)
    assert again == counts, again
    os.rename(place.root / 'aside.png', moved / 'later/other-2.png')
    place.run('index', moved, *other, code=0)

    def found(query):
        hits = json.loads(place.ask('search', '--json', *other, '--', query).stdout)['hits']
        return {pathlib.Path(h['path']).name for h in hits}
    assert found('tag:beach') == {'other-0.png', 'other-1.png'} and found('rating:5') == {'other-0.png'}
    assert found('tag:"ünï ""x"""') == {'other-2.png'}, 'it waited'
    assert found('favorite:yes') == {'other-1.png'} and found('album:trip') == {'other-0.png', 'other-2.png'}
    assert {a['name'] for a in place.json('album', *other)['albums']} == {'Trip', 'Empty'}
    assert place.run('saved', *other, code=0) == 'best\trating:5\n'
    place.run('import', one, code=3, says='0.png')
    (place.root / 'cut.json').write_text(file.read_text()[:200])
    place.run('import', place.root / 'cut.json', code=3, says='cut.json')
    (place.root / 'new.json').write_text(file.read_text().replace('"work":1', '"work":9'))
    place.run('import', place.root / 'new.json', code=3, says='version 9')
    done = place.ask('import', '-', *other, input=file.read_bytes())
    assert done.returncode == 0 and b'8 edits and 1 saved search were read' in done.stdout, done


def copies_never_overwrite(place):
    one, two, three = learned(place)
    (place.photos / 'sub').mkdir()
    (place.photos / 'sub/0.png').write_bytes(png(50))
    place.run('index', place.photos, code=0)
    out = place.root / 'out/deep'
    copied = place.json('export', '--query', 'name:*.png sort:name', '--to', out)
    assert (copied['copied'], copied['renamed'], copied['failed'], copied['of']) == (4, 1, 0, 4), copied
    assert sorted(p.name for p in out.iterdir()) == ['0 (2).png', '0.png', '1.png', '2.png']
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    assert sorted(before.values()) == sorted(p.read_bytes() for p in place.photos.rglob('*.png'))
    os.unlink(two)
    said = place.run('export', one, two, '--to', out, code=4, says='1.png')
    assert said == '1 photo was copied, 1 of them under another name\n', said
    assert {p.name: p.read_bytes() for p in out.iterdir() if p.name in before} == before and (out / '0 (3).png').exists()
    (place.root / 'file').write_text('x')
    place.run('export', one, '--to', place.root / 'file', code=3, says='file')
    assert not [p for p in out.iterdir() if p.name.startswith('.')]


def edits_do_not_wait_for_a_learner(place):
    one, two, three = learned(place)
    for i in range(60):
        (place.photos / f'more-{i}.png').write_bytes(png(i + 10, 96))
    learner = place.start('index', place.photos, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    for i in range(6):
        place.run('tag', f'round {i}', one, two, code=0)
    place.run('undo', code=0)
    assert learner.wait(120) == 0, learner.stderr.read()
    learner.stderr.close()
    assert total(place, 'tag:round*') == 2 and total(place, 'tag:"round 5"') == 0 and total(place, 'name:more*') == 60


def a_folder_that_goes_away_is_said(place):
    for i in range(120):
        (place.photos / f'more-{i}.png').write_bytes(png(i + 10, 128))
    learner = place.start('index', place.photos, '--progress', 'json', stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for line in learner.stderr:
        if line.startswith(b'{') and json.loads(line)['learned'] > 3:
            learner.send_signal(signal.SIGSTOP)  # or it may be at its end first
            break
    place.photos.rename(place.root / 'away')
    learner.send_signal(signal.SIGCONT)
    errors = learner.stderr.read().decode()
    learner.stdout.close()
    learner.stderr.close()
    assert learner.wait(60) == 4 and 'went away' in errors and 'offline' in errors, errors
    assert place.json('status')['roots'][0]['offline'] is True
    (place.root / 'away').rename(place.photos)
    again = place.json('index', place.photos)
    assert again['errors'] == [] and again['files'] == 123 and place.json('status')['learned'] == 123, again


if __name__ == '__main__':
    sys.exit(main(globals()))
