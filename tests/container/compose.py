"""What the container tests share: a clean copy of the checkout and compose projects made from it."""
import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest
import urllib.request

SOURCE = os.environ["NEWSMILL_SOURCE"]
BIN = os.environ["NEWSMILL_BIN"]
SKIPPED = 77


def no_engine():
    """Why containers cannot be had here, or None."""
    if not shutil.which("docker"):
        return "docker is not installed"
    if subprocess.run(["docker", "info"], capture_output=True).returncode:
        return "no Docker engine is running, or this user may not use it"
    if subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        return "docker has no compose plugin"
    return None


def run(*args, check=True, timeout=600, **options):
    done = subprocess.run(args, capture_output=True, text=True, timeout=timeout, **options)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(args)}: exit {done.returncode}\n{done.stderr[-4000:]}{done.stdout[-4000:]}")
    return done.stdout


def wait_for(what, condition, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.5)
    raise AssertionError(f"waited {seconds} s for {what}")


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Checkout:
    """The files of the checkout as they are, without what was built."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="newsmill-compose-")
        names = run("git", "-C", SOURCE, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
        for name in filter(None, names):
            if os.path.isfile(f"{SOURCE}/{name}"):
                os.makedirs(os.path.dirname(f"{self.folder}/{name}"), exist_ok=True)
                shutil.copy2(f"{SOURCE}/{name}", f"{self.folder}/{name}")

    def remove(self):
        shutil.rmtree(self.folder)


class Project:
    """A compose project of its own name, removed with all it made."""

    def __init__(self, checkout, name, files, profiles=(), **settings):
        self.name = f"newsmill-test-{os.getpid()}-{name}"
        self.folder = checkout.folder
        self.port = free_port()
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("NEWSMILL_", "OPENROUTER_", "COMPOSE_"))}
        self.env.update(NEWSMILL_HTTP_PORT=str(self.port), NEWSMILL_LOG_DEBUG="true",
                        **{f"NEWSMILL_{k.upper()}": str(v) for k, v in settings.items()})
        self.base = ["docker", "compose", "-p", self.name, "--progress", "plain"]
        for file in files:
            self.base += ["-f", file]
        for profile in profiles:
            self.base += ["--profile", profile]

    def __call__(self, *args, **options):
        return run(*self.base, *args, cwd=self.folder, env=self.env, **options)

    def status(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/job-status", timeout=10) as reply:
            return json.loads(reply.read())

    def containers(self, service=None):
        """Newest first."""
        text = self("ps", "--all", "--format", "json", *([service] if service else []))
        found = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return sorted(found, key=lambda c: c["CreatedAt"], reverse=True)

    def address(self, service, network):
        info = json.loads(run("docker", "inspect", self.containers(service)[0]["Name"]))[0]
        return info["NetworkSettings"]["Networks"][f"{self.name}_{network}"]["IPAddress"]

    def sql(self, query):
        return self("exec", "-T", "database", "psql", "-XAtq", "-U", "postgres", "newsmill", "-c", query).strip()

    def stored(self):
        return int(self.sql('SELECT count (*) FROM "Article"'))

    def states(self):
        rows = self.sql('SELECT state, count (*) FROM "ArticleWork" GROUP BY state').splitlines()
        return {state: int(count) for state, count in (row.split("|") for row in rows)}

    def workers(self, stage):
        listed = json.loads(self("exec", "-T", "collector", "newsmill", "workers", "--json"))["workers"]
        return [w for w in listed if w["stage"] == stage and w["state"] == "alive"]

    def log(self, *services):
        return self("logs", "--no-color", *services)

    def down(self):
        self("down", "--volumes", "--remove-orphans", "--timeout", "5", check=False)


class ContainerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.checkout = Checkout()
        cls.addClassCleanup(cls.checkout.remove)

    def project(self, name, files=("docker-compose.yml",), **options):
        project = Project(self.checkout, name, files, **options)
        self.addCleanup(project.down)
        return project

    def check_stored_once(self, project, count):
        self.assertEqual(project.states(), {"done": count})
        self.assertEqual(project.stored(), count)
        self.assertEqual(project.sql('SELECT count (DISTINCT url) FROM "Article"'), str(count))
        self.assertEqual(project.sql('SELECT count (*) FROM "Article" a WHERE "chunkCount" = 0 OR "chunkCount" <>'
                                     ' (SELECT count (*) FROM "ArticleChunk" c WHERE c."articleId" = a.id)'), "0")


def main():
    reason = no_engine()
    if reason:
        print(f"skipped: {reason}")
        raise SystemExit(SKIPPED)
    unittest.main(verbosity=2)
