#!/usr/bin/env python3
"""test_names.py PROGRAM SOURCE: names as file systems allow them, things that are no files, files that do not hold still."""
import json
import os
import pathlib
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time

from cli_place import NOBODY, Skip, SkipRest, main, png, unprepared

NAMES = (b'\xff\xfe\x80.png', b'new\nline.png', b'qu"ote\'s `x`.png', b'back\\slash.png', b'esc\x1b[31m\x07.png', b'tab\t.png',
         b'-n.png', b'--help.png', b' lead and trail .png', b'%s%n%d.png', b"'; DROP TABLE photo; --.png",
         'rtl\u202egnp.png'.encode(), 'cafe\u0301.png'.encode(), 'caf\u00e9.png'.encode(), b'x' * 251 + b'.png',
         '\U0001f436.png'.encode(), b'\x01\x02\x7f.png', b'UPPER.PNG', b'a.b.c.jpg', b'\xe2\x82.png', b'http:%2f%2fx.png',
         b'*?[a].png', b'$(touch x).png', b'#~.png', '\ufeff\u2028.png'.encode(), b'.png.png'[1:])
PATH_BYTES_MAX = 4096  # PD_STORE_PATH_BYTES_MAX, the zero at the end included


def learned_paths(library):
    """as bytes: only -0 tells them exactly"""
    done = library.ask('search', '-0', '-n', '10000', '--', 'x')
    assert done.returncode in (0, 1), done
    return set(done.stdout.split(b'\0')[:-1])


def odd_names_are_names(place):
    folder = os.fsencode(place.photos)
    odd = [folder + b'/' + name for name in NAMES]
    for i, path in enumerate(odd):
        with open(path, 'wb') as file:
            file.write(png(i + 10))
    index = place.json('index', place.photos)
    assert index['files'] == index['learned'] == 3 + len(odd) and not index['errors'], index
    assert place.json('index', place.photos)['unchanged'] == 3 + len(odd)
    assert set(odd) <= learned_paths(place)
    ids = set()
    for path in odd:
        shown = subprocess.run([*place.command('show', '--json'), path], env=place.environment, capture_output=True,
                               timeout=60)
        assert shown.returncode == 0, (path, shown)
        told = json.loads(shown.stdout)
        assert told['path'].split('\ufffd')[0] == path.decode('utf-8', 'replace').split('\ufffd')[0], path
        ids.add(told['id'])
    # what is told apart on disk is told apart here: the two ways to write an accent
    assert len(ids) == len(odd), 'two names are one photo'


def no_name_speaks_to_the_terminal(place):
    folder = os.fsencode(place.photos)
    for i, name in enumerate(NAMES):
        with open(folder + b'/' + name, 'wb') as file:
            file.write(b'not a picture' if i % 2 else png(i + 10))
    done = place.ask('index', place.photos)
    assert done.returncode == 4, done
    found = place.ask('search', 'x', '-n', '100')
    table = place.ask('search', 'x', '-n', '100', '--csv')
    for output in (done.stdout, done.stderr, found.stdout, found.stderr):
        text = output.decode()  # valid UTF-8, whatever the names were
        assert all(c == '\n' or (c.isprintable() or c in '\ufeff') for c in text), repr(text)
    learned = 3 + len([name for i, name in enumerate(NAMES) if i % 2 == 0])
    assert len([line for line in found.stdout.splitlines() if not line.startswith(b'--')]) == learned, found.stdout
    assert b'DROP TABLE' not in b''.join(table.stdout.splitlines()[:1]) and table.returncode == 0


def what_is_no_file_is_passed_over(place):
    photos = place.photos
    os.symlink('/dev/zero', photos / 'zero.png')
    os.symlink(photos / '0.png', photos / 'link.png')
    os.symlink('nowhere', photos / 'broken.jpg')
    os.symlink('itself.png', photos / 'itself.png')
    os.symlink('..', photos / 'loop')
    os.symlink('/', photos / 'root')
    os.mkfifo(photos / 'pipe.png')
    os.mkdir(photos / 'folder.png')
    (photos / 'folder.png/inside.png').write_bytes(png(90))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(photos / 'socket.png'))
    os.link(photos / '0.png', photos / 'hard.png')
    devices = 0
    if os.getuid() == 0:
        try:
            os.mknod(photos / 'zero-device.png', stat.S_IFCHR | 0o600, os.makedev(1, 5))
            os.mknod(photos / 'disk.jpg', stat.S_IFBLK | 0o600, os.makedev(7, 0))
            devices = 2
        except PermissionError:
            pass
    index = place.json('index', photos)  # and does not wait for what never ends
    assert index['files'] == 5 and not index['errors'], index  # 3, the one in the folder, the hard link
    assert index['learned'] == 4 and index['skipped'] == 6 + devices, index
    assert {os.fsencode(photos / n) for n in ('0.png', 'hard.png', 'folder.png/inside.png')} <= learned_paths(place)
    listener.close()
    if not devices:
        raise SkipRest('devices can be made by root only')


def trees_may_be_deeper_than_a_path(place):
    """Folders whose paths no system call takes any more: they can only be entered step by step."""
    name, top = 'd' * 200, os.open(place.photos, os.O_RDONLY | os.O_DIRECTORY)
    depth, at = 0, top
    length = len(os.fsencode(place.photos))
    within = 0
    while depth < 40:
        os.mkdir(name, dir_fd=at)
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=at)
        if at != top:
            os.close(at)
        at, depth = inner, depth + 1
        length += 1 + len(name)
        file = os.open('p.png', os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=at)
        os.write(file, png(100 + depth))
        os.close(file)
        within += length + len('/p.png') < PATH_BYTES_MAX
    os.close(at)
    os.close(top)
    assert 10 < within < depth
    index = place.json('index', place.photos)
    assert index['files'] == index['learned'] == 3 + within and not index['errors'], (index, within)
    assert index['skipped'] >= 1, index
    shutil.rmtree(place.photos)


def many_folders_deep_and_wide(place):
    path = place.photos
    for i in range(300):
        path = path / 'd'
        path.mkdir()
    (path / 'deep.png').write_bytes(png(99))
    for i in range(2000):
        (place.photos / f'{i}').mkdir()
    index = place.json('index', place.photos)
    assert index['files'] == index['learned'] == 4, index


@unprepared  # another user keeps what it prepares itself
def what_cannot_be_read_is_said_and_tried_again(place):
    if os.getuid() != 0:
        raise Skip('run as root, which gives itself up')
    for path in (place.root, place.photos):
        path.chmod(0o777)
    secret, folder = place.photos / 'secret.png', place.photos / 'locked'
    secret.write_bytes(png(70))
    secret.chmod(0)
    folder.mkdir()
    (folder / 'inside.png').write_bytes(png(71))
    folder.chmod(0)
    answer = json.loads(place.run('index', place.photos, '--json', code=4, user=NOBODY, group=NOBODY,
                                  extra_groups=[]))
    assert [pathlib.Path(row['path']).name for row in answer['errors'] if row['path'].endswith('.png')] == ['secret.png']
    assert answer['learned'] == 3 and 'ermission denied' in json.dumps(answer['errors']), answer
    secret.chmod(0o644)
    folder.chmod(0o755)
    answer = json.loads(place.run('index', place.photos, '--json', code=0, user=NOBODY, group=NOBODY, extra_groups=[]))
    assert answer['learned'] == 2 and not answer['errors'], answer


class Restless:
    """Changes files of a folder for as long as it is entered."""

    def __init__(self, folder, change):
        self.folder, self.change, self.stopped, self.changes = folder, change, threading.Event(), 0
        self.thread = threading.Thread(target=self.work)

    def work(self):
        while not self.stopped.is_set():
            for path in sorted(self.folder.glob('*.png')):
                try:
                    self.change(path, self.changes)
                except FileNotFoundError:
                    pass
                self.changes += 1
                time.sleep(0.0005)  # or the program gets no processor

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()


def grow(path, n):
    with open(path, 'ab') as file:
        file.write(b'x' * 1000)
    if path.stat().st_size > 10_000_000:
        os.truncate(path, 1000)


def shrink(path, n):
    os.truncate(path, 0 if n % 3 else 100)
    path.write_bytes(png(n % 50 + 1))


def replace(path, n):
    other = path.with_suffix('.new')
    other.write_bytes(png(n % 50 + 1))
    other.rename(path)


def vanish(path, n):
    path.unlink()
    time.sleep(0.0005)
    path.write_bytes(png(n % 50 + 1))


def turn_into_something_else(path, n):
    path.unlink()
    (os.mkfifo, lambda p: os.symlink('/dev/zero', p), os.mkdir)[n % 3](path)
    time.sleep(0.0005)
    path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    path.write_bytes(png(n % 50 + 1))


def files_that_do_not_hold_still(place):
    for i in range(40):
        (place.photos / f'more-{i}.png').write_bytes(png(i + 5, side=200))
    for change in (grow, shrink, replace, vanish, turn_into_something_else):
        with Restless(place.photos, change) as restless:
            for _ in range(3):
                done = place.ask('index', place.photos, '--json')
                assert done.returncode in (0, 4), (change.__name__, done)
                reasons = ' '.join(row['reason'] for row in json.loads(done.stdout)['errors'])
                assert 'crashed' not in reasons and 'longer than' not in reasons, (change.__name__, reasons)
        assert restless.changes > 40, change.__name__
    for i, path in enumerate(sorted(place.photos.glob('*.png'))):
        path.write_bytes(png(i + 1, side=100))
    place.json('index', place.photos)
    assert len(learned_paths(place)) == 43
    assert place.json('index', place.photos)['unchanged'] == 43


@unprepared  # preparing gives it time to go
def a_folder_that_goes_away_while_it_is_read(place):
    wide = place.photos / 'wide'
    for i in range(300):
        (wide / f'{i}').mkdir(parents=True)
        (wide / f'{i}/p.png').write_bytes(png(i % 90 + 1))
    process = place.start('index', place.photos, '--json', '--progress', 'none', stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(0.05)
    shutil.rmtree(wide)
    out, errors = process.communicate(timeout=120)
    assert process.returncode in (0, 4), (process.returncode, errors)
    assert json.loads(out)['learned'] >= 3
    after = place.ask('index', place.photos, '--json')
    index = json.loads(after.stdout)
    assert after.returncode == 0 and index['files'] == 3 and not index['errors'], after
    assert not after.stderr or b"photos are kept as 'offline'" in after.stderr, after  # as so much of it was learned by then


if __name__ == '__main__':
    sys.exit(main(globals()))
