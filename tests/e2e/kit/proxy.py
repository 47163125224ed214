# SPDX-License-Identifier: Apache-2.0
"""A proxy between the operator and the API server that can be told to misbehave.

It speaks TLS to the operator and to the server, and HTTP/1.1 with one request for each
connection. What passes through it is what a Fault lets pass; without one, everything."""

import json
import re
import socket
import ssl
import threading
import urllib.parse
from http.client import HTTPException, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HTML = b"<html><body><h1>502 Bad Gateway</h1>the balancer is being restarted</body></html>"


class Cut(Exception):
    """The connection ends here, after these last bytes; with `ends_well` as an answer ends that is complete."""

    def __init__(self, last=b"", ends_well=False):
        super().__init__("cut")
        self.last, self.ends_well = last, ends_well


class Fault:
    """What goes wrong with requests whose path contains `resource`. `hits` counts how often it did."""

    def __init__(self, resource="/"):
        self.resource = resource
        self.hits = 0

    def answer(self, path):
        """(status, headers, body) instead of the server's answer, or None."""

    def body(self, passage, chunk):
        """What becomes of a piece of the server's answer; may raise Cut."""
        return chunk

    def end(self):
        """Told when it is over."""


class Answers(Fault):
    """Every request gets this answer."""

    def __init__(self, status, body, content_type="application/json", resource="/", **headers):
        super().__init__(resource)
        self._answer = status, {"Content-Type": content_type, **headers}, body

    def answer(self, path):
        self.hits += 1
        return self._answer


def refusal(status, reason, message, **headers):
    """A Status document, as the API server refuses."""
    return Answers(status, status_document(status, reason, message), **headers)


def status_document(status, reason, message):
    return json.dumps({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": reason,
                       "code": status, "message": message}).encode()


class CutsInMidLine(Fault):
    """Of every piece of an answer only the first half comes."""

    def __init__(self, resource="/", ends_well=False):
        super().__init__(resource)
        self._ends_well = ends_well

    def body(self, passage, chunk):
        self.hits += 1
        raise Cut(chunk[:len(chunk) // 2], self._ends_well)


class Stalls(Fault):
    """Nothing more comes, and no connection ends; when it is over, all comes at once."""

    def __init__(self, resource="/"):
        super().__init__(resource)
        self._over = threading.Event()

    def body(self, passage, chunk):
        self.hits += 1
        self._over.wait()
        return chunk

    def end(self):
        self._over.set()


class ErrorEvent(Fault):
    """The next event of a watch is an ERROR, inside of an answer that began with 200."""

    def __init__(self, resource, status, reason, message):
        super().__init__(resource)
        self._line = b'{"type":"ERROR","object":' + status_document(status, reason, message) + b"}\n"

    def body(self, passage, chunk):
        if "watch=1" not in passage.path:
            return chunk
        self.hits += 1
        raise Cut(self._line, ends_well=True)


class EmptyLists(Fault):
    """Whoever watches is told to list, and every list is empty: its version is true, its objects are missing."""

    def answer(self, path):
        if "watch=1" not in path or "sendInitialEvents" in path:
            return None
        return 410, {"Content-Type": "application/json"}, status_document(410, "Expired", "too old resource version")

    def body(self, passage, chunk):
        if "watch=1" not in passage.path:
            passage.kept += chunk
            if not re.search(rb'List"|"items":', passage.kept[:300]):
                return chunk                    # one object, or an error
            found = re.search(rb'"resourceVersion":"(\d+)"', passage.kept)
            if not found:
                return b""                      # it comes in a later piece
            self.hits += 1
            version = found[1].decode()
            raise Cut(json.dumps({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": version}, "items": []}).encode(),
                      ends_well=True)
        if passage.is_past_the_list:
            return chunk
        passage.kept += chunk
        mark = passage.kept.find(b"initial-events-end")
        if mark < 0:
            return b""
        self.hits += 1
        passage.is_past_the_list = True         # what follows is a watch, and true
        return passage.kept[passage.kept.rfind(b"\n", 0, mark) + 1:]


class HidesObjects(EmptyLists):
    """As EmptyLists, but only objects whose names match are missing. Watches begin anew once and are true from then on."""

    def __init__(self, names, resource="/"):
        super().__init__(resource)
        self._names = re.compile(rf'"name":"(?:{names})"'.encode())
        self._begun = set()

    def answer(self, path):
        if path.split("?")[0] in self._begun:
            return None
        if "sendInitialEvents" in path or "watch=1" not in path:
            self._begun.add(path.split("?")[0])
        return super().answer(path)

    def body(self, passage, chunk):
        if passage.is_past_the_list:
            return chunk
        passage.kept += chunk
        return self._stream(passage) if "watch=1" in passage.path else self._list(passage)

    def _stream(self, passage):
        lines, _, passage.kept = passage.kept.rpartition(b"\n")
        lines = lines.splitlines()
        kept = [line for line in lines if not self._names.search(line)]
        self.hits += len(lines) - len(kept)
        if any(b"initial-events-end" in line for line in lines):
            passage.is_past_the_list = True
            kept.append(passage.kept)
        return b"\n".join(kept + [b""]) if not passage.is_past_the_list else b"\n".join(kept)

    def _list(self, passage):
        try:
            document = json.loads(passage.kept)
        except ValueError:
            return b""                          # the rest comes in a later piece
        if "items" in document:
            kept = [one for one in document["items"] if not self._names.search(b'"name":"%s"' % one["metadata"]["name"].encode())]
            self.hits += len(document["items"]) - len(kept)
            document["items"] = kept
        raise Cut(json.dumps(document).encode(), ends_well=True)


class Passage:
    """One answer on its way from the server to the operator."""

    def __init__(self, path):
        self.path = path
        self.kept, self.is_past_the_list = b"", False


class Proxy:
    def __init__(self, control_plane, name="127.0.0.1"):
        self.fault = None
        self._upstream = urllib.parse.urlsplit(control_plane.url)
        self._trust = ssl.create_default_context(cafile=str(control_plane.authority.ca_file))
        self._open = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True
        identity = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        identity.load_cert_chain(*control_plane.authority.server("proxy", names=("localhost", name)))
        # The handshake belongs to the connection's thread, not to the one that accepts.
        self._server.socket = identity.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://{name}:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def begin(self, fault, break_open=True):
        """From now on; `break_open` also ends the connections that are open, so that everybody meets the fault."""
        self.fault = fault
        if break_open:
            self.break_open()
        return fault

    def heal(self):
        fault, self.fault = self.fault, None
        if fault:
            fault.end()

    def break_open(self):
        for connection in list(self._open):
            _shut(connection)

    def fault_for(self, path):
        fault = self.fault
        return fault if fault and fault.resource in path else None

    def close(self):
        self.heal()
        self._server.shutdown()
        self.break_open()
        self._server.server_close()

    def ask(self, handler):
        upstream = HTTPSConnection(self._upstream.hostname, self._upstream.port, timeout=600, context=self._trust)
        headers = {key: value for key, value in handler.headers.items() if key.lower() not in ("host", "connection", "accept-encoding")}
        length = int(handler.headers.get("Content-Length") or 0)
        upstream.request(handler.command, handler.path, handler.rfile.read(length) if length else None, headers)
        return upstream

    def opened(self, connection):
        self._open.add(connection)

    def closed(self, connection):
        self._open.discard(connection)


def _shut(connection):
    try:
        socket.socket.shutdown(connection, socket.SHUT_RDWR)    # under the TLS: no farewell
    except OSError:
        pass


def _handler_of(proxy):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self):
            proxy.opened(self.connection)
            try:
                super().handle()
            except (OSError, HTTPException):
                pass            # one of the two sides is gone, and so is the other now
            finally:
                proxy.closed(self.connection)

        def log_message(self, format, *arguments):
            pass

        def relay(self):
            fault = proxy.fault_for(self.path)
            reply = fault.answer(self.path) if fault else None
            if reply:
                status, headers, body = reply
                self.head(status, {**headers, "Content-Length": str(len(body))})
                self.wfile.write(body)
                return
            upstream = proxy.ask(self)
            try:
                self.pass_on(upstream.getresponse())
            finally:
                upstream.close()

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = relay

        def head(self, status, headers):
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True

        def pass_on(self, reply):
            kept = {key: value for key, value in reply.getheaders() if key.lower() in ("content-type", "retry-after", "warning")}
            self.head(reply.status, {**kept, "Transfer-Encoding": "chunked"})
            passage = Passage(self.path)
            try:
                while piece := reply.read1(1 << 16):
                    fault = proxy.fault_for(self.path)
                    self.piece(fault.body(passage, piece) if fault else piece)
            except Cut as cut:
                self.piece(cut.last)
                if not cut.ends_well:
                    _shut(self.connection)
                    return
            self.wfile.write(b"0\r\n\r\n")

        def piece(self, data):
            if data:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    return Handler
