"""WebSub: a hub that is asked, asks back, pushes, refuses, and is left."""
import hashlib
import hmac
import http.client
import json
import threading
import unittest
import urllib.error
import urllib.parse
import urllib.request

from mill import MillTest, wait_for
from pages import Pages, rss

HUB_ROLES = ["broker", "collector", "writer", "embedder", "chunker", "summarizer"]


def call(url, body=None, headers=None, method=None):
    """Status and text of an answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers or {}, method=method), timeout=20) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class WebSubTest(MillTest):
    def status_of_much(self, url):
        """Of a body past what is read only to be refused: it is answered, and the connection ends, before it is sent."""
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=20)
        self.addCleanup(connection.close)
        connection.putrequest("POST", parts.path)
        connection.putheader("Content-Length", str(1 << 23))
        connection.endheaders()
        return connection.getresponse().status

    world_options = dict(feeds=1, articles=2, words=100, dimensions=64)
    lease = 864000

    def feeds(self):
        self.site = Pages()
        self.addCleanup(self.site.stop)
        self.topic, self.hub = self.site.url + "/topic?a=1&b=\u00fc".replace("\u00fc", "%C3%BC"), self.site.url + "/hub"
        self.asked, self.confirmed, self.status, self.verify = [], [], 202, True
        self.published = [("One", "http://news.example/1", "words of the first " * 20)]
        self.site.at["/feed"] = lambda request: rss(
            self.published, f'<atom:link rel="hub" href="{self.hub}"/>'
            f'<atom:link rel="self" href="{self.topic.replace("&", "&amp;")}"/>')
        self.site.at["/other"] = rss([("Other", "http://other.example/1", "other words " * 20)], title="Other")
        self.site.at["/hub"] = self.on_hub
        return [self.site.url + "/feed", self.site.url + "/other"]

    def on_hub(self, request):
        form = dict(urllib.parse.parse_qsl(request.body.decode()))
        self.asked.append(form)
        if self.verify and self.status < 300:
            threading.Thread(target=self.ask_back, args=(form,)).start()
        return self.status, {}, b"we know best\n"

    def ask_back(self, form):
        self.confirmed.append(self.intent(form, **{"hub.lease_seconds": self.lease}))

    def intent(self, form, **changed):
        query = {"hub.mode": form["hub.mode"], "hub.topic": form["hub.topic"], "hub.challenge": "c & h", **changed}
        return call(form["hub.callback"] + "?" + urllib.parse.urlencode(query))

    def start(self, callback=True):
        self.mill.start(*HUB_ROLES, "gateway")
        port = wait_for("the gateway's port", self.port)
        self.base = f"http://127.0.0.1:{port}"
        self.mill.start("fetcher", **({"websub_callback": self.base + "/"} if callback else {}))
        wait_for("all to be ready", lambda: self.mill.log_count("ready worker=") >= 8)
        row = self.mill.run_once()
        self.assertEqual(row["status"], "SUCCESS", row)

    def port(self):
        try:
            with open(f"{self.mill.folder}/run/http.port") as file:
                return int(file.read())
        except FileNotFoundError:
            return None

    def row(self):
        rows = self.mill.postgres.rows('SELECT *, ("dueAt" - now () AT TIME ZONE \'UTC\') > interval \'30 seconds\' AS later,'
                                       ' extract (epoch FROM "leaseUntil" - now () AT TIME ZONE \'UTC\')::int AS lease FROM "Subscription"')
        self.assertLessEqual(len(rows), 1)
        return rows[0] if rows else None

    def subscribe(self):
        self.start()
        wait_for("the subscription to be active", lambda: self.row() and self.row()["state"] == "active")
        return self.asked[0]

    def push(self, form, body=b"<rss>anything</rss>", method="sha256", secret=None, headers=None):
        mac = hmac.new((secret or form["hub.secret"]).encode(), body, method).hexdigest()
        return call(form["hub.callback"], body, {"X-Hub-Signature": f"{method}={mac}"} if headers is None else headers)[0]

    def fetches(self):
        return len(self.site.asked("/feed")), len(self.site.asked("/other"))

    def test_subscribes_and_confirms_only_what_it_meant(self):
        form = self.subscribe()
        self.assertEqual(self.confirmed, [(200, "c & h")])
        self.assertEqual(form["hub.topic"], self.topic)
        self.assertEqual(form["hub.lease_seconds"], "864000")
        self.assertRegex(form["hub.callback"], self.base + r"/websub/[0-9a-f]{32}$")
        self.assertRegex(form["hub.secret"], r"^[0-9a-f]{64}$")
        self.assertAlmostEqual(self.row()["lease"], 864000, delta=20)
        sources = json.loads(self.mill.cli("sources", "--json").stdout)["sources"]
        self.assertEqual([s["push"] for s in sources], ["active", None])
        before = self.row()
        stranger = dict(form, **{"hub.callback": form["hub.callback"][:-1] + ("0" if form["hub.callback"][-1] != "0" else "1")})
        for wrong in (self.intent(stranger), self.intent(dict(form, **{"hub.topic": "http://other.example/"})),
                      self.intent(dict(form, **{"hub.mode": "unsubscribe"})), call(self.base + "/websub/"),
                      call(self.base + "/websub/x?hub.mode=subscribe&hub.topic=y&hub.challenge=z")):
            self.assertEqual(wrong[0], 404, wrong)
            self.assertNotIn("c & h", wrong[1])
        self.assertEqual(call(form["hub.callback"])[0], 400)
        self.assertEqual({k: v for k, v in self.row().items() if k != "lease"}, {k: v for k, v in before.items() if k != "lease"})
        self.assertEqual(len(self.asked), 1, "asked once")

    def test_a_push_has_the_feed_fetched_and_no_other(self):
        form = self.subscribe()
        feed, other = self.fetches()
        for k, method in enumerate(("sha256", "sha1", "sha384", "sha512"), 2):
            self.published.insert(0, (f"News {k}", f"http://news.example/{k}", f"words {k} " * 30))
            self.assertEqual(self.push(form, method=method), 202)
            wait_for("the news to be stored", lambda k=k: self.mill.postgres.value(
                f"SELECT count (*) FROM \"Article\" WHERE title = 'News {k}'") == 1)
            wait_for("the run to close", lambda: self.mill.postgres.value(
                "SELECT count (*) FROM \"JobRun\" WHERE status = 'RUNNING'") == 0)
        self.assertEqual(self.fetches(), (feed + 4, other))
        self.assertEqual((self.row()["pushes"], self.row()["state"]), (4, "active"))
        self.assertEqual(self.mill.postgres.value("SELECT count (*) FROM \"JobRun\" WHERE status <> 'SUCCESS'"), 0)
        self.assertEqual(self.mill.postgres.value("SELECT count (*) FROM \"Article\" WHERE content LIKE '%anything%'"), 0)

    def test_what_is_not_signed_by_the_hub_is_ignored(self):
        form, before = self.subscribe(), self.fetches()
        runs = self.mill.postgres.value('SELECT count (*) FROM "JobRun"')
        good = hmac.new(form["hub.secret"].encode(), b"x", "sha256").hexdigest()
        self.assertEqual(self.push(form, secret="guessed"), 202)
        for header in ({}, {"X-Hub-Signature": good}, {"X-Hub-Signature": "sha256="}, {"X-Hub-Signature": "md5=" + good},
                       {"X-Hub-Signature": "sha256=" + good[:-1]}, {"X-Hub-Signature": "sha1=" + good},
                       {"X-Hub-Signature": "sha256=" + good[:-1] + ("0" if good[-1] != "0" else "1")}):
            self.assertEqual(self.push(form, b"x", headers=header), 202, header)
        self.assertEqual(call(self.base + "/websub/" + 32 * "0", b"x")[0], 404)
        self.assertEqual(self.status_of_much(form["hub.callback"]), 413)
        self.assertEqual(self.push(form, b"x" * 1000000, secret="guessed"), 202, "as large as feeds are")
        self.assertEqual(self.fetches(), before)
        self.assertEqual((self.row()["pushes"], self.mill.postgres.value('SELECT count (*) FROM "JobRun"')), (0, runs))
        self.assertEqual(self.push(form, b"x", headers={"X-Hub-Signature": "SHA256=" + good.upper()}), 202)
        wait_for("the fetch", lambda: self.fetches() == (before[0] + 1, before[1]))

    def test_a_push_during_a_run_and_a_tick_during_a_push(self):
        form = self.subscribe()
        wait_for("a quiet mill", lambda: self.mill.postgres.value("SELECT count (*) FROM \"JobRun\" WHERE status = 'RUNNING'") == 0)
        feed, other = self.fetches()
        held = threading.Event()
        page = self.site.at["/feed"]
        self.site.at["/feed"] = lambda request: (held.wait(20), page(request))[1]
        self.addCleanup(held.set)
        self.assertEqual(self.push(form), 202)
        wait_for("the fetch to begin", lambda: self.fetches()[0] == feed + 1)
        run = self.mill.trigger()
        wait_for("the other source to have its turn", lambda: self.fetches()[1] == other + 1)
        held.set()
        self.assertEqual(self.mill.wait_closed(run)["status"], "SUCCESS")
        sources = self.mill.postgres.value(f"SELECT count (*) FROM \"RunSource\" WHERE \"runId\" = '{run}'")
        self.assertEqual(sources, 2)

    def test_a_push_while_the_source_is_read_has_it_read_again(self):
        form = self.subscribe()
        wait_for("a quiet mill", lambda: self.mill.postgres.value("SELECT count (*) FROM \"JobRun\" WHERE status = 'RUNNING'") == 0)
        feed, _ = self.fetches()
        held, page = threading.Event(), self.site.at["/feed"]
        self.site.at["/feed"] = lambda request: (answer := page(request), held.wait(20))[0]  # as it was when it was asked for
        self.addCleanup(held.set)
        self.published.insert(0, ("Before", "http://news.example/before", "words before " * 30))
        run = self.mill.trigger()
        wait_for("the fetch to begin", lambda: self.fetches()[0] == feed + 1)
        self.published.insert(0, ("After", "http://news.example/after", "words after " * 30))
        self.assertEqual(self.push(form), 202)
        held.set()
        self.assertEqual(self.mill.wait_closed(run)["articlesProcessed"], 2)
        self.assertEqual(self.fetches()[0], feed + 2)
        rows = self.mill.postgres.rows(f"SELECT state, discovered, intake, duplicate FROM \"RunSource\" WHERE \"runId\" = '{run}'"
                                       ' ORDER BY intake')
        self.assertEqual(rows[-1], {"state": "fresh", "discovered": 5, "intake": 2, "duplicate": 3})

    def test_renewed_before_it_ends(self):
        self.subscribe()
        self.mill.postgres.execute('UPDATE "Subscription" SET "dueAt" = now () AT TIME ZONE \'UTC\','
                                   ' "leaseUntil" = (now () AT TIME ZONE \'UTC\') + interval \'1 hour\'')
        wait_for("it to be asked for again", lambda: len(self.asked) == 2)
        self.assertEqual(self.asked[1], self.asked[0])
        row = wait_for("the new lease", lambda: self.row() if self.row()["lease"] > 86400 else None)
        self.assertEqual((row["state"], row["failures"], row["later"]), ("active", 0, True))

    def test_a_refusal_is_remembered_and_tried_again_later(self):
        self.status = 403
        self.start()
        row = wait_for("the refusal", lambda: self.row() if self.row() and self.row()["state"] == "refused" else None)
        self.assertEqual((row["failures"], row["later"], row["reason"]), (1, True, "HTTP 403: we know best"))
        self.assertEqual(self.intent(self.asked[0])[0], 404, "a hub that refused has nothing to confirm")
        self.mill.run_once()
        self.assertEqual(len(self.asked), 1)
        self.status = 202
        self.mill.postgres.execute('UPDATE "Subscription" SET "dueAt" = now () AT TIME ZONE \'UTC\'')
        wait_for("it to be active", lambda: self.row()["state"] == "active")
        self.assertEqual(self.row()["reason"], None)
        # later the hub thinks better of it
        self.assertEqual(self.intent(self.asked[0], **{"hub.mode": "denied", "hub.reason": "go away"})[0], 200)
        self.assertEqual((self.row()["state"], self.row()["reason"]), ("refused", "the hub denied: go away"))

    def test_a_hub_that_never_asks_back_is_asked_less_and_less(self):
        self.verify = False
        self.start()
        wait_for("the first request", lambda: len(self.asked) == 1)
        self.mill.postgres.execute('UPDATE "Subscription" SET "dueAt" = now () AT TIME ZONE \'UTC\', failures = 5')
        wait_for("the second", lambda: len(self.asked) == 2)
        wait = self.mill.postgres.value('SELECT extract (epoch FROM "dueAt" - now () AT TIME ZONE \'UTC\')::int FROM "Subscription"')
        self.assertGreater(wait, 60 * 32 * 0.7)
        self.assertEqual(self.row()["state"], "requested")

    def test_a_removed_source_is_unsubscribed(self):
        form = self.subscribe()
        self.mill.cli("feed", "remove", self.site.url + "/feed")
        wait_for("the request to end it", lambda: len(self.asked) == 2)
        self.assertEqual({k: self.asked[1][k] for k in ("hub.mode", "hub.topic", "hub.callback")},
                         {"hub.mode": "unsubscribe", "hub.topic": self.topic, "hub.callback": form["hub.callback"]})
        wait_for("it to be gone", lambda: self.row() is None)
        wait_for("the answer", lambda: self.confirmed == [(200, "c & h")] * 2)
        self.assertEqual(self.push(form), 404)

    def test_another_hub_is_another_subscription(self):
        self.subscribe()
        self.site.at["/hub2"], self.hub = self.on_hub, self.site.url + "/hub2"
        self.published.insert(0, ("Two", "http://news.example/2", "words of the second " * 20))
        self.mill.run_once()
        wait_for("the old one to be left", lambda: sorted(f["hub.mode"] for f in self.asked) == ["subscribe", "subscribe", "unsubscribe"])
        wait_for("the new one to be active", lambda: self.mill.postgres.rows('SELECT hub, state FROM "Subscription"')
                 == [{"hub": self.hub, "state": "active"}])

    def test_it_is_off_unless_asked_for(self):
        self.start(callback=False)
        self.assertEqual((self.row(), self.asked), (None, []))

    def test_headers_name_a_hub_too(self):
        self.hub = self.site.url + "/nowhere"
        page = self.site.at["/feed"]
        self.site.at["/feed"] = lambda request: (200, {"Link": f'</hub>; rel="hub", <{self.topic}>; rel=self'}, page(request))
        self.assertEqual(self.subscribe()["hub.topic"], self.topic)


if __name__ == "__main__":
    unittest.main(verbosity=2)
