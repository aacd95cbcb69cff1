#!/usr/bin/env python3
"""chart.py CSV SVG: the rows "peers,b32,...,ms" of a table of results as bars: docs/pictures/speed.svg.

    python3 bench/chart.py bench/results/engine-amd-epyc.csv docs/pictures/speed.svg
"""
import csv
import html
import pathlib
import sys

WIDTH, LEFT, RIGHT, TOP, BAR, STEP = 720, 210, 70, 56, 20, 32
STYLE = ('text{font:14px system-ui,sans-serif;fill:#24292f}.t{font-weight:600}.s{fill:#57606a;font-size:12px}'
         '.o{fill:#0969da}.p{fill:#8c959f}'
         '@media(prefers-color-scheme:dark){text{fill:#e6edf3}.s{fill:#9198a1}.o{fill:#4493f8}.p{fill:#656c76}}')


def read_bars(path):
    """[(name, median ms)], fastest first."""
    with open(path, newline='') as file:
        bars = [(row['measure'], float(row['median'])) for row in csv.DictReader(file)
                if (row['bench'], row['subject'], row['unit']) == ('peers', 'b32', 'ms')]
    if not bars:
        sys.exit(f'{path}: no rows of peers')
    return sorted(bars, key=lambda bar: bar[1])


def draw(bars):
    height = TOP + STEP * len(bars) + 8
    scale = (WIDTH - LEFT - RIGHT) / max(ms for _, ms in bars)
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
           'aria-label="Milliseconds a picture, one core, image tower of CLIP ViT-B/32">')
    yield f'<style>{STYLE}</style>'
    yield '<text class="t" x="8" y="20">CLIP ViT-B/32: ms a picture on one core</text>'
    yield ('<text class="s" x="8" y="40">less is better; same weights, pictures and core, interleaved (AMD Zen 4, '
           'AVX-512 VNNI)</text>')
    for i, (name, ms) in enumerate(bars):
        y = TOP + STEP * i
        ours = 'o' if name.startswith('Pixel Detective') else 'p'
        yield f'<text x="{LEFT - 8}" y="{y + 15}" text-anchor="end">{html.escape(name)}</text>'
        yield f'<rect class="{ours}" x="{LEFT}" y="{y}" width="{ms * scale:.1f}" height="{BAR}" rx="2"/>'
        yield f'<text x="{LEFT + ms * scale + 6:.1f}" y="{y + 15}">{ms:.0f} ms</text>'
    yield '</svg>'


if len(sys.argv) != 3:
    sys.exit(__doc__)
target = pathlib.Path(sys.argv[2])
target.parent.mkdir(parents=True, exist_ok=True)
target.write_text('\n'.join(draw(read_bars(sys.argv[1]))) + '\n')
