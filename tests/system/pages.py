"""A web server of a test's own: paths and what they answer, and what was asked of them."""
import http.server
import threading


class Request:
    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body


class Pages:
    """pages.at["/feed"] = body, or (status, headers, body), or a function that takes the Request and returns one of them.
    Paths are looked up with their query first, then without it."""

    def __init__(self):
        self.at, self.requests, self.lock = {}, [], threading.Lock()
        pages = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                pages.answer(self)

            do_POST = do_HEAD = do_GET

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        request = Request(handler.command, handler.path, handler.headers, body)
        with self.lock:
            self.requests.append(request)
        page = self.at.get(request.path, self.at.get(request.path.split("?")[0], (404, {}, b"not here")))
        page = page(request) if callable(page) else page
        status, headers, content = page if isinstance(page, tuple) else (200, {}, page)
        content = content.encode() if isinstance(content, str) else content
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(content)

    def asked(self, path):
        with self.lock:
            return [r for r in self.requests if r.path.split("?")[0] == path]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)


def rss(entries, head="", title="A feed"):
    """entries: (title, link, description) or those and more elements as text."""
    items = "".join(f"<item><title>{e[0]}</title><link>{e[1]}</link><description>{e[2]}</description>{''.join(e[3:])}</item>"
                    for e in entries)
    return (f'<?xml version="1.0"?><rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>'
            f"<title>{title}</title>{head}{items}</channel></rss>")
