"""A news site made of what a test puts on it: feeds and pages, with a count of who asked for what."""
import collections
import html
import http.server
import random
import threading

WORDS = ("market price bitcoin trader exchange network token wallet block fee miner fund bank rule court bill change report "
         "analyst week chain user data record value order volume growth demand supply risk asset bond share week trade").split()


def prose(seed, count=300):
    """`count` words that no other seed has in this order."""
    dice = random.Random(seed)
    return " ".join(f"{dice.choice(WORDS)}{dice.randrange(1000)}" for _ in range(count))


class Site:
    def __init__(self):
        self.pages = {}                          # path: (status, headers, body)
        self.asked = collections.Counter()       # by path
        self.held, self.released = set(), threading.Event()
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                site.asked[self.path] += 1
                if self.path in site.held:
                    site.released.wait(30)
                answer = site.pages.get(self.path, (404, {}, "not here"))
                if isinstance(answer, list):     # one answer after the other, the last one for ever
                    answer = answer.pop(0) if len(answer) > 1 else answer[0]
                status, headers, body = answer
                data = body if isinstance(body, bytes) else body.encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads, request_queue_size = True, 1000

            def handle_error(self, *_):
                pass                             # a client that left

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def feed(self, path, *entries):
        """entries: dicts with title, text, link (a path or an address), and guid if it is another."""
        items = "".join(
            f"<item><title>{html.escape(e['title'])}</title><link>{html.escape(self.absolute(e['link']))}</link>"
            f"<guid isPermaLink='false'>{html.escape(e.get('guid', e['link']))}</guid>"
            f"<description>{html.escape(e['text'])}</description></item>" for e in entries)
        self.pages[path] = (200, {"Content-Type": "application/rss+xml"},
                            f"<rss version='2.0'><channel><title>{path}</title>{items}</channel></rss>")
        return self.url + path

    def absolute(self, link):
        return link if "://" in link else self.url + link

    def page(self, path, title, text, canonical=None, status=200):
        link = f'<link rel="canonical" href="{self.absolute(canonical)}">' if canonical else ""
        paragraphs = "".join(f"<p>{html.escape(part)}</p>" for part in text.split("\n"))
        self.pages[path] = (status, {"Content-Type": "text/html; charset=utf-8"},
                            f"<!DOCTYPE html><html><head><title>{title}</title>{link}</head><body><nav><a href='/'>Home</a></nav>"
                            f"<article><h1>{title}</h1>{paragraphs}</article><footer>All rights reserved</footer></body></html>")

    def hold(self, paths):
        """Lets those who ask for these paths wait until the event that it returns is set."""
        self.held = set(paths)
        return self.released

    def stop(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
