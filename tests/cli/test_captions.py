#!/usr/bin/env python3
"""test_captions.py PROGRAM SOURCE: captions and tags on the command line: of files in the library and not, after learning,
shown and searched for."""
import json
import pathlib
import shutil
import sqlite3
import sys

from cli_place import main, png, unprepared


def pictures_are_told_of_in_words(place):
    text = place.run('caption', place.photos / '0.png', code=0)
    assert text.startswith(str(place.photos / '0.png') + '\n  caption   '), text
    assert not place.library.exists(), 'asking about a file makes no library'
    (place.photos / 'none.jpg').write_text('no picture')
    names = [str(place.photos / name) for name in ('0.png', 'none.jpg', '1.png')]
    done = json.loads(place.run('caption', '--json', *names, code=4, says='none.jpg'))['pictures']
    assert [one['path'] for one in done] == names, done
    assert done[0]['caption'] and 0 <= done[0]['score'] <= 1 and done[0]['error'] is None and done[0]['doubtful'] in (True, False)
    assert done[1]['caption'] is None and done[1]['error'] and done[1]['tags'] == [], done[1]
    assert isinstance(done[2]['cosine'], float) and isinstance(done[2]['likelihood'], float)
    lines = place.run('caption', '--jsonl', names[0], names[2], code=0).splitlines()
    assert [json.loads(line)['path'] for line in lines] == [names[0], names[2]]
    place.run('caption', names[1], code=3, says='none.jpg')
    place.run('caption', place.root / 'not-there.jpg', code=3, says='not-there.jpg')
    place.run('caption', code=2, says='caption needs a picture')


@unprepared
def learning_is_followed_by_words(place):
    place.index_options = []
    index = place.json('index', '--captions', place.photos)
    assert index['tagged'] == index['captioned'] == 3 and 0 <= index['doubtful'] <= 3, index
    again = place.json('index', place.photos)
    assert again['tagged'] == again['captioned'] == 0, again
    one = str(place.photos / '0.png')
    work = place.json('show', one)['work']
    assert work['caption'] and work['caption_by'] == 'machine' and work['caption_machine'] == work['caption'], work
    assert all(tag['by'] == 'machine' and 0 <= tag['score'] <= 1 for tag in work['tags']), work
    assert "(a machine's" in place.run('show', one, code=0)
    word = max(work['caption'].split(), key=len)
    assert place.json('search', f'caption:{word}')['total'] >= 1
    told = place.json('caption', one)['pictures'][0]
    assert told['caption'] == work['caption'], (told, work)
    shutil.copy(one, place.photos / 'copy.png')
    assert place.json('index', place.photos)['tagged'] == 0, 'a copy shares what is written'
    assert place.json('show', place.photos / 'copy.png')['work']['caption'] == work['caption']
    (place.photos / 'new.png').write_bytes(png(9))
    assert place.json('index', '--no-tags', place.photos)['tagged'] == 0
    progress = place.run('index', '--captions', place.photos, code=0)
    assert 'Wrote 1 caption' in progress, progress


def what_cannot_be_kept_is_told_all_the_same(place):
    place.run('index', '--no-tags', place.photos, code=0)
    other = sqlite3.connect(place.library / 'catalogue.sqlite', isolation_level=None)
    other.execute('BEGIN IMMEDIATE')
    said = place.run('caption', place.photos / '0.png', code=4, says='another process')
    assert '  caption   ' in said, said
    other.close()


if __name__ == '__main__':
    sys.exit(main(globals()))
