"""fakeworld_test - does the fake world do what the system tests rely on?
Usage: fakeworld_test.py FAKEWORLD [UNITTEST-ARGUMENT...]
SPDX-License-Identifier: MPL-2.0"""

import base64
import http.client
import json
import math
import re
import struct
import sys
import threading
import time
import unittest
import xml.etree.ElementTree as ElementTree
import zlib

from serving import Server

PROGRAM = ""
FEEDS, ARTICLES, WORDS, DIMENSIONS = 3, 4, 120, 10
ATOM = "{http://www.w3.org/2005/Atom}"
RSS1 = "{http://purl.org/rss/1.0/}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"


def chat_body(articles):
    content = json.dumps({"articles": articles})
    return {"model": "m", "messages": [{"role": "system", "content": "Summarise."},
                                       {"role": "user", "content": content}]}


def article(number, mark, text="Some text."):
    return {"id": number, "title": f"About {mark}", "text": text}


def embed_body(texts, form="base64", **more):
    return {"model": "e", "input": texts, "encoding_format": form, **more}


def words_of(html):
    return re.sub(r"<[^>]*>", " ", html).split()


class World(unittest.TestCase):
    def setUp(self):
        self.world = Server(PROGRAM, "--feeds", str(FEEDS), "--articles", str(ARTICLES),
                            "--words", str(WORDS), "--dimensions", str(DIMENSIONS))
        self.addCleanup(self.stop)

    def stop(self):
        self.assertEqual(self.world.stop(), 0)

    def stats(self):
        return self.world.get("/admin/stats").json()

    def order(self, path):
        self.assertEqual(self.world.post(path).status, 200, path)

    def summaries(self, articles):
        """[(id, summary)] in the order of the answer."""
        reply = self.world.post("/v1/chat/completions", chat_body(articles))
        self.assertEqual(reply.status, 200, reply.body)
        content = json.loads(reply.json()["choices"][0]["message"]["content"])
        return [(one["id"], one["summary"]) for one in content["summaries"]]

    def vectors(self, texts, form="base64", **more):
        """[(index, vector)] in the order of the answer."""
        reply = self.world.post("/v1/embeddings", embed_body(texts, form, **more))
        self.assertEqual(reply.status, 200, reply.body)
        pairs = []
        for one in reply.json()["data"]:
            vector = one["embedding"]
            if form == "base64":
                raw = base64.b64decode(vector, validate=True)
                vector = struct.unpack(f"<{len(raw) // 4}f", raw)
            pairs.append((one["index"], list(vector)))
        return pairs


class Feeds(World):
    def test_rss_holds_each_article_whole_with_its_mark(self):
        reply = self.world.get("/feed/2.xml")
        items = ElementTree.fromstring(reply.body).findall("channel/item")
        self.assertEqual(len(items), ARTICLES)
        for number, item in zip(range(ARTICLES, 0, -1), items):
            mark = f"mark0002x{number:04}"
            self.assertIn(mark, item.findtext("title"))
            html = item.findtext(CONTENT)
            self.assertIn(mark, html[:html.index(".")])
            self.assertEqual(len(words_of(html)), WORDS)
            self.assertTrue(item.findtext("guid") and item.findtext("pubDate"))

    def test_formats_hold_the_same_entries(self):
        def fetch(ending):
            return self.world.get(f"/feed/1.{ending}").body
        rss = ElementTree.fromstring(fetch("xml")).findall("channel/item")
        wanted = [(e.findtext("guid"), words_of(e.findtext(CONTENT))) for e in rss]
        atom = ElementTree.fromstring(fetch("atom")).findall(ATOM + "entry")
        self.assertEqual(wanted, [(e.findtext(ATOM + "id"), "".join(
            e.find(ATOM + "content").itertext()).split()) for e in atom])
        rdf = ElementTree.fromstring(fetch("rdf")).findall(RSS1 + "item")
        self.assertEqual([w[1] for w in wanted], [words_of(e.findtext(CONTENT)) for e in rdf])
        items = json.loads(fetch("json"))["items"]
        # What the parsers above resolved stands escaped in JSON Feed's HTML.
        plain = [re.sub("&amp;", "&", e["content_html"]) for e in items]
        rss_plain = [re.sub("&amp;", "&", e.findtext(CONTENT)) for e in rss]
        self.assertEqual([(w[0], p) for w, p in zip(wanted, rss_plain)],
                         [(e["id"], p) for e, p in zip(items, plain)])

    def test_unchanged_feed_answers_304_until_something_is_published(self):
        first = self.world.get("/feed/1.xml")
        tag, date = first.headers["ETag"], first.headers["Last-Modified"]
        self.assertEqual(self.world.get("/feed/1.xml", If_None_Match=tag).status, 304)
        self.assertEqual(self.world.get("/feed/1.xml", If_None_Match=f'"a", W/{tag}').status, 304)
        self.assertEqual(self.world.get("/feed/1.xml", If_Modified_Since=date).status, 304)
        self.assertEqual(self.world.get("/feed/1.xml", If_None_Match='"other"').status, 200)
        self.assertEqual(self.world.get(
            "/feed/1.xml", If_Modified_Since="Mon, 01 Jan 2001 00:00:00 GMT").status, 200)
        self.order("/admin/publish?feed=1&count=2")
        again = self.world.get("/feed/1.xml", If_None_Match=tag)
        self.assertEqual(again.status, 200)
        titles = [t.text for t in ElementTree.fromstring(again.body).iterfind("channel/item/title")]
        self.assertEqual(len(titles), ARTICLES + 2)
        self.assertIn(f"mark0001x{ARTICLES + 2:04}", titles[0])
        stats = self.stats()
        self.assertEqual((stats["feed_200"], stats["feed_304"]), (4, 3))

    def test_opml_lists_feeds_that_are_there(self):
        for form in ("", "?format=mixed"):
            body = self.world.get("/opml" + form).body
            urls = [o.get("xmlUrl") for o in ElementTree.fromstring(body).iter("outline")]
            self.assertEqual(len(urls), FEEDS)
            for url in urls:
                path = url.removeprefix(f"http://127.0.0.1:{self.world.port}")
                self.assertEqual(self.world.get(path).status, 200, url)

    def test_article_page_and_redirect(self):
        self.assertIn(b"mark0003x0001", self.world.get("/article/3/1").body)
        for path in ("/article/3/9999", "/article/3", "/feed/9.xml", "/feed/1.exe", "/nothing"):
            self.assertEqual(self.world.get(path).status, 404, path)
        moved = self.world.get("/redirect/2")
        self.assertEqual(moved.status, 301)
        self.assertTrue(moved.headers["Location"].endswith("/feed/2.xml"))


class BadFeeds(World):
    def test_each_is_bad_in_its_way(self):
        get = self.world.get
        for name in ("404", "410", "429", "500"):
            self.assertEqual(get("/bad/" + name).status, int(name))
        self.assertEqual(get("/bad/429").headers["Retry-After"], "120")
        self.assertEqual(get("/bad/empty").body, b"")
        for name in ("html", "cut", "nul", "utf8"):
            reply = get("/bad/" + name)
            self.assertEqual(reply.status, 200)
            self.assertRaises(ElementTree.ParseError, ElementTree.fromstring, reply.body)
        self.assertIn(b"\0", get("/bad/nul").body)
        self.assertRaises(UnicodeDecodeError, get("/bad/utf8").body.decode)
        self.assertEqual(get("/bad/loop").headers["Location"], "/bad/loop2")
        self.assertEqual(get("/bad/loop2").headers["Location"], "/bad/loop")
        self.assertIn("169.254.", get("/bad/redirect-private").headers["Location"])
        self.assertIn(b"<!ENTITY", get("/bad/entities").body)
        self.assertIn(b"file:///etc/passwd", get("/bad/xxe").body)
        items = ElementTree.fromstring(get("/bad/notext").body).findall("channel/item")
        self.assertEqual([words_of(i.findtext("description") or "") for i in items], [[], [], []])

    def test_bomb_is_small_and_unpacks_to_a_sound_feed(self):
        reply = self.world.get("/bad/bomb")
        self.assertEqual(reply.headers["Content-Encoding"], "gzip")
        self.assertLess(len(reply.body), 3 << 20)
        unpacker = zlib.decompressobj(wbits=31)     # checks length and checksum
        total, data, ends = 0, reply.body, []
        while data and not unpacker.eof:
            piece = unpacker.decompress(data, 16 << 20)
            ends = (ends[:1] or [piece[:200]]) + [piece[-200:]]
            total += len(piece)
            data = unpacker.unconsumed_tail
        self.assertTrue(unpacker.eof)
        self.assertGreater(total, 200 << 20)
        squeezed = re.sub(rb" {2,}", b" ", ends[0] + ends[-1])
        self.assertEqual(len(ElementTree.fromstring(squeezed).findall("channel/item")), 1)

    def test_huge_and_slow_go_on_while_others_are_served(self):
        connections = []
        for name in ("huge", "slow"):
            connection = http.client.HTTPConnection("127.0.0.1", self.world.port, timeout=10)
            connection.request("GET", "/bad/" + name)
            connections.append(connection)
        huge = connections[0].getresponse()
        self.assertEqual(len(huge.read(4 << 20)), 4 << 20)
        slow, start = connections[1].getresponse(), time.monotonic()
        self.assertEqual(slow.read(3), b"<?x")
        self.assertGreater(time.monotonic() - start, 0.5)
        self.assertEqual(self.world.get("/feed/1.xml").status, 200)
        self.assertEqual(self.world.stop(), 0)      # with both still open
        for connection in connections:
            connection.close()


class Model(World):
    def test_each_summary_names_its_own_article(self):
        asked = [article(7, "nothing", "First sentence mark0001x0001 here."),
                 article(8, "mark0002x0003 & \"Zoë\" \\ 😀")]
        content = [{"role": "user", "content": "no JSON"},
                   *chat_body(asked)["messages"], {"role": "assistant", "content": "x"}]
        reply = self.world.post("/v1/chat/completions",
                                {"messages": content, "model": "m", "temperature": -1.5e-3}).json()
        got = json.loads(reply["choices"][0]["message"]["content"])["summaries"]
        self.assertEqual([one["id"] for one in got], [7, 8])
        self.assertIn("mark0001x0001", got[0]["summary"])
        self.assertIn("mark0002x0003 & \"Zoë\" \\ 😀", got[1]["summary"])
        self.assertEqual(reply["choices"][0]["finish_reason"], "stop")
        usage = reply["usage"]
        self.assertEqual(usage["total_tokens"], usage["prompt_tokens"] + usage["completion_tokens"])
        self.assertGreater(usage["cost"], 0)

    def test_counts_calls_per_article(self):
        self.summaries([article(1, "mark0001x0001"), article(2, "mark0001x0002")])
        self.summaries([article(1, "mark0001x0002")])
        stats = self.stats()
        self.assertEqual(stats["most_calls_per_article"], 2)
        self.assertEqual(stats["articles_summarised"], 2)
        self.assertEqual((stats["chat_calls"], stats["chat_items"]), (2, 3))
        self.order("/admin/reset")
        self.assertEqual(set(self.stats().values()), {0})

    def test_vectors_are_of_unit_length_and_follow_the_text(self):
        texts = ["One text.", "Another\n\"text\" 😀", "One text."]
        packed, spelt = self.vectors(texts), self.vectors(texts, "float")
        self.assertEqual([index for index, _ in packed], [0, 1, 2])
        for (_, one), (_, other) in zip(packed, spelt):
            self.assertEqual(len(one), DIMENSIONS)
            self.assertAlmostEqual(math.hypot(*one), 1, 5)
            self.assertLess(max(abs(a - b) for a, b in zip(one, other)), 1e-6)
        self.assertEqual(packed[0][1], packed[2][1])
        self.assertLess(sum(a * b for a, b in zip(packed[0][1], packed[1][1])), 0.99)
        self.assertEqual(len(self.vectors(["x"], dimensions=7)[0][1]), 7)
        self.assertEqual(len(self.vectors("x")[0][1]), DIMENSIONS)
        stats = self.stats()
        self.assertEqual((stats["embed_calls"], stats["embed_items"]), (4, 8))

    def test_escapes_do_not_change_a_vector(self):
        def ask(text):
            body = '{"model":"e","encoding_format":"float","input":["' + text + '"]}'
            return self.world.post("/v1/embeddings", body.encode()).json()["data"]
        self.assertEqual(ask("Zo\u00eb 😀 /"), ask("Zo\\u00eB \\ud83d\\ude00 \\/"))

    def test_wrong_requests_get_400(self):
        right = json.dumps(chat_body([article(1, "m")]))
        wrong = [right[:at] for at in range(0, len(right), 7)] + [
            right + "}", right.replace('"model"', '"Model"'), "[]", "{}", "null",
            right.replace("articles", "article"), right.replace(": ", " ", 1),
            "[" * 100000, json.dumps(chat_body([]))]
        for body in wrong:
            self.assertEqual(self.world.post("/v1/chat/completions", body).status, 400, body[:80])
        right = json.dumps(embed_body(["a", "b"]))
        wrong = [right[:at] for at in range(len(right))] + [
            json.dumps(embed_body([])), json.dumps(embed_body([""])), right.replace('"b"', "1"),
            json.dumps(embed_body(["a"], "hex")), json.dumps(embed_body(["a"], dimensions=0)),
            json.dumps(embed_body(["a"] * 2049)), right.replace('"a"', '"\\x"')]
        for body in wrong:
            self.assertEqual(self.world.post("/v1/embeddings", body).status, 400, body[:80])
        self.assertEqual(self.world.get("/v1/embeddings").status, 405)

    def test_delayed_calls_wait_side_by_side(self):
        self.order("/admin/delays?chat_ms=300&chat_item_ms=100&embed_ms=200")
        start, took = time.monotonic(), []

        def ask():
            self.summaries([article(1, "mark0001x0001"), article(2, "mark0001x0002")])
            took.append(time.monotonic() - start)
        threads = [threading.Thread(target=ask) for _ in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(took), 64)
        self.assertGreaterEqual(min(took), 0.5)
        self.assertLess(max(took), 5)
        self.assertEqual(self.stats()["max_chat_at_once"], 64)


class Faults(World):
    asked = [article(1, "mark0001x0001"), article(2, "mark0001x0002")]

    def chat(self, articles=None):
        return self.world.post("/v1/chat/completions", chat_body(articles or self.asked))

    def embed(self):
        return self.world.post("/v1/embeddings", embed_body(["a", "b"]))

    def test_statuses_end_after_their_count(self):
        for status in (401, 402, 403, 429, 500, 503):
            self.order(f"/admin/mode?target=chat&mode={status}&count=2&retry_after=3")
            replies = [self.chat() for _ in range(3)]
            self.assertEqual([r.status for r in replies], [status, status, 200])
            self.assertEqual(replies[0].headers["Retry-After"], "3")
            self.assertIn("message", replies[0].json()["error"])
        self.assertEqual(self.stats()["most_calls_per_article"], 6)
        self.assertEqual(self.stats()["most_tries_per_article"], 18)

    def test_rules_stay_with_their_target(self):
        self.order("/admin/mode?target=embed&mode=500&count=-1")
        self.assertEqual(self.chat().status, 200)
        for _ in range(3):
            self.assertEqual(self.embed().status, 500)
        self.order("/admin/mode?target=embed&mode=off")
        self.assertEqual(self.embed().status, 200)

    def test_poison_hits_its_mark_alone(self):
        self.order("/admin/mode?target=chat&mode=poison&mark=mark0001x0002")
        self.assertEqual([self.chat().status, self.chat().status], [400, 400])
        self.assertEqual(self.chat(self.asked[:1]).status, 200)
        self.order("/admin/mode?target=chat&mode=off")
        self.assertEqual(self.chat().status, 200)

    def test_wrong_chat_answers(self):
        def mode(name):
            self.order(f"/admin/mode?target=chat&mode={name}")
        for name, code in (("error200", 502), ("error200-429", 429), ("error200-401", 401)):
            mode(name)
            reply = self.chat()
            self.assertEqual((reply.status, reply.json()["error"]["code"]), (200, code))
        mode("empty")
        self.assertEqual(self.chat().body, b"")
        mode("emptylist")
        self.assertEqual(self.chat().json()["choices"], [])
        for name in ("credit402", "key402", "dear402", "budget402", "inflight402", "key403"):
            self.order(f"/admin/mode?target=chat&mode={name}&retry_after=1")
            reply = self.chat()
            self.assertEqual((reply.status, reply.json()["error"]["code"]), (int(name[-3:]),) * 2)
            self.assertEqual(reply.headers["Retry-After"], "1")
        for name, status in (("detail422", 422), ("moderation403", 403)):
            self.order(f"/admin/mode?target=chat&mode={name}&mark=mark0001x0002")
            self.assertEqual((self.chat(self.asked[:1]).status, self.chat().status), (200, status))
            self.order("/admin/mode?target=chat&mode=off")
        mode("truncated")
        choice = self.chat().json()["choices"][0]
        self.assertEqual(choice["finish_reason"], "length")
        self.assertRaises(ValueError, json.loads, choice["message"]["content"])
        mode("wrongcount")
        self.assertEqual(len(self.summaries(self.asked)), 1)
        mode("wrongids")
        self.assertEqual([n for n, _ in self.summaries(self.asked)], [1001, 1002])
        mode("shuffled")
        got = self.summaries(self.asked)
        self.assertEqual([n for n, _ in got], [2, 1])
        self.assertIn("mark0001x0002", got[0][1])
        mode("cut")
        self.assertRaises((http.client.RemoteDisconnected, ConnectionResetError), self.chat)
        mode("torn")
        self.assertRaises((http.client.IncompleteRead, ConnectionResetError), self.chat)
        self.assertEqual([n for n, _ in self.summaries(self.asked)], [1, 2])
        calls = self.world.get("/admin/calls?target=chat").json()
        self.assertEqual([call["wrong"] for call in calls[-3:]], [True, True, False])
        self.assertEqual(calls, sorted(calls, key=lambda call: call["at_ms"]))
        self.assertEqual(self.stats()["chat_wrong"], sum(call["wrong"] for call in calls))

    def test_drip_takes_a_second_a_byte(self):
        self.order("/admin/mode?target=embed&mode=drip")
        connection = http.client.HTTPConnection("127.0.0.1", self.world.port, timeout=10)
        connection.request("POST", "/v1/embeddings", json.dumps(embed_body(["a"])))
        start, reply = time.monotonic(), connection.getresponse()
        self.assertEqual(reply.read(2), b'{"')
        self.assertGreater(time.monotonic() - start, 0.5)
        connection.close()

    def test_wrong_embed_answers(self):
        def mode(name):
            self.order(f"/admin/mode?target=embed&mode={name}")
        right = self.vectors(["a", "b"])
        mode("wrongcount")
        self.assertEqual(self.vectors(["a", "b"]), right[:1])
        mode("wrongids")
        self.assertEqual([n for n, _ in self.vectors(["a", "b"])], [1000, 1001])
        mode("wrongdim")
        self.assertEqual([len(v) for _, v in self.vectors(["a", "b"])], [DIMENSIONS // 2] * 2)
        for form in ("base64", "float"):
            mode("nan")
            self.assertTrue(math.isnan(self.vectors(["a", "b"], form)[0][1][0]))
        mode("shuffled")
        self.assertEqual(self.vectors(["a", "b"]), right[::-1])
        mode("cut")
        self.assertRaises((http.client.RemoteDisconnected, ConnectionResetError), self.embed)
        self.assertEqual(self.vectors(["a", "b"]), right)

    def test_stalled_call_holds_up_nobody_and_not_the_end(self):
        self.order("/admin/mode?target=chat&mode=stall")
        connection = http.client.HTTPConnection("127.0.0.1", self.world.port, timeout=1)
        connection.request("POST", "/v1/chat/completions", json.dumps(chat_body(self.asked)))
        self.assertRaises(TimeoutError, connection.getresponse)
        self.assertEqual(self.chat().status, 200)
        self.assertEqual(self.world.stop(), 0)
        connection.close()

    def test_wrong_orders_get_400(self):
        for order in ("mode", "mode?target=chat&mode=nan", "mode?target=embed&mode=truncated",
                      "mode?target=both&mode=429", "mode?target=chat&mode=200",
                      "mode?target=chat&mode=429&count=x", "mode?target=chat&mode=poison",
                      "mode?target=chat&mode=moderation403", "publish?feed=99",
                      "publish?feed=1&count=0", "delays?chat_ms=-1"):
            self.assertEqual(self.world.post("/admin/" + order).status, 400, order)
        self.assertEqual(self.world.get("/admin/reset").status, 405)
        self.assertEqual(self.world.post("/admin/nonsense").status, 404)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
