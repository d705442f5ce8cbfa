r"""Closed-loop load generator for OpenAI-compatible /v1/chat/completions; prints one JSON object.

    python -m benchmarks.loadgen --base-url http://127.0.0.1:8000/v1 --key K --model mock \
        --mode chat|stream -c 16 (-n REQUESTS | -d SECONDS) [--warmup N] [--pid PID]

C keep-alive connections, one outstanding request each, raw asyncio.Protocol on uvloop. Every
answer is checked: status 200; chat: a "choices" member; stream: data events and [DONE].
--pid samples that process tree: CPU time per request (steady beside a noisy neighbour) and RSS.
Latencies in ms; ttfb = first response byte, ttft = first `data:` event, both from sending.
"""

import argparse
import asyncio
import gc
import json
import time
from urllib.parse import urlsplit

import uvloop

from benchmarks.connection import Client
from benchmarks.process import usage

perf = time.perf_counter


def body_of(model, mode, nbytes):
    b = {
        "model": model,
        "messages": [
            {"role": "system", "content": "You are a terse assistant."},
            {"role": "user", "content": ""},
        ],
        "max_tokens": 128,
        "temperature": 0.2,
    }
    if mode == "stream":
        b["stream"] = True
        b["stream_options"] = {"include_usage": True}
    text = "Summarise the notes about gateways, routing and usage accounting for an operator. "
    pad = max(0, nbytes - len(json.dumps(b)))
    b["messages"][1]["content"] = (text * (pad // len(text) + 1))[:pad]
    return json.dumps(b).encode()


class State:
    def __init__(self, a, raw, n, secs):
        self.raw, self.n, self.secs = raw, n, secs
        self.stream = a.mode == "stream"
        self.lat, self.ttfb, self.ttft = [], [], []
        self.events = self.errors = self.sent = self.open = 0
        self.errkinds, self.errsample = {}, ""
        self.idled = set()
        self.t_start = perf()
        self.last = self.t_start

    def stop(self):
        return self.sent >= self.n if self.n else perf() - self.t_start >= self.secs

    def idle(self, c):
        self.idled.add(c)
        self.live -= 1
        if self.live <= 0 and not self.fut.done():
            self.fut.set_result(None)

    def reconnect(self):
        if self.errors > 2000 or self.stop():
            self.live -= 1
            if self.live <= 0 and not self.fut.done():
                self.fut.set_result(None)
            return
        self.connecting = asyncio.ensure_future(self.connect())

    async def connect(self):
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: Client(self), self.host, self.port
            )
        except OSError:
            self.errors += 1
            self.errkinds["connect"] = self.errkinds.get("connect", 0) + 1
            await asyncio.sleep(0.05)
            self.reconnect()

    async def run(self, host, port, c, cap):
        self.host, self.port, self.live = host, port, c
        self.fut = asyncio.get_running_loop().create_future()
        self.t_start = perf()
        for _ in range(c):
            await self.connect()
        try:
            await asyncio.wait_for(self.fut, cap)
        except TimeoutError:
            self.errkinds["time cap"] = 1


def pct(v, p):
    if not v:
        return None
    return round(1e3 * v[min(len(v) - 1, int(p * len(v)))], 3)


def arguments():
    ap = argparse.ArgumentParser()
    ap.add_argument("--base-url", required=True)
    ap.add_argument("--key", default="sk-none")
    ap.add_argument("--model", default="mock")
    ap.add_argument("--mode", default="chat", choices=["chat", "stream"])
    ap.add_argument("-c", type=int, default=1)
    ap.add_argument("-n", type=int, default=0)
    ap.add_argument("-d", type=float, default=0)
    ap.add_argument("--warmup", type=int, default=0)
    ap.add_argument("--body-bytes", type=int, default=2048)
    ap.add_argument("--header", action="append", default=[])
    ap.add_argument("--pid", type=int, default=0)
    ap.add_argument("--cap", type=float, default=120)
    ap.add_argument("--path", default="/chat/completions")
    a = ap.parse_args()
    if not a.n and not a.d:
        a.n = 1000
    return a


def request_bytes(a, url):
    body = body_of(a.model, a.mode, a.body_bytes)
    lines = [
        f"POST {url.path.rstrip('/')}{a.path} HTTP/1.1",
        f"Host: {url.netloc}",
        f"Authorization: Bearer {a.key}",
        "Content-Type: application/json",
        "Accept: */*",
        "User-Agent: loadgen/1",
        f"Content-Length: {len(body)}",
        *(h.replace(":", ": ", 1).replace(":  ", ": ") for h in a.header),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def drive(a, raw, url, n, secs):
    st = State(a, raw, n, secs)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(st.run(url.hostname, url.port or 80, a.c, a.cap))
    return st


def main():
    a = arguments()
    url = urlsplit(a.base_url)
    raw = request_bytes(a, url)
    if a.warmup:
        drive(a, raw, url, a.warmup, 0)
    gc.collect()
    gc.freeze()
    gc.disable()
    before = usage(a.pid) if a.pid else None
    own = time.process_time()
    st = drive(a, raw, url, a.n, a.d)
    out = report(a, st, time.process_time() - own)
    if before:
        out |= server_report(a, st, before, usage(a.pid))
    print(json.dumps(out))


def report(a, st, own_cpu):
    el, ok = st.last - st.t_start, len(st.lat)
    out = {
        "mode": a.mode,
        "c": a.c,
        "model": a.model,
        "ok": ok,
        "errors": st.errors,
        "secs": round(el, 3),
        "rps": round(ok / el, 1) if el > 0 else 0,
    }
    for k, v in (("lat", st.lat), ("ttfb", st.ttfb), ("ttft", st.ttft)):
        if v:
            v.sort()
            out[k] = {"mean": round(1e3 * sum(v) / len(v), 3), "max": pct(v, 1)}
            out[k] |= {f"p{p}": pct(v, p / 100) for p in (50, 95, 99)}
    if st.stream and ok:
        out["events_per_stream"] = round(st.events / ok, 2)
    out["loadgen_cpu_us_per_req"] = round(1e6 * own_cpu / max(ok, 1), 1)
    if st.errors or st.errkinds:
        out |= {"error_kinds": st.errkinds, "error_sample": st.errsample}
    return out


def server_report(a, st, before, after):
    cpu, ok = after[0] - before[0], max(len(st.lat), 1)
    out = {"cpu_us_per_req": round(1e6 * cpu / ok, 1), "rss_mb": round(after[1] / 1048576, 1)}
    if st.stream:
        out["cpu_us_per_event"] = round(1e6 * cpu / max(st.events, 1), 2)
    return out


main()
