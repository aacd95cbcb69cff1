"""place.py: what the tests that start the program share: a scratch directory with pictures, what is prepared once for all of
them, waiting, and the cases of a file, run one by one."""
import fcntl
import os
import pathlib
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import zlib

TESTS = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(TESTS / 'server'), str(TESTS / 'hub')]  # whoever has a place may use their modules
SANITIZED = 'ASAN_OPTIONS' in os.environ  # set by ./test for both sanitizers' builds
PREPARED = 'cache/pixel-detective/prepared'
NOBODY = 65534


class Skip(Exception):
    """Raised by a case that cannot be played here."""


class SkipRest(Skip):
    """Raised by a case that has checked something, and cannot be played to its end here."""


def patience():
    """How much longer than on a quiet machine things may take here and now: sanitizers are slow, and others share the CPUs."""
    return float(os.environ.get('PD_SLOW', '1')) * max(1, os.getloadavg()[0] / os.cpu_count())


def within(seconds, look, what, pause=0.05):
    """The first truth that look() gives; as long as this machine needs."""
    until = time.monotonic() + seconds * patience()
    while not (found := look()):
        assert time.monotonic() < until, f'{what} never came: {look()!r}'
        time.sleep(pause)
    return found


ADDED = bytes(range(256)) * 2  # ADDED[n:n + 256] is a table for bytes.translate that adds n


def png(seed, side=64):
    """A picture unlike that of any other seed."""
    first = bytes((x * seed + c * 40) % 256 for x in range(side) for c in range(3))
    steps = (y * (seed % 7 + 1) % 256 for y in range(1, side))
    rows = b'\0' + seed.to_bytes(4, 'little').ljust(3 * side, b'\x80') + b''.join(b'\0' + first.translate(ADDED[n:n + 256]) for n in steps)

    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', side, side, 8, 2, 0, 0, 0)) +
            chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))


class Place:
    """A scratch directory with photos/ and a library, for a program that knows no other."""

    def __init__(self, root, program, source, n_pictures=3):
        self.root, self.program, self.source = pathlib.Path(root).resolve(), os.path.abspath(program), pathlib.Path(source).resolve()
        self.photos, self.library = self.root / 'photos', self.root / 'data/pixel-detective'
        self.models, self.prepared = self.library / 'models', self.root / PREPARED
        self.photos.mkdir()
        self.add_pictures(n_pictures)
        self.environment = {'PATH': os.environ['PATH'], 'HOME': str(self.root), 'XDG_DATA_HOME': str(self.root / 'data'),
                            'XDG_CACHE_HOME': str(self.root / 'cache'), 'LANG': 'C.UTF-8'}
        for name in ('ASAN_OPTIONS', 'TSAN_OPTIONS', 'UBSAN_OPTIONS'):
            self.environment[name] = os.environ.get(name, '')

    def add_pictures(self, n, first=1, side=64, folder=None):
        for i in range(first, first + n):
            ((folder or self.photos) / f'{i}.png').write_bytes(png(i, side))

    def fixture(self, name):
        """A directory of the shared test data, which may be absent."""
        path = self.source.parent / 'shared' / name
        if not path.is_dir():
            raise Skip(f'shared/{name} is not here')
        return path

    def end(self):
        """Ends what was started here and may still run."""


def keep_prepared(program, source):
    """What the shipped models are prepared to is the same for every case: made once beside the program, by it, which takes
    seconds. The program checks it. tests/page takes the words from there, too."""
    kept = pathlib.Path(program).resolve().parent / 'words-for-tests'
    kept.mkdir(exist_ok=True)
    mark = kept / 'of-program'
    made_by = str(pathlib.Path(program).stat().st_mtime_ns)
    with (kept / 'lock').open('w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if mark.is_file() and mark.read_text() == made_by:
            return kept
        with tempfile.TemporaryDirectory(prefix='pd-test-') as root:
            place = Place(root, program, source)
            for words in (['index', place.photos], ['caption', place.photos / '1.png']):
                subprocess.run([place.program, *words], env=place.environment, stdout=subprocess.DEVNULL, check=True)
            for old in kept.glob('*.*'):
                old.unlink()
            copy_files(place.prepared, kept)
        mark.write_text(made_by)
    return kept


def copy_files(here, there):
    there.mkdir(parents=True, exist_ok=True)
    for file in here.iterdir():
        if file.suffix in ('.prepared', '.words', '.id'):
            shutil.copy2(file, there / file.name)


def unprepared(case):
    """Marks a case for which nothing has been prepared yet."""
    case.is_unprepared = True
    return case


def cpu_seconds():
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def play(case, place):
    """Plays a case; gives its verdict, as tools/tally.py reads it."""
    begun, cpu = time.monotonic(), cpu_seconds()
    log = place.root / 'stderr'
    verdict, why = 'ok  ', ''
    try:
        case(place)
        place.end()
        assert not log.exists() or b'Sanitizer' not in log.read_bytes(), 'a sanitizer complained'
    except SkipRest as skip:
        why = f' in part: {skip}'
    except Skip as skip:
        verdict, why = 'skipped', f': {skip}'
    except Exception as wrong:  # noqa: any failure is the case's
        traceback.print_exc()
        verdict, why = 'FAIL', f': {wrong!r}\n{log.read_text(errors="replace") if log.exists() else ""}'
    finally:
        place.end()
    print(f'{verdict} {case.__name__} ({time.monotonic() - begun:.1f} s, {cpu_seconds() - cpu:.1f} s CPU){why}', flush=True)
    return verdict != 'FAIL'


def main(names, kind=Place):
    """PROGRAM SOURCE [WORD...]: plays every function of a test file whose first parameter is `place`, or those whose name
    holds a word, each in a place of its own."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup programs would inherit that it is ignored
    program, source, *words = sys.argv[1:]
    cases = [value for name, value in names.items()
             if getattr(value, '__code__', None) and value.__code__.co_varnames[:1] == ('place',) and
             value.__module__ == '__main__' and (not words or any(word in name for word in words))]
    kept, n_failed = keep_prepared(program, source), 0
    for case in cases:
        with tempfile.TemporaryDirectory(prefix='pd-test-', ignore_cleanup_errors=True) as root:
            place = kind(root, program, source)
            if not hasattr(case, 'is_unprepared'):
                copy_files(kept, place.prepared)
            n_failed += not play(case, place)
    return 0 if cases and not n_failed else 1
