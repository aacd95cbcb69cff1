#!/usr/bin/env python3
"""Writes vocab.json and merges.txt from OpenAI's bpe_simple_vocab_16e6.txt.gz, as CLIP's simple_tokenizer reads it.

    python3 tools/golden/clip_vocabulary.py bpe_simple_vocab_16e6.txt.gz FOLDER
"""
import gzip
import json
import pathlib
import sys

N_IDS = 49152  # with the two special tokens 49,408 after the 256 bytes that end a word


def byte_symbols():
    printing = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printing]
    return [chr(byte) for byte in printing] + [chr(256 + i) for i in range(len(others))]


def main():
    source, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    lines = gzip.open(source).read().decode().split("\n")
    merges = lines[1:N_IDS - 256 - 2 + 1]
    words = byte_symbols()
    words += [word + "</w>" for word in words]
    words += [merge.replace(" ", "") for merge in merges]
    words += ["<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")


if __name__ == "__main__":
    main()
