"""demo_test - is the demo's news site one that a feed reader is content with?
Usage: demo_test.py NEWSMILL-DEMO ARTICLES-FOLDER [UNITTEST-ARGUMENT...]
SPDX-License-Identifier: MPL-2.0"""

import email.utils
import json
import pathlib
import re
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree as ElementTree

from serving import DEADLINE_S, Server

PROGRAM = FOLDER = ""
NAMES = {"a": "http://www.w3.org/2005/Atom", "r": "http://purl.org/rss/1.0/",
         "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
         "dc": "http://purl.org/dc/elements/1.1/",
         "c": "http://purl.org/rss/1.0/modules/content/"}


def read_rss(root):
    return [{"title": e.findtext("title"), "url": e.findtext("link"), "id": e.findtext("guid"),
             "author": e.findtext("dc:creator", "", NAMES), "tags": [
                 c.text for c in e.findall("category")],
             "date": email.utils.parsedate_to_datetime(e.findtext("pubDate")).timestamp(),
             "html": e.findtext("c:encoded", "", NAMES)} for e in root.findall("channel/item")]


def read_atom(root):
    return [{"title": e.findtext("a:title", "", NAMES), "id": e.findtext("a:id", "", NAMES),
             "url": e.find("a:link", NAMES).get("href"),
             "author": e.findtext("a:author/a:name", "", NAMES),
             "tags": [c.get("term") for c in e.findall("a:category", NAMES)],
             "date": seconds(e.findtext("a:published", "", NAMES)),
             "html": ElementTree.tostring(e.find("a:content", NAMES)[0], "unicode")}
            for e in root.findall("a:entry", NAMES)]


def read_rdf(root):
    return [{"title": e.findtext("r:title", "", NAMES), "url": e.findtext("r:link", "", NAMES),
             "id": e.findtext("dc:identifier", "", NAMES),
             "author": e.findtext("dc:creator", "", NAMES),
             "tags": [c.text for c in e.findall("dc:subject", NAMES)],
             "date": seconds(e.findtext("dc:date", "", NAMES)),
             "html": e.findtext("c:encoded", "", NAMES)} for e in root.findall("r:item", NAMES)]


def read_json(feed):
    return [{"title": e["title"], "url": e["url"], "id": e["id"], "tags": e["tags"],
             "author": e["authors"][0]["name"], "date": seconds(e["date_published"]),
             "html": e["content_html"]} for e in feed["items"]]


def seconds(text):
    return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%S.000Z")) - time.timezone


def read_feed(body):
    """(kind, entries)"""
    if body.startswith(b"{"):
        return "json", read_json(json.loads(body))
    root = ElementTree.fromstring(body)
    kind = root.tag.rsplit("}")[-1]
    return kind, {"rss": read_rss, "feed": read_atom, "RDF": read_rdf}[kind](root)


def paragraphs(html):
    """Of HTML that is XML too; the prefix is ElementTree's."""
    root = ElementTree.fromstring(f"<all>{html}</all>")
    return ["".join(p.itertext()) for p in root.iter() if p.tag.rsplit("}")[-1] == "p"]


def read_files(folder):
    """{title: (outlet, author, tags, paragraphs)}"""
    articles = {}
    for path in pathlib.Path(folder).glob("*.txt"):
        head, text = path.read_text("utf-8").split("\n\n", 1)
        fields = dict(re.split(r":\s*", line, maxsplit=1) for line in head.splitlines())
        articles[fields["Title"]] = (fields["Outlet"], fields["Author"],
                                     re.split(r",\s*", fields["Categories"]),
                                     [line for line in text.split("\n") if line.strip()])
    return articles


class Demo(unittest.TestCase):
    def start(self, folder, grow):
        site = Server(PROGRAM, "--articles", str(folder), "--grow", str(grow))
        self.addCleanup(lambda: self.assertEqual(site.stop(), 0))
        return site

    def read(self, site):
        """[(outlet, path, reply, kind, entries)]"""
        base = f"http://127.0.0.1:{site.port}"
        root = ElementTree.fromstring(site.get("/opml").body)
        feeds = []
        for outline in root.iter("outline"):
            path = outline.get("xmlUrl").removeprefix(base)
            reply = site.get(path)
            self.assertEqual(reply.status, 200)
            feeds.append((outline.get("text"), path, reply, *read_feed(reply.body)))
        return feeds

    def test_feeds_hold_the_files_whole_in_all_formats(self):
        site, files, start = self.start(FOLDER, 0), read_files(FOLDER), time.time()
        feeds = self.read(site)
        self.assertEqual({f[3] for f in feeds}, {"rss", "feed", "RDF", "json"})
        self.assertEqual({f[0] for f in feeds}, {a[0] for a in files.values()})
        entries = [(feed[0], entry) for feed in feeds for entry in feed[4]]
        self.assertEqual(len(entries), min(24, len(files)))
        self.assertEqual(len({entry["id"] for _, entry in entries}), len(entries))
        for outlet, entry in entries:
            self.assertEqual((outlet, entry["author"], entry["tags"], paragraphs(entry["html"])),
                             files[entry["title"]])
            page = site.get(re.sub("^http://[^/]*", "", entry["url"]))
            self.assertEqual(page.status, 200)
            self.assertEqual(page.body.count(b"<p>"), len(files[entry["title"]][3]) + 2)
        ages = sorted(start - entry["date"] for _, entry in entries)
        self.assertTrue(50 < ages[0] < 90, ages[0])
        self.assertTrue(3600 < ages[-1] < 24 * 3600, ages[-1])

    def test_unchanged_feeds_answer_304(self):
        site = self.start(FOLDER, 0)
        for _, path, reply, _, _ in self.read(site):
            tag, date = reply.headers["ETag"], reply.headers["Last-Modified"]
            self.assertEqual(site.get(path, If_None_Match=tag).status, 304)
            self.assertEqual(site.get(path, If_Modified_Since=date).status, 304)
            self.assertEqual(site.get(path, If_None_Match='"old"').status, 200)

    def test_grows_to_the_last_article_and_stands(self):
        with tempfile.TemporaryDirectory() as folder:
            for i in range(26):
                pathlib.Path(folder, f"{i:02}-piece-{i}.txt").write_text(
                    f"Outlet: The <A> & \"B\"\nTitle: Piece {i} <b>&\nAuthor: O'Hara & ]]>\n"
                    f"Categories: One, Two & <three>\n\nFirst ]]> & <p>{i}\n\nSecond “ü” 😀.\n",
                    "utf-8")
            pathlib.Path(folder, "99-broken.txt").write_text("Title: no more\n")
            site = self.start(folder, 1)
            before = self.read(site)[0]
            self.assertEqual(len(before[4]), 24)
            self.assertEqual(site.get("/articles/piece-25").status, 404)
            deadline = time.monotonic() + DEADLINE_S
            while len(self.read(site)[0][4]) < 26 and time.monotonic() < deadline:
                time.sleep(0.1)
            after = self.read(site)[0]
            self.assertEqual([e["title"] for e in after[4][:2]], ["Piece 25 <b>&", "Piece 24 <b>&"])
            self.assertEqual(after[0], "The <A> & \"B\"")
            self.assertEqual(after[4][0]["author"], "O'Hara & ]]>")
            self.assertEqual(after[4][0]["tags"], ["One", "Two & <three>"])
            self.assertEqual(paragraphs(after[4][0]["html"]),
                             ["First ]]> & <p>25", "Second “ü” 😀."])
            self.assertLess(time.time() - after[4][0]["date"], DEADLINE_S)
            tag = before[2].headers["ETag"]
            self.assertEqual(site.get(before[1], If_None_Match=tag).status, 200)
            self.assertIn(b"Piece 25 &lt;b&gt;&amp;", site.get("/articles/piece-25").body)
            index = site.get("/")
            self.assertEqual(index.body.count(b"<li>"), 26)
            time.sleep(1.5)
            self.assertEqual(len(self.read(site)[0][4]), 26)

    def test_hostile_entry_survives_every_format(self):
        with tempfile.TemporaryDirectory() as folder:
            for i, outlet in enumerate("ABCD"):
                pathlib.Path(folder, f"{i}-x{i}.txt").write_text(
                    f"Outlet: {outlet}&<\nTitle: T{i} ]]> \"<&'\nAuthor: A&<\nCategories: C&<\"\n\n"
                    "One ]]> <script>&amp; \\u0041 \\ \x01\x0b end.\n", "utf-8")
            feeds = self.read(self.start(folder, 0))
            self.assertEqual([f[3] for f in feeds], ["rss", "feed", "RDF", "json"])
            for i, (_, _, _, kind, entries) in enumerate(feeds):
                entry = entries[0]
                self.assertEqual(entry["title"], f"T{i} ]]> \"<&'", kind)
                self.assertEqual((entry["author"], entry["tags"]), ("A&<", ['C&<"']), kind)
                self.assertEqual(paragraphs(entry["html"]),
                                 ["One ]]> <script>&amp; \\u0041 \\  end."], kind)


if __name__ == "__main__":
    PROGRAM, FOLDER = sys.argv.pop(1), sys.argv.pop(1)
    unittest.main()
