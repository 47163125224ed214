#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The registry whose invented protocol sdk/template/registry speaks. Prints its port, and serves until it is killed."""
import http.server
import itertools
import json
import urllib.parse

BASE = "/v1/instances"
entries = {}
revisions = itertools.count(1)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # an answer is one segment
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def entry_id(self):
        path = urllib.parse.urlparse(self.path).path
        if not path.startswith(BASE):
            return "another address"
        return urllib.parse.unquote(path[len(BASE):].lstrip("/"))

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_PUT(self):
        entry, document = self.entry_id(), json.loads(self.body())
        replaced = self.headers.get("If-Match")
        if replaced and (entry not in entries or replaced != str(entries[entry]["revision"])):
            self.answer(412, {})
            return
        entries[entry] = {**document, "revision": next(revisions)}
        self.answer(200, {"revision": entries[entry]["revision"]})

    def do_DELETE(self):
        self.answer(200 if entries.pop(self.entry_id(), None) else 404, {})

    def do_POST(self):
        self.body()
        entry, _, verb = self.entry_id().rpartition("/")
        self.answer(404 if verb != "renew" or entry not in entries else 200, {})

    def do_GET(self):
        entry = self.entry_id()
        if not entry:
            self.answer_page()
        else:
            self.answer(200 if entry in entries else 404, entries.get(entry, {}))

    def answer_page(self):
        query = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
        after, limit = query.get("after", [""])[0], int(query["limit"][0])
        page = sorted(entry for entry in entries if entry > after)[:limit]
        self.answer(200, {"entries": [entries[entry] for entry in page], "next": page[-1] if len(page) == limit else ""})


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
