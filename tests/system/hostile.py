"""A web server that says whatever it likes, byte for byte: what no HTTP library would agree to send.

DOCUMENTS are bodies that arrive as they should; ANSWERS are whole answers, made or streamed by a function. Both are found
at /NAME. What lies under /forbidden/ must never be asked for; `asked` counts all paths.
"""
import base64
import collections
import datetime
import json
import random
import socket
import socketserver
import struct
import threading
import zlib

MIB = 1 << 20
BOMB = 200 * MIB  # what the bombs unpack to
BLOCK = b" " * MIB
PROLOG = '<?xml version="1.0" encoding="UTF-8"?>\n'


def item(name, number=1, inside="", text=None):
    text = f"The text of {name} {number}, in a few words." if text is None else text
    link = "" if "<link" in inside else f"<link>http://hostile.example/{name}/{number}</link>"
    guid = "" if "<guid" in inside else f'<guid isPermaLink="false">{name}-{number}</guid>'
    return f"<item><title>Item {number} of {name}</title>{link}{guid}{inside}<description>{text}</description></item>\n"


def rss(*items, attributes="", before=""):
    return (f'<rss version="2.0" {attributes}><channel><title>A hostile feed</title>{before}' + "".join(items)
            + "</channel></rss>\n")


def feed(*items, **options):
    return (PROLOG + rss(*items, **options)).encode()


def with_doctype(name, declarations, text, outside=""):
    return f'<?xml version="1.0"?>\n<!DOCTYPE rss {outside}[\n{declarations}\n]>\n{rss(item(name, text=text))}'.encode()


# ---- documents ----

def links():
    """The middle of an item for each link that nobody may follow."""
    forms = ["javascript:alert(1)", "JavaScript:alert(2)", "java&#10;script:alert(3)", "data:text/html,hello",
             "file:///etc/passwd", "vbscript:x", "//[", "http://", "blob:http://hostile.example/1", "ftp://hostile.example/1"]
    items = [item("links", n + 1, f"<link>{form}</link>") for n, form in enumerate(forms)]
    return feed(*items, item("links", 99, '<link></link><guid isPermaLink="true">javascript:alert(4)</guid>'))


def links_json():
    forms = ["javascript:alert(1)", "data:text/html,hello", "file:///etc/passwd"]
    items = [{"id": str(n), "url": form, "title": f"A link {n}", "content_text": f"Text {n} of links in JSON."}
             for n, form in enumerate(forms)]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "Links", "items": items}).encode()


def dates():
    """Each item's text begins with what is right of it: none, or the date itself."""
    now = datetime.datetime.now(datetime.timezone.utc)
    forms = [("none", "9999-12-31T23:59:59Z"), ("none", "Fri, 31 Dec 9999 23:59:59 GMT"), ("none", "99999-01-01T00:00:00Z"),
             ("none", (now + datetime.timedelta(days=2)).isoformat()), ("none", (now + datetime.timedelta(days=400)).isoformat()),
             ("none", "1969-12-31T23:59:59Z"), ("none", "0001-01-01T00:00:00Z"), ("none", "-0001-11-30T00:00:00Z"),
             ("none", "yesterday"), ("none", "9223372036854775807"),
             ("date", (now + datetime.timedelta(hours=12)).isoformat()), ("date", "2025-11-17T02:40:00Z")]
    second = [("none", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"), ("date", "9999-12-31T23:59:59Z", "2025-11-17T02:40:00Z"),
              ("date", "2025-11-17T02:40:00Z", "9999-12-31T23:59:59Z")]
    published = [item("dates", n, f"<pubDate>{date}</pubDate>", f"{right} of the dates, number {n}: {date}")
                 for n, (right, date) in enumerate(forms)]
    updated = [item("dates", n + 100, f"<pubDate>{date}</pubDate><a:updated>{change}</a:updated>",
                    f"{right} of the dates, number {n + 100}: {date} and {change}") for n, (right, date, change) in enumerate(second)]
    return feed(*published, *updated, attributes='xmlns:a="http://www.w3.org/2005/Atom"')


def deep(open_tag, close_tag, count=100_000):
    return open_tag * count + "deep" + close_tag * count


def namespaces(count):
    opened = "".join(f'<n{k}:e xmlns:n{k}="urn:{k}">' for k in range(count))
    return opened + "".join(f"</n{k}:e>" for k in reversed(range(count)))


def scope(depth, each, count):
    """Elements under as many namespaces as can be declared."""
    opened = "".join("<e " + " ".join(f'xmlns:n{k}_{n}="urn:{k}:{n}"' for n in range(each)) + ">" for k in range(depth))
    return opened + "<n0_0:b/>" * count + "</e>" * depth


def xhtml(markup):
    return (f'{PROLOG}<feed xmlns="http://www.w3.org/2005/Atom"><title>Deep</title><entry><id>urn:xhtml</id><title>Deep</title>'
            f'<link href="http://hostile.example/xhtml"/><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Deep text'
            f"{markup}</div></content></entry></feed>").encode()


LAUGHS = '<!ENTITY a0 "ha ha ha ha ha ha ha ha ha ha ">\n' + "\n".join(
    f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
LAUGHS_PARAMETER = '<!ENTITY % p0 "ha">\n' + "\n".join(
    f'<!ENTITY % p{n} "{f"&#37;p{n - 1};" * 10}">' for n in range(1, 10)) + '\n%p9;'

DOCUMENTS = {
    "empty": lambda url: b"",
    "blank": lambda url: b" \r\n\t" * 1000,
    "html": lambda url: b"<!DOCTYPE html>\n<html><head><title>Sorry</title></head><body><p>No feed.<br>Never was.</body></html>\n",
    "utf8": lambda url: feed(item("utf8", text="A caf@1, a cut @2 and a @3 byte.")).replace(b"@1", b"\xe9")
    .replace(b"@2", b"\xe2\x82").replace(b"@3", b"\xff"),
    "charset-latin": lambda url: feed(item("charset-latin", text="Un café, déjà vu, à Liège.")).decode().encode("windows-1252"),
    "charset-utf16": lambda url: feed(item("charset-utf16")).replace(b"UTF-8", b"UTF-16"),
    "charset-unknown": lambda url: feed(item("charset-unknown")).replace(b"UTF-8", b"x-no-such"),
    "nul": lambda url: feed(item("nul", text="Before\0after the NUL.")),
    "laughs": lambda url: with_doctype("laughs", LAUGHS, "Laughing: &a9;"),
    "laughs-parameter": lambda url: with_doctype("laughs-parameter", LAUGHS_PARAMETER, "Laughing."),
    "laughs-attribute": lambda url: with_doctype("laughs-attribute", LAUGHS, "Laughing <a href='&a9;'>here</a>."),
    "laughs-loop": lambda url: with_doctype("laughs-loop", '<!ENTITY a "&b;">\n<!ENTITY b "&a;">', "Round: &a;"),
    "quadratic": lambda url: with_doctype("quadratic", f'<!ENTITY a "{"quadratic " * 5000}">', "Words " + "&a;" * 50_000),
    "quadratic-short": lambda url: with_doctype("quadratic-short", f'<!ENTITY a "{"quadratic " * 100}">', "Words " + "&a;" * 300_000),
    "xxe-file": lambda url: with_doctype("xxe-file", '<!ENTITY f SYSTEM "file:///etc/passwd">', "The accounts: &f;"),
    "xxe-http": lambda url: with_doctype("xxe-http", f'<!ENTITY f SYSTEM "{url}/forbidden/entity">', "The page: &f;"),
    "xxe-dtd": lambda url: with_doctype("xxe-dtd", "", "The definition: &f;", f'SYSTEM "{url}/forbidden/feed.dtd" '),
    "xxe-parameter": lambda url: with_doctype("xxe-parameter", f'<!ENTITY % p SYSTEM "{url}/forbidden/parameter">\n%p;', "Text &f;"),
    "xxe-include": lambda url: feed(item("xxe-include", text=f'Text <xi:include href="{url}/forbidden/include" parse="text"/>'
                                         '<xi:include href="file:///etc/passwd" parse="text"/>'),
                                    attributes='xmlns:xi="http://www.w3.org/2001/XInclude"'),
    "stylesheet": lambda url: (f'<?xml version="1.0"?><?xml-stylesheet href="{url}/forbidden/style.xsl" type="text/xsl"?>'
                               + rss(item("stylesheet"))).encode(),
    "cut": lambda url: feed(item("cut"))[:-30],
    "cut-cdata": lambda url: feed(item("cut-cdata"), item("cut-cdata", 2, text="<![CDATA[Never closed "))[:-60],
    "depth": lambda url: feed(item("depth"), item("depth", 2, text=deep("<a>", "</a>"))),
    "depth-open": lambda url: feed(item("depth-open"), item("depth-open", 2, text="<b>" * 300_000)),
    "depth-feed": lambda url: (PROLOG + "<x>" * 100_000 + rss(item("depth-feed")) + "</x>" * 100_000).encode(),
    "depth-html": lambda url: feed(item("depth-html", text=f"<![CDATA[Deep {deep('<div>', '</div>')}]]>")),
    "depth-xhtml": lambda url: xhtml(deep("<p>", "</p>")),
    "depth-json": lambda url: b'{"version":"https://jsonfeed.org/version/1.1","items":' + b"[" * 100_000,
    "namespaces": lambda url: feed(item("namespaces"), item("namespaces", 2, namespaces(20_000))),
    "prefixes": lambda url: feed(item("prefixes"), attributes=" ".join(f'xmlns:n{k}="urn:{k}"' for k in range(20_000))),
    "scope": lambda url: feed(item("scope"), scope(190, 60, MIB)),
    "attributes": lambda url: feed(item("attributes", inside="<x " + " ".join(f'a{k}="1"' for k in range(50_000)) + "/>")),
    "attribute": lambda url: feed(item("attribute", inside=f'<x y="{"z" * (60 * MIB)}"/>')),
    "attribute-fits": lambda url: feed(item("attribute-fits", inside=f'<x y="{"z" * (14 * MIB)}"/>')),
    "name": lambda url: feed(item("name", inside=f"<{'n' * MIB}/>")),
    "brackets": lambda url: feed(item("brackets"), "<" * (2 * MIB)),
    "ampersands": lambda url: feed(item("ampersands", text="Much: " + "&" * (2 * MIB))),
    "comments": lambda url: feed(item("comments"), "<!-- " * 400_000),
    "sections": lambda url: feed(item("sections"), "<![CDATA[ " * 200_000),
    "html-comments": lambda url: feed(item("html-comments", text=f"<![CDATA[Words {'<!-- ' * 200_000}]]>")),
    "html-tags": lambda url: feed(item("html-tags", text=f"<![CDATA[Words {'<a href=' * 200_000}]]>")),
    "html-scripts": lambda url: feed(item("html-scripts", text=f"<![CDATA[Words {'<script>' * 200_000}]]>")),
    "entries": lambda url: feed(*(item("entries", n, text="Much.") for n in range(50_000))),
    "categories": lambda url: feed(item("categories", inside="".join(f"<category>c{n}</category>" for n in range(10_000)))),
    "guid": lambda url: feed(*(item("guid", n, "<guid>always-the-same</guid>") for n in range(20))),
    "guid-long": lambda url: feed(*(item("guid-long", 1, f"<guid>{'a' * 1200}{n}</guid>") for n in range(10_000))),
    "guid-alone": lambda url: feed(*(item("guid-alone", n, '<link></link><guid isPermaLink="false">same</guid>') for n in range(20))),
    "title": lambda url: feed(item("title")).replace(b"<title>Item", b"<title>" + b"Very long " * (MIB // 10)),
    "links": lambda url: links(),
    "links-json": lambda url: links_json(),
    "dates": lambda url: dates(),
    "type-image": lambda url: feed(item("type-image")),
    "type-broken": lambda url: feed(item("type-broken")),
    "type-none": lambda url: feed(item("type-none")),
}
TYPES = {"type-image": "image/png", "type-broken": ";;=charset=\xff\xfe;", "type-none": None, "links-json": "application/json",
         "depth-json": "application/json", "charset-latin": "text/xml; charset=utf-8"}


# ---- answers ----

def answer(body=b"", status="200 OK", *headers, length=None, type="application/rss+xml; charset=utf-8"):
    """length: what is said of the body; None: the truth, -1: nothing."""
    lines = [f"HTTP/1.1 {status}", "Connection: close"]
    if type:
        lines.append(f"Content-Type: {type}")
    if length != -1:
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return ("\r\n".join([*lines, *headers]) + "\r\n\r\n").encode("latin-1") + body


def redirect(to):
    return lambda server: answer(b"", "302 Found", f"Location: {to}")


def drip(text):
    """A byte a second, for as long as anybody listens."""
    def send(server):
        for byte in text * 1000:
            yield bytes([byte])
            server.over.wait(1)
    return send


def silent(server):
    server.over.wait()
    return b""


def endless(server):
    yield answer(length=-1) + (PROLOG + "<rss><channel>").encode()
    while not server.over.is_set():
        yield item("endless").encode() * 500


def huge(server):
    yield answer(length=BOMB)
    for _ in range(BOMB // MIB):
        yield BLOCK


BOMB_HEAD = feed(item("bomb", text="Blanks @ end here")).split(b"@")[0]
BOMB_TAIL = feed(item("bomb", text="Blanks @ end here")).split(b"@")[1]


def squeezed(how):
    squeeze = zlib.compressobj(9, zlib.DEFLATED, how)
    out = squeeze.compress(BOMB_HEAD)
    for _ in range(BOMB // MIB):
        out += squeeze.compress(BLOCK)
    return out + squeeze.compress(BOMB_TAIL) + squeeze.flush()


GZIP, DEFLATE = 31, 15


def gzip(data):
    squeeze = zlib.compressobj(9, zlib.DEFLATED, GZIP)
    return squeeze.compress(data) + squeeze.flush()


# Brotli of 200 MiB of blanks in a feed, itself deflated.
BROTLI = zlib.decompress(base64.b64decode(
    "eNo7/f+/PYPL3WmvnIXPJLcvX5YgsLfL/AXbcUbWZye38L1uOLyM2S9hd2+vtpKQi+lSxr92qd9efQ145PbihOMRkzms03LX6x+x+pXt"
    "5yLQJdo5e+rtrZ6Vvy3nbS/+7z47tVfgwf//8gxCDIURDLu+1//5/5/ZgUmBj9vh+7/+///rGTwYjiQyvrj3/+P///wMnA0WOgx3f9v/"
    "+/+fUYFRoJ11QfX/4yDHqTA82sBQ8v7/j///2RtYHGTEGt79lf///z/DBIaOw0wX9v5/PGws6Q5lYFiU5311QoxGsm7tg2bxuuhpTTxc"
    "Pow/ZuxOkt1uLtjnymYV33nivXZSNM+CjnmCADVa3YE="))


def zstd():
    """RFC 8878: a frame with a window of 128 KiB, of blocks that are one blank, repeated."""
    def block(kind, size, data, last=0):
        return struct.pack("<I", size << 3 | kind << 1 | last)[:3] + data
    most = 128 * 1024
    return (bytes.fromhex("28b52ffd") + b"\x00\x38" + block(0, len(BOMB_HEAD), BOMB_HEAD)
            + block(1, most, b" ") * (BOMB // most) + block(0, len(BOMB_TAIL), BOMB_TAIL, 1))


def encoded(encoding, body):
    said = answer(body, "200 OK", f"Content-Encoding: {encoding}")
    return lambda server: said


def header_of_100_mib(server):
    yield b"HTTP/1.1 200 OK\r\nX-Long: "
    for _ in range(100):
        yield b"x" * MIB
    yield b"\r\n\r\n"


def headers_without_end(server):
    yield b"HTTP/1.1 200 OK\r\n"
    while not server.over.is_set():
        yield b"X-More: and more\r\n" * 100


def hundred_continue(server):
    while not server.over.is_set():
        yield b"HTTP/1.1 100 Continue\r\n\r\n" * 100


def head(*lines):
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunked(*pieces):
    return lambda server: head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + b"".join(pieces)


ANSWERS = {
    "404": lambda server: answer(b"<p>Not found</p>", "404 Not Found"),
    "410": lambda server: answer(b"<p>Gone</p>", "410 Gone"),
    "500": lambda server: answer(b"<p>Oh</p>", "500 Internal Server Error"),
    "204": lambda server: head("HTTP/1.1 204 No Content"),
    "304": lambda server: head("HTTP/1.1 304 Not Modified"),
    "loop": redirect("/loop-back"), "loop-back": redirect("/loop"),
    **{f"hops-{n}": redirect(f"/hops-{n + 1}") for n in range(30)}, "hops-30": redirect("/forbidden/hops"),
    "redirect-file": redirect("file:///etc/passwd"), "redirect-gopher": redirect("gopher://hostile.example/1"),
    "redirect-script": redirect("javascript:alert(1)"), "redirect-nowhere": redirect(""),
    "redirect-crlf": redirect("/%0d%0aSet-Cookie:%20a=b"),
    "drip": drip(answer(length=-1) + feed(item("drip"))),
    "drip-head": drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000),
    "silent": silent, "endless": endless, "huge": huge, "close": lambda server: b"",
    "bomb-gzip": encoded("gzip", squeezed(GZIP)),
    "bomb-deflate": encoded("deflate", squeezed(DEFLATE)),
    "bomb-br": encoded("br", BROTLI),
    "bomb-zstd": encoded("zstd", zstd()),
    "bomb-twice": encoded("gzip, gzip", gzip(squeezed(GZIP))),
    "bomb-inside": encoded("gzip", gzip(squeezed(GZIP))),
    "encodings": encoded(", ".join(["gzip"] * 50), b"x"),
    "encoding-unknown": encoded("wobble", feed(item("encoding"))),
    "encoding-lie": encoded("gzip", feed(item("encoding"))),
    "cut-length": lambda server: answer(feed(item("cut")), length=100_000),
    "cut-gzip": encoded("gzip", gzip(feed(item("cut-gzip"), item("cut-gzip", 2, text=random.Random(1).randbytes(5000).hex())))[:-600]),
    "cut-chunk": chunked(b"100\r\n<rss><channel>"),
    "chunk-huge": chunked(b"ffffffffffffffffff\r\n<rss>"),
    "chunk-garbage": chunked(b"zz\r\n<rss>\r\n0\r\n\r\n"),
    "header-huge": header_of_100_mib, "headers-endless": headers_without_end, "continue-endless": hundred_continue,
    "header-cr": lambda server: answer(feed(item("header-cr")), "200 OK", 'ETag: "a\rX-Injected: 1"',
                                       "Last-Modified: Mon\rX-Injected: 2"),
    "header-nul": lambda server: answer(feed(item("header-nul")), "200 OK", 'ETag: "a\0b"'),
    "header-folded": lambda server: answer(feed(item("header-folded")), "200 OK", 'ETag: "a\r\n X-Injected: 1"'),
    "header-bytes": lambda server: answer(feed(item("header-bytes")), "200 OK", 'ETag: "\xff\xfe\x01"', "Last-Modified: \x7f"),
    "length-negative": lambda server: answer(feed(item("length-negative")), length=-5),
    "length-two": lambda server: answer(feed(item("length-two")), "200 OK", "Content-Length: 10"),
    "http-nonsense": lambda server: b"SSH-2.0-OpenSSH_9.2\r\n",
    "http-version": lambda server: answer(feed(item("http-version"))).replace(b"HTTP/1.1", b"HTTP/9.9"),
    "http-bare": lambda server: feed(item("http-bare")),
}


# ---- the server ----

class Server(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True
    request_queue_size = 512

    def handle_error(self, request, client_address):
        pass  # whoever had enough has hung up


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        asked = b""
        while b"\r\n\r\n" not in asked:
            more = self.request.recv(65536)
            if not more:
                return
            asked += more
        owner = self.server.owner
        path = asked.split(b" ", 2)[1].decode("latin-1")
        with owner.lock:
            owner.asked[path] += 1
            if b"injected" in asked.lower():
                owner.asked["/forbidden/header"] += 1
        said = owner.answer(path[1:])
        for piece in [said] if isinstance(said, bytes) else said:
            self.request.sendall(piece)
        self.request.shutdown(socket.SHUT_WR)


class Hostile:
    def __init__(self):
        self.asked, self.lock, self.over = collections.Counter(), threading.Lock(), threading.Event()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.owner = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.documents = {name: make(self.url) for name, make in DOCUMENTS.items()}
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, name):
        if name in ANSWERS:
            return ANSWERS[name](self)
        if name in DOCUMENTS:
            return answer(self.documents[name], type=TYPES.get(name, "application/rss+xml; charset=utf-8"))
        return answer(b"<p>Not found</p>", "404 Not Found")

    def forbidden(self):
        return {path: count for path, count in self.asked.items() if path.startswith("/forbidden/")}

    def stop(self):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()
