"""newsmill feed: finding, checking, adding, listing, removing, lists in and out, as a person would."""
import email.utils
import gzip
import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest

from mill import BIN, SOURCE, Mill, World
from pages import Pages, rss

PAGE = "<!DOCTYPE html><html><head><title>Site</title>{}</head><body><p>Hello.</p></body></html>"
HTML = {"Content-Type": "text/html; charset=utf-8"}


def date(ago_s=0):
    return f"<pubDate>{email.utils.formatdate(time.time() - ago_s)}</pubDate>"


def entries(count=3, words=20, host="http://news.example", **more):
    return [(f"Title {k}", f"{host}/{k}", "word " * words, date(3600 * k), f"<guid>{host}/{k}</guid>") for k in range(1, count + 1)]


class CheckTest(unittest.TestCase):
    """Without a mill."""

    def setUp(self):
        self.site = Pages()
        self.addCleanup(self.site.stop)
        self.folder = tempfile.mkdtemp(prefix="newsmill-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("NEWSMILL_") and k != "DATABASE_URL"}
        self.env.update(NEWSMILL_DATA_DIR=self.folder + "/data", NEWSMILL_FETCHER_ALLOW_PRIVATE="true")

    def tool(self, *args, code=0):
        done = subprocess.run([f"{BIN}/newsmill", "feed", *args], env=self.env, cwd=self.folder, capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def check(self, page, path="/feed"):
        self.site.at[path] = page
        return json.loads(self.tool("check", "--json", self.site.url + path))

    def warned(self, document, text):
        self.assertTrue(any(text in w for w in document["warnings"]), document["warnings"])

    def test_a_good_feed_has_no_fault_but_its_transport(self):
        def page(request):
            headers = {"ETag": '"x"', "Content-Type": "application/rss+xml; charset=utf-8", "Cache-Control": "public, max-age=300",
                       "Link": '</other>; rel="self", <https://hub.example/>; rel="hub"'}
            if request.headers.get("If-None-Match") == '"x"':
                return 304, headers, b""
            return 200, dict(headers, **{"Content-Encoding": "gzip"}), gzip.compress(
                rss(entries(5, 300), "<ttl>30</ttl><language>en</language>").encode())
        got = self.check(page)
        self.assertEqual((got["entries"], got["dated"], got["fullText"], got["medianWords"], got["again"]), (5, 5, 5, 300, 304))
        self.assertEqual(got["hints"]["ttlS"], 1800)
        self.assertEqual(got["hints"]["maxAgeS"], 300)
        self.assertEqual(got["hints"]["hub"], "https://hub.example/")
        self.assertEqual(got["speed"]["compression"], "gzip")
        self.assertLess(got["speed"]["wireBytes"], got["bytes"])
        self.assertEqual(got["stored"][0]["title"], "Title 1")
        self.assertEqual(len(got["stored"]), 3)
        self.assertEqual(len(got["warnings"]), 1, got["warnings"])
        self.warned(got, "unencrypted")
        text = self.tool("check", self.site.url + "/feed")
        for said in ("A feed", "RSS, utf-8", "5, all dated", "full text, 300 words", "304", "ttl 30 min", "max-age 300 s",
                     "https://hub.example/", "by gzip"):
            self.assertIn(said, text)
        for line in text.splitlines():
            self.assertLessEqual(len(line), 80, line)

    def test_what_is_wrong_is_said(self):
        bad = [("A", "/relative", "x", date(-86400 * 3), "<guid>same</guid>"), ("B & C", "http://news.example/b", "", "<guid>same</guid>"),
               ("D", "http://news.example/d", "x", "<pubDate>Thu, 01 Jan 1970 00:00:00 GMT</pubDate>")]
        got = self.check((200, {"Content-Type": "text/html"}, rss(bad)))
        for said in ("text/html", "neither ETag", "not well-formed XML (line 1", "without a date that can be read: 1 of 3", "in the future: 1 of 3",
                     "before there were feeds: 1 of 3", "guid of another: 1 of 3", "relative link: 1 of 3", "without text: 1 of 3"):
            self.warned(got, said)
        self.assertEqual(got["stored"][0]["url"], self.site.url + "/relative")

    def test_validators_that_do_nothing(self):
        got = self.check((200, {"ETag": '"x"', "Last-Modified": email.utils.formatdate(usegmt=True)}, rss(entries())))
        self.assertEqual(got["again"], 200)
        self.warned(got, "validators do nothing")
        second = self.site.asked("/feed")[1]
        self.assertEqual(second.headers["If-None-Match"], '"x"')
        self.assertIn("If-Modified-Since", second.headers)

    def test_encodings_and_their_origin(self):
        body = rss([("Caf\u00e9", "http://news.example/1", "x")])
        got = self.check((200, {"Content-Type": "text/xml; charset=iso-8859-1"}, body.encode("latin-1")))
        self.assertEqual(got["encoding"], {"name": "windows-1252", "origin": "HTTP"})
        self.assertEqual(got["stored"][0]["title"], "Caf\u00e9")
        got = self.check(body.encode("utf-16"))
        self.assertEqual(got["encoding"]["origin"], "byte order mark")
        got = self.check(b"\xef\xbb\xbf" + body.encode())
        self.assertEqual(got["encoding"], {"name": "utf-8", "origin": "byte order mark"})
        got = self.check(body.replace('"1.0"', '"1.0" encoding="ISO-8859-2"').encode("iso8859-2"))
        self.assertEqual(got["encoding"]["origin"], "its declaration")

    def test_redirects(self):
        self.site.at["/new"] = rss(entries())
        for status, kind in ((301, "permanent"), (308, "permanent"), (302, "temporary"), (307, "temporary")):
            got = self.check((status, {"Location": "/new"}, b""), f"/old{status}")
            self.assertEqual((got["redirect"], got["redirects"], got["url"]), (kind, 1, self.site.url + "/new"))
            self.assertEqual(any("moved for good" in w for w in got["warnings"]), kind == "permanent")

    def test_other_than_feeds(self):
        self.site.at["/page"] = 200, HTML, PAGE.format('<link rel="alternate" type="application/rss+xml" href="/rss">')
        self.site.at["/rss"] = rss(entries())
        said = self.tool("check", self.site.url + "/page", code=1)
        self.assertIn("is no feed", said)
        self.assertIn(f"perhaps you mean {self.site.url}/rss", said)
        self.assertIn("answers 404", self.tool("check", self.site.url + "/nothing", code=1))
        self.assertIn("cannot connect", self.tool("check", "http://127.0.0.1:1/", code=1))
        self.assertIn("no http", self.tool("check", "file:///etc/passwd", code=100))
        got = self.check((200, {}, rss([])))
        self.assertEqual((got["entries"], got["newest"], got["medianWords"]), (0, None, 0))
        self.warned(got, "no entries")
        self.assertIn("none", self.tool("check", self.site.url + "/feed"))


class ManageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(feeds=1, articles=1)
        cls.addClassCleanup(cls.world.stop)
        cls.mill = Mill(cls.world)
        cls.addClassCleanup(cls.mill.stop)

    def setUp(self):
        self.site = Pages()
        self.addCleanup(self.site.stop)
        self.mill.postgres.execute('DELETE FROM "Source"')

    def tool(self, *args, code=0, **options):
        done = self.mill.cli("feed", *args, check=False, **options)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def rows(self):
        return [(r["url"], r["title"], r["tags"]) for r in self.mill.postgres.rows('SELECT url, title, tags FROM "Source" ORDER BY id')]

    def test_a_page_names_its_feed(self):
        self.site.at["/news/"] = 200, HTML, PAGE.format(
            '<link rel="ALTERNATE stylesheet" type="text/css" href="/x.css"><base href="/base/">'
            '<link rel=alternate type="application/rss+xml; charset=utf-8" title="The news" href="all.xml">'
            '<link rel=alternate type="application/rss+xml" title="Site &raquo; Comments Feed" href="comments.xml">'
            '<link rel=alternate type="application/json" href="/wp-json/wp/v2/pages/2">'
            '<link rel=alternate type="application/atom+xml" href="gone.xml">')
        self.site.at["/base/all.xml"] = rss(entries(), title="All")
        self.site.at["/base/comments.xml"] = rss(entries(2, host="http://comments.example"), title="Comments on Site")
        said = self.tool("add", self.site.url + "/news/", "--tag", "a,b c")
        self.assertIn(f"added {self.site.url}/base/all.xml", said)
        self.assertIn("comments.xml", said)
        self.assertEqual(self.rows(), [(self.site.url + "/base/all.xml", "All", ["a", "b c"])])
        self.assertFalse(self.site.asked("/wp-json/wp/v2/pages/2"))

    def test_the_same_feed_in_two_formats_is_one(self):
        self.site.at["/"] = 200, HTML, PAGE.format('<link rel=alternate type="application/rss+xml" href="/rss">'
                                                   '<link rel=alternate type="application/feed+json" href="/json">')
        self.site.at["/rss"] = rss(entries(1))
        self.site.at["/json"] = json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "A feed", "items": [
            {"id": "1", "url": "http://news.example/1", "title": "Title 1"}]})
        self.tool("add", self.site.url)
        self.assertEqual([r[0] for r in self.rows()], [self.site.url + "/rss"])

    def test_several_are_listed(self):
        self.site.at["/"] = 200, HTML, PAGE.format('<link rel=alternate type="application/rss+xml" href="/sports">'
                                                   '<link rel=alternate type="application/rss+xml" href="/news">')
        self.site.at["/sports"] = rss(entries(2, host="http://sports.example"), title="Sports")
        self.site.at["/news"] = rss(entries(3), title="News")
        said = self.tool("add", self.site.url, code=2)
        for text in ("several feeds", "/sports", "/news", "Sports", "News"):
            self.assertIn(text, said)
        self.assertEqual(self.rows(), [])
        done = self.mill.cli("feed", "add", "--json", self.site.url, check=False)
        told = json.loads(done.stdout)[0]
        self.assertEqual((done.returncode, told["outcome"]), (2, "ambiguous"))
        self.assertEqual([(f["url"], f["entries"]) for f in told["feeds"]], [(self.site.url + "/sports", 2), (self.site.url + "/news", 3)])
        # one of them says that it is this page's
        self.site.at["/news"] = rss(entries(3), f"<link>{self.site.url}</link>", title="News")
        self.assertIn("/sports", self.tool("add", self.site.url))
        self.assertEqual([r[0] for r in self.rows()], [self.site.url + "/news"])

    def test_usual_places(self):
        self.site.at["/blog"] = 200, HTML, PAGE.format("")
        self.site.at["/index.xml"] = rss(entries(), title="Blog")
        self.tool("add", self.site.url + "/blog")
        self.assertEqual(self.rows()[0][:2], (self.site.url + "/index.xml", "Blog"))
        self.site.at["/blog/feed"] = rss(entries(1, host="http://blog.example"), title="Below")
        self.tool("remove", self.site.url + "/index.xml")
        self.assertIn("added", self.tool("add", self.site.url + "/blog/feed"))

    def test_a_moved_feed_is_added_where_it_is(self):
        self.site.at["/old"] = 301, {"Location": "/new"}, b""
        self.site.at["/now"] = 302, {"Location": "/new"}, b""
        self.site.at["/new"] = rss(entries())
        self.tool("add", self.site.url + "/old")
        self.tool("add", self.site.url + "/now")
        self.assertEqual([r[0] for r in self.rows()], [self.site.url + "/new", self.site.url + "/now"])

    def test_none_and_no_check(self):
        self.site.at["/"] = 200, HTML, PAGE.format("")
        said = self.tool("add", self.site.url, code=1)
        self.assertIn("--no-check", said)
        self.assertIn("404", self.tool("add", self.site.url + "/x", code=1))
        self.assertIn("added", self.tool("add", "--no-check", self.site.url + "/x", "--title", "Mine"))
        self.assertEqual(self.rows(), [(self.site.url + "/x", "Mine", [])])
        for wrong in ("file:///etc/passwd", "mailto:x@y.example", "javascript:alert(1)"):
            self.assertIn("no http", self.tool("add", wrong, code=100))
        self.assertIn("one address", self.tool("add", "http://a.example", "http://b.example", "--title", "x", code=100))

    def test_known_and_switched_on_again(self):
        self.site.at["/feed"] = rss(entries(), title="A feed")
        url = self.site.url + "/feed"
        self.assertIn("added", self.tool("add", "feed:" + url))
        self.assertIn("known already", self.tool("add", url, "--title", "Better", "--tag", "x"))
        self.assertEqual(self.rows(), [(url, "Better", ["x"])])
        self.mill.postgres.execute('UPDATE "Source" SET enabled = FALSE')
        self.assertIn("switched on again", self.tool("add", url))
        self.assertEqual(self.rows(), [(url, "Better", ["x"])])
        self.assertIn("Better", self.tool("list"))
        said = self.tool("remove", url + "/", code=1)
        self.assertIn(f"perhaps you mean {url}", said)
        self.assertIn("removed", self.tool("remove", url))
        self.assertIn("no feeds", self.tool("list"))

    def test_lists_in_and_out(self):
        self.assertIn("25 of them new", self.tool("import"))
        self.assertEqual(len(self.rows()), 25)
        self.mill.postgres.execute("UPDATE \"Source\" SET title = 'T<&>\"\u00e9', tags = '{\"a, b\",\"c/d\",e}' WHERE id % 3 = 0")
        self.mill.postgres.execute('UPDATE "Source" SET title = NULL WHERE id % 5 = 0')
        before, document = sorted(self.rows(), key=str), self.tool("export")
        self.mill.postgres.execute('DELETE FROM "Source"')
        self.tool("import", "-", input=document)
        self.assertEqual(sorted(self.rows(), key=str), before)
        self.assertEqual(self.tool("export"), document)

    def test_wrong_lists(self):
        said = self.tool("import", "-", input="<html><p>Not found", code=1)
        self.assertIn("-: not OPML: this is a web page", said)
        said = self.tool("import", "-", input="<opml><body>\n<outline xmlUrl='http://a.example/'/>\n<outline", code=1)
        self.assertIn("the end is missing: line 3", said)
        said = self.tool("import", "-", input="<opml><body>\n<outline xmlUrl='http://a.example/?a&b'/><outline xmlUrl='gopher://x'/></body></opml>")
        self.assertIn("repaired: line 2", said)
        self.assertIn("left out 1", said)
        self.assertIn("gopher://x", said)
        self.assertEqual([r[0] for r in self.rows()], ["http://a.example/?a&b"])

    def test_as_the_mill_starts(self):
        self.tool("import", "--as-start")
        self.assertEqual(len(self.rows()), 25)
        self.mill.postgres.execute('DELETE FROM "Source" WHERE id > (SELECT min (id) FROM "Source")')
        self.tool("import", "--as-start")
        self.assertEqual(len(self.rows()), 1, "somebody chose feeds already")
        self.site.at["/opml"] = "<opml><outline xmlUrl='http://named.example/'/></opml>"
        self.tool("import", "--as-start", "-o", f"feeds.opml={self.site.url}/opml")
        self.assertIn("http://named.example/", [r[0] for r in self.rows()])
        self.tool("import", "--as-start", "-o", f"feeds.opml={self.site.url}/away")
        self.tool("import", "--as-start", "-o", f"feeds.opml={SOURCE}/README.md", code=100)


if __name__ == "__main__":
    unittest.main(verbosity=2)
