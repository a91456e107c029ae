"""A mill in a scratch folder for system tests: a real PostgreSQL, a fake world, and the real processes.

Everything listens on unix sockets in the scratch folder or on free loopback ports, and is stopped by the test that
started it. Conditions are waited for with a deadline; nothing sleeps for a guessed time.
"""
import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request

BIN = os.environ["NEWSMILL_BIN"]
SOURCE = os.environ["NEWSMILL_SOURCE"]
ROLES = ["broker", "collector", "writer", "embedder", "chunker", "summarizer", "fetcher"]


def postgres_bin():
    root = "/usr/lib/postgresql"
    versions = [v for v in os.listdir(root) if os.path.exists(f"{root}/{v}/bin/initdb")]
    return f"{root}/{max(versions, key=int)}/bin"


def wait_for(what, condition, seconds=30):
    """The first true value of condition(); fails the test after the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


class Postgres:
    def __init__(self, folder, durable, disk_mb=0):
        self.bin, self.folder, self.fsync, self.disk_mb = postgres_bin(), folder, "on" if durable else "off", disk_mb
        self.data = f"{folder}/data"
        os.makedirs(folder)
        if disk_mb:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={disk_mb}m", "tmpfs", folder], check=True)
        self.as_user = []
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(folder, user.pw_uid, user.pw_gid)
            self.as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        self.run("initdb", "-D", self.data, "-E", "UTF8", "--locale=C.UTF-8", "-U", "mill", "-A", "trust", "-N")
        self.start()
        self.run("createdb", "-h", folder, "-U", "mill", "newsmill")
        self.url = f"postgresql:///newsmill?host={folder}&user=mill"

    def run(self, program, *args):
        subprocess.run(self.as_user + [f"{self.bin}/{program}", *args], check=True, cwd=self.folder,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60)

    def start(self):
        self.run("pg_ctl", "-D", self.data, "-w", "-l", f"{self.folder}/log", "-o",
                 f"-k {self.folder} -c listen_addresses='' -c fsync={self.fsync} -c jit=off -c max_connections=60"
                 f" -c max_wal_size={self.disk_mb // 4 or 2048}MB", "start")

    def is_up(self):
        return not subprocess.run(self.as_user + [f"{self.bin}/pg_isready", "-q", "-h", self.folder], cwd=self.folder).returncode

    def stop(self, mode="fast"):
        self.run("pg_ctl", "-D", self.data, "-w", "-m", mode, "stop")

    def close(self):
        if self.disk_mb:
            subprocess.run(["umount", self.folder], check=True)

    def rows(self, sql):
        """A list of dicts."""
        done = subprocess.run([f"{self.bin}/psql", "-XAtq", "-d", self.url, "-c",
                               f"SELECT coalesce (json_agg (row), '[]') FROM ({sql}) row"],
                              check=True, capture_output=True, text=True, timeout=30)
        return json.loads(done.stdout)

    def value(self, sql):
        return next(iter(self.rows(sql)[0].values()))

    def execute(self, sql):
        subprocess.run([f"{self.bin}/psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.url, "-c", sql], check=True, timeout=30)


class World:
    """The fake news site and model server."""

    def __init__(self, **options):
        args = [f"{BIN}/fakeworld"]
        for name, value in options.items():
            args += [f"--{name.replace('_', '-')}", str(value)]
        self.process = subprocess.Popen(args, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split("port=")[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=10) as reply:
            return reply.read()

    def post(self, path):
        urllib.request.urlopen(urllib.request.Request(self.url + path, method="POST", data=b""), timeout=10).read()

    def tell(self, name, status=200, headers=(), body=b"", ms=0):
        """What /told/NAME answers from now on. headers: (name, value) pairs. ms: between two bytes of the body."""
        message = "".join(f"{key}: {value}\n" for key, value in headers).encode() + b"\n" + body
        urllib.request.urlopen(f"{self.url}/admin/tell?name={name}&status={status}&ms={ms}", data=message, timeout=10).read()

    def asked(self, name):
        """The headers of each request for /told/NAME, oldest first."""
        return json.loads(self.get(f"/admin/asked?name={name}"))

    def stats(self):
        return json.loads(self.get("/admin/stats"))

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


class Mill:
    def __init__(self, world, feeds=(), dimensions=64, durable=False, disk_mb=0, **settings):
        self.world, self.processes, self.crashed = world, [], []
        self.folder = tempfile.mkdtemp(prefix="newsmill-test-")
        os.chmod(self.folder, 0o755)
        self.postgres = Postgres(f"{self.folder}/postgres", durable, disk_mb)
        self.log = open(f"{self.folder}/log", "w")
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith("NEWSMILL_") and k not in ("DATABASE_URL", "OPENROUTER_API_KEY", "DEBUG")}
        self.env.update({
            "NEWSMILL_DATA_DIR": self.folder,
            "NEWSMILL_DATABASE_URL": self.postgres.url,
            "NEWSMILL_MODEL_BASE_URL": f"{world.url}/v1",
            "NEWSMILL_MODEL_DIMENSIONS": str(dimensions),
            "NEWSMILL_FETCHER_ALLOW_PRIVATE": "true",
            "NEWSMILL_FETCHER_PER_HOST": "20",
            "NEWSMILL_FETCHER_FULL_TEXT": "never",  # the fake publishers' articles have no pages
            "NEWSMILL_DELIVERY_HEARTBEAT": "200",
            "NEWSMILL_DELIVERY_LEASE": "5",
            "NEWSMILL_HTTP_PORT": "0",
            "NEWSMILL_LOG_DEBUG": "true",
        })
        self.env.update({f"NEWSMILL_{k.upper()}": str(v) for k, v in settings.items()})
        try:
            self.cli("db", "migrate")
            for url in feeds:
                self.add_feed(url)
        except Exception:
            self.stop()
            raise

    def cli(self, *args, check=True, **options):
        done = subprocess.run([f"{BIN}/newsmill", *args], env=self.env, capture_output=True, text=True,
                              timeout=options.pop("timeout", 60), cwd=self.folder, **options)
        if check and done.returncode:
            raise AssertionError(f"newsmill {' '.join(args)}: exit {done.returncode}: {done.stderr}{done.stdout}")
        return done

    def add_feed(self, url):
        self.postgres.execute(f"INSERT INTO \"Source\" (url) VALUES ('{url}')")

    def start(self, *roles, prefix=(), env=None, **settings):
        """Starts one process a role, by the command that prefix is if there is one, and returns the last one."""
        env = dict(self.env, **(env or {}), **{f"NEWSMILL_{k.upper()}": str(v) for k, v in settings.items()})
        for role in roles:
            process = subprocess.Popen([*prefix, f"{BIN}/newsmill-{role}"], env=env, stderr=self.log, cwd=self.folder)
            process.role, process.again = role, lambda role=role: self.start(role, prefix=prefix, env=env)
            self.processes.append(process)
        return self.processes[-1]

    def start_all(self):
        self.start(*ROLES)
        wait_for("all processes to be ready", lambda: self.log_count("ready worker=") >= len(ROLES))

    def process(self, role):
        return next(p for p in self.processes if p.role == role and p.poll() is None)

    def end(self, process, how=signal.SIGTERM, seconds=30):
        process.send_signal(how)
        code = process.wait(seconds)
        self.processes.remove(process)
        return code

    def restart_dead(self):
        """As a supervisor does. Returns the roles of those that had died."""
        dead = [p for p in self.processes if p.poll() is not None]
        self.note_crashes()
        for process in dead:
            self.processes.remove(process)
            process.again()
        return [p.role for p in dead]

    def note_crashes(self):
        """Of those that ended, who did so by itself."""
        self.crashed += [f"{p.role} {p.pid} died of {signal.Signals(-p.returncode).name}" for p in self.processes
                         if (p.poll() or 0) < 0 and -p.returncode not in (signal.SIGKILL, signal.SIGTERM)]

    def open_run(self, seconds=10):
        """By the gateway, as a tick would; one that is open is as good. None while nobody answers."""
        try:
            with open(f"{self.folder}/run/http.port") as file:
                url = f"http://127.0.0.1:{int(file.read())}/api/runs"
            with urllib.request.urlopen(urllib.request.Request(url, b"", method="POST"), timeout=seconds) as reply:
                return json.loads(reply.read())
        except (OSError, ValueError):
            return None

    def trigger(self):
        return json.loads(self.cli("trigger", "--json").stdout)["run"]

    def run_row(self, run):
        return self.postgres.rows(f"SELECT * FROM \"JobRun\" WHERE id = '{run}'")[0]

    def wait_closed(self, run, seconds=60):
        wait_for(f"run {run} to be closed", lambda: self.run_row(run)["status"] != "RUNNING", seconds)
        return self.run_row(run)

    def run_once(self, seconds=60):
        return self.wait_closed(self.trigger(), seconds)

    def stored(self):
        return self.postgres.value('SELECT count (*) FROM "Article"')

    def log_text(self):
        with open(f"{self.folder}/log") as log:
            return log.read()

    def log_count(self, text):
        return self.log_text().count(text)

    def states(self):
        return {r["state"]: r["count"] for r in
                self.postgres.rows('SELECT state, count (*) FROM "ArticleWork" GROUP BY state')}

    def state(self):
        """All that is stored and all that is written down of it, for history.wrong()."""
        return {"work": self.postgres.rows('SELECT id, url, state FROM "ArticleWork"'),
                "articles": self.postgres.rows(
                    'SELECT id, url, title, summary, content, "runId", "chunkCount",'
                    ' (SELECT count (*) FROM "ArticleChunk" c WHERE c."articleId" = a.id) AS chunks FROM "Article" a'),
                "runs": self.postgres.rows('SELECT id, status, "articlesProcessed", "embeddingsCreated" FROM "JobRun"')}

    def wrong(self, count):
        """What keeps it from being true, a line each, that so many articles are stored: each once, complete, with its own summary,
        every chunk with a vector, and the books balanced."""
        self.note_crashes()
        db, lines, states = self.postgres, list(self.crashed), self.states()
        if self.stored() != count:
            lines.append(f"{self.stored()} articles are stored, not {count}")
        if states != {"done": count}:
            lines.append(f"not all work is done: {states}")
        twice = db.value('SELECT count (*) - count (DISTINCT url) FROM "Article"')
        if twice:
            lines.append(f"{twice} articles came twice")
        incomplete = db.value('SELECT count (*) FROM "Article" a WHERE "chunkCount" <> '
                              '(SELECT count (*) FROM "ArticleChunk" c WHERE c."articleId" = a.id)'
                              ' OR "chunkCount" = 0')
        if incomplete:
            lines.append(f"{incomplete} articles have not all their chunks")
        strange = db.rows("SELECT title, summary FROM \"Article\" WHERE position (substring (title FROM 'mark[0-9]+x[0-9]+')"
                          " IN summary) = 0")
        if strange:
            lines.append(f"summaries that are not their articles': {strange}")
        books = db.rows('SELECT * FROM "Ledger"')[0]
        if books["discovered"] != books["duplicate"] + books["intake"] + books["skipped"] or books["intake"] != count:
            lines.append(f"the books do not balance: {books}")
        return lines

    def stop(self):
        for process in self.processes:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        self.log.close()
        try:
            self.postgres.stop("immediate")
        except subprocess.SubprocessError:
            pass  # the test stopped it
        self.postgres.close()
        shutil.rmtree(self.folder)


class MillTest(unittest.TestCase):
    """A world and a mill for each test; the log is shown when it fails."""

    world_options = dict(feeds=5, articles=20, words=700, dimensions=64)
    settings = {}

    def setUp(self):
        self.world = World(**self.world_options)
        self.addCleanup(self.world.stop)
        self.mill = Mill(self.world, self.feeds(), **self.settings)
        self.addCleanup(self.mill.stop)
        self.addCleanup(self.show_log)

    def feeds(self):
        return [f"{self.world.url}/feed/{k}.xml" for k in range(1, self.world_options["feeds"] + 1)]

    def show_log(self):
        outcome = getattr(self, "_outcome", None)
        failed = outcome and any(error for _, error in getattr(outcome, "errors", [])) \
            or outcome and getattr(outcome.result, "failures", []) + getattr(outcome.result, "errors", [])
        if failed:
            print("---- log ----\n" + "\n".join(self.mill.log_text().splitlines()[-120:]), flush=True)

    def total(self):
        return self.world_options["feeds"] * self.world_options["articles"]

    def check_everything_stored_once(self, count=None):
        self.assertEqual(self.mill.wrong(count or self.total()), [])
