#!/usr/bin/env python3
"""Writes the Unicode and HTML tables of src/token from Python's own data.

    python3 tools/unicode_tables.py unicode > src/token/unicode_tables.h
    python3 tools/unicode_tables.py html > src/token/html_entities.h
"""
import html.entities
import html
import sys
import unicodedata

LAST = 0x110000
SURROGATES = range(0xD800, 0xE000)


def characters():
    return (c for c in range(LAST) if c not in SURROGATES)


def ranges_of(belongs):
    ranges = []
    for code in characters():
        if belongs(chr(code)):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return ranges


def print_rows(declaration, rows, width):
    print(f"static const {declaration} = {{")
    line = "   "
    for row in rows:
        item = " " + row + ","
        if len(line) + len(item) > width:
            print(line)
            line = "   "
        line += item
    print(line)
    print("};\n")


def print_numbers(declaration, rows):
    print_rows(declaration, ["{ " + ", ".join(f"0x{n:x}" if n >= 0 else f"-0x{-n:x}" for n in row) + " }"
                             for row in rows], 119)


def lower_runs():
    """Runs { first, last, stride, delta }: every stride-th code of first .. last gains delta in lower case."""
    runs = []
    for code in characters():
        lower = chr(code).lower()
        if lower == chr(code):
            continue
        if len(lower) != 1:
            assert code == 0x130, hex(code)
            continue
        delta = ord(lower) - code
        run = runs[-1] if runs else None
        if run and run[3] == delta and code - run[1] in (1, 2) and run[2] in (0, code - run[1]):
            run[1], run[2] = code, code - run[1]
        else:
            runs.append([code, code, 0, delta])
    return [[first, last, stride or 1, delta] for first, last, stride, delta in runs]


def decompositions():
    rows = []
    for code in characters():
        parts = unicodedata.decomposition(chr(code))
        if parts and not parts.startswith("<"):
            numbers = [int(part, 16) for part in parts.split()]
            rows.append([code] + numbers + [0] * (2 - len(numbers)))
    return rows


def compositions():
    rows = []
    for code, first, second in decompositions():
        if second and unicodedata.normalize("NFC", chr(first) + chr(second)) == chr(code):
            rows.append([first, second, code])
    return sorted(rows)


def combining_classes():
    runs = []
    for code in characters():
        combining = unicodedata.combining(chr(code))
        if combining == 0:
            continue
        if runs and runs[-1][1] == code - 1 and runs[-1][2] == combining:
            runs[-1][1] = code
        else:
            runs.append([code, code, combining])
    return runs


def is_cased(char):
    return (char + "\u03a3").lower().endswith("\u03c2")


def is_case_ignorable(char):
    return not is_cased(char) and ("A" + char + "\u03a3").lower().endswith("\u03c2")


def write_unicode():
    print(f"/* unicode_tables.h: Unicode {unicodedata.unidata_version} as the tokenizer needs it.")
    print(" *")
    print(" * Made by: python3 tools/unicode_tables.py unicode > src/token/unicode_tables.h */")
    print("/* clang-format off */")
    for name, belongs in (("letters", lambda c: unicodedata.category(c)[0] == "L"),
                          ("numbers", lambda c: unicodedata.category(c)[0] == "N"),
                          ("cased", is_cased), ("case_ignorable", is_case_ignorable)):
        print_numbers(f"code_range {name}[]", ranges_of(belongs))
    print("/* Every stride-th code of first .. last gains delta in lower case. */")
    print_numbers("lower_run lower_runs[]", lower_runs())
    print("/* Canonical, one step; the second part is 0 where there is one part only. */")
    print_numbers("decomposition decompositions[]", decompositions())
    print_numbers("composition compositions[]", compositions())
    print_numbers("combining_run combining_runs[]", combining_classes())
    print("/* NFKC of U+FF01 .. U+FFEF; 0: unchanged. U+FFE3 becomes two and is not here. */")
    wide = [unicodedata.normalize("NFKC", chr(code)) for code in range(0xFF01, 0xFFF0)]
    rows = [f"0x{ord(w):x}" if len(w) == 1 and w != chr(0xFF01 + i) else "0" for i, w in enumerate(wide)]
    print_rows("uint16_t standard_width[]", rows, 119)


def write_html():
    """Names with the semicolon that HTML 5 knows them by (or without, where it allows that); then the upper-case
    forms of all-lower-case names, unless HTML has a meaning for them: marked by a leading '^'."""
    names = dict(html.entities.html5)
    for name, text in html.entities.html5.items():
        upper = name.upper()
        if name.endswith(";") and name == name.lower() and html.unescape("&" + upper) == "&" + upper:
            names["^" + upper] = text.upper()
    print("/* html_entities.h: HTML 5 character references by name, sorted; and the all-capitals forms people make of")
    print(" * them, marked with '^'.")
    print(" *")
    print(" * Made by: python3 tools/unicode_tables.py html > src/token/html_entities.h */")
    print("/* clang-format off */")
    rows = []
    for name, text in sorted(names.items()):
        codes = [ord(c) for c in text] + [0]
        assert len(codes) <= 3 or name.startswith("^"), name
        if len(codes) <= 3:
            rows.append(f'{{ "{name}", 0x{codes[0]:x}, 0x{codes[1]:x} }}')
    print_rows("entity entities[]", rows, 119)


if __name__ == "__main__":
    {"unicode": write_unicode, "html": write_html}[sys.argv[1]]()
