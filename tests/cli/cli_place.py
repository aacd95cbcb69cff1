"""cli_place.py: the command line in a scratch directory."""
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import place as shared  # noqa: E402
from place import NOBODY, Place, Skip, SkipRest, cpu_seconds, patience, png, unprepared, within  # noqa: E402,F401


class CliPlace(Place):
    """photos/ has 0.png, 1.png and 2.png. What is learned is not tagged where a case does not ask for it."""

    index_options = ['--no-tags']

    def __init__(self, root, program, source):
        super().__init__(root, program, source, 0)
        del self.environment['LANG']  # as a script may run it
        for i in range(3):
            (self.photos / f'{i}.png').write_bytes(png(i + 1))
        self.tiny = self.source / 'models/tiny'

    def command(self, *arguments):
        words = [*map(str, arguments)]
        return [self.program, *words[:1], *(self.index_options if words[:1] == ['index'] else []), *words[1:]]

    def start(self, *arguments, **options):
        return subprocess.Popen(self.command(*arguments), env=self.environment, **options)

    def ask(self, *arguments, **options):
        """Runs, whatever comes of it."""
        return subprocess.run(self.command(*arguments), env=self.environment, capture_output=True, cwd=self.root, timeout=120,
                              **options)

    def run(self, *arguments, code, says='', **options):
        """Runs, checks the exit code and that standard error holds `says`; gives standard output."""
        done = self.ask(*arguments, **options)
        errors = done.stderr.decode('utf-8', 'replace')
        assert done.returncode == code, f'{arguments}: exit {done.returncode}, not {code}: {errors}'
        assert code or not errors or says, f'{arguments}: succeeded and complained: {errors}'
        assert says in errors, f'{arguments}: {says!r} is not in {errors!r}'
        if code in (2, 3, 5, 6):
            assert errors.startswith('pixel-detective: ') and len(errors.splitlines()[-1]) > 25, errors
            assert not done.stdout, done.stdout
        return done.stdout.decode('utf-8', 'replace')

    def json(self, *arguments, code=0):
        return json.loads(self.run(*arguments, '--json', code=code))


def main(names):
    return shared.main(names, CliPlace)
