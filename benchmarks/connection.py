"""One keep-alive connection of the load generator: sends, checks the answer, sends again."""

import asyncio
import time

perf = time.perf_counter


class Client(asyncio.Protocol):
    """`st` is the run it belongs to: what to send, how long, and where the figures go."""

    __slots__ = (
        "buf",
        "chunked",
        "clen",
        "closing",
        "data",
        "done_seen",
        "ev",
        "hdr",
        "need",
        "raw",
        "st",
        "status",
        "t0",
        "tail",
        "tfb",
        "tft",
        "tr",
    )

    def __init__(self, st):
        self.st = st
        self.buf = b""
        self.hdr = True

    def connection_made(self, tr):
        self.tr = tr
        self.fire()

    def fire(self):
        st = self.st
        if st.stop():
            self.tr.close()
            st.idle(self)
            return
        st.sent += 1
        st.open += 1
        self.buf = b""
        self.hdr = True
        self.tfb = self.tft = 0.0
        self.ev = 0
        self.t0 = perf()
        self.tr.write(st.raw)

    def data_received(self, d):
        now = perf()
        if self.hdr:
            d = self.headers(d, now)
            if d is None or (not d and self.clen):
                return
        if self.chunked:
            d, end = self.dechunk(d)
        elif self.clen >= 0:
            self.clen -= len(d)
            end = self.clen <= 0
        else:  # until close
            self.closing, end = True, False
        if self.st.stream:
            self.events(d, now)
        elif len(self.data) < 64:
            self.data.append(d)
        if end:
            self.finish(now)

    def headers(self, d, now):
        """The body's first bytes, None while the headers are not whole."""
        self.tfb = self.tfb or now
        self.buf += d
        i = self.buf.find(b"\r\n\r\n")
        if i < 0:
            return None
        h, rest = self.buf[:i].lower(), self.buf[i + 4 :]
        self.buf = b""
        self.status = int(h[9:12])
        if self.status == 100:
            return self.headers(rest, now) if rest else None
        self.closing = b"connection: close" in h
        j = h.find(b"content-length:")
        self.clen = int(h[j + 15 :].split(b"\r\n", 1)[0]) if j >= 0 else -1
        self.chunked = b"transfer-encoding: chunked" in h
        self.hdr = self.done_seen = False
        self.data, self.tail, self.raw, self.need = [], b"", b"", 0
        return rest

    def events(self, d, now):
        if self.tail:
            d = self.tail + d
        n = d.count(b"data: {")
        if n:
            self.tft = self.tft or now
            self.ev += n
        self.done_seen = self.done_seen or b"[DONE]" in d
        self.tail = d[-6:]  # shorter than a marker: never counted twice, never lost at a boundary

    def dechunk(self, d):
        if self.raw:
            d = self.raw + d
            self.raw = b""
        out, i, n = [], 0, len(d)
        while i < n:
            if self.need > 0:  # inside a chunk (its CRLF included)
                k = min(self.need, n - i)
                if self.need > 2:
                    out.append(d[i : i + min(k, self.need - 2)])
                self.need -= k
                i += k
                continue
            j = d.find(b"\r\n", i)
            if j < 0:
                self.raw = d[i:]
                break
            size = int(d[i:j].split(b";", 1)[0], 16)
            if size == 0:
                if n < j + 4:
                    self.raw = d[i:]
                    break
                return b"".join(out), True
            self.need = size + 2
            i = j + 2
        return (out[0] if len(out) == 1 else b"".join(out)), False

    def finish(self, now):
        st = self.st
        st.open -= 1
        ok = self.status == 200
        if ok:
            ok = (
                (self.done_seen and self.ev > 0)
                if st.stream
                else any(b'"choices"' in x for x in self.data)
                or b'"choices"' in b"".join(self.data)
            )
        if ok:
            st.lat.append(now - self.t0)
            st.ttfb.append(self.tfb - self.t0)
            if st.stream:
                st.ttft.append(self.tft - self.t0)
                st.events += self.ev
        else:
            st.errors += 1
            k = str(self.status) + ("" if self.status != 200 else " bad body")
            st.errkinds[k] = st.errkinds.get(k, 0) + 1
            if not st.errsample:
                st.errsample = (
                    b"".join(self.data)[:300].decode("latin1")
                    if self.data
                    else self.tail.decode("latin1")
                )
        st.last = now
        if self.closing:
            self.hdr = True
            self.t0 = 0
            self.tr.close()
            st.reconnect()
        else:
            self.fire()

    def connection_lost(self, exc):
        st = self.st
        if self in st.idled:
            return
        if not self.hdr and not self.chunked and self.clen < 0:
            return self.finish(perf())
        if getattr(self, "t0", 0):
            st.open -= 1
            st.errors += 1
            st.errkinds["connection lost"] = st.errkinds.get("connection lost", 0) + 1
            st.reconnect()
