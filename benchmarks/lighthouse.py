"""What Lighthouse says of the built book: as a slow phone would load it, medians of five runs.

    make lighthouse    # after which benchmarks/results/lighthouse.json holds the table

Wants Node and Chromium. Pages come from a web server that compresses, as the real one does; the
network and the processor are slowed down by Lighthouse's own default model of a phone. How fast
the machine was meanwhile is its "benchmark index": an idle laptop has over 1000. Much below, other
work slowed the page down, and blocking time, and with it performance, say nothing of the page.
"""

from __future__ import annotations

import gzip
import http.server
import json
import statistics
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SITE = ROOT / "_build" / "html"
RESULT = Path(__file__).parent / "results" / "lighthouse.json"
LIGHTHOUSE = ["npx", "--yes", "lighthouse@12"]
CHROME = "--headless=new --no-sandbox --disable-gpu"
PAGES = [
    "book/index.html",
    "book/claims.html",
    "notebooks/03_one_layer.html",
    "notebooks/06_receptive_fields.html",
    "notebooks/11_distillation.html",
]
RUNS = 5
TEXT = {".html", ".css", ".js", ".svg", ".json", ".txt"}
AUDITS = {
    "first contentful paint, s": ("first-contentful-paint", 1000, 2),
    "largest contentful paint, s": ("largest-contentful-paint", 1000, 2),
    "total blocking time, ms": ("total-blocking-time", 1, 0),
    "cumulative layout shift": ("cumulative-layout-shift", 1, 3),
    "transferred, kB": ("total-byte-weight", 1000, 0),
}


class Compressing(http.server.SimpleHTTPRequestHandler):
    """Serves the site, its texts compressed."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args, directory=str(SITE))

    def do_GET(self) -> None:
        """Answer with a file."""
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        body = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Cache-Control", "max-age=600")
        if path.suffix in TEXT:
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[str]:
    """The address of the site."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Compressing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def run(address: str) -> dict[str, Any]:
    """One run's report."""
    options = ["--quiet", "--output=json", f"--chrome-flags={CHROME}"]
    command = [*LIGHTHOUSE, address, *options]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def median(reports: list[dict[str, Any]]) -> dict[str, float]:
    """Scores out of 100, and what they come from."""
    row: dict[str, float] = {}
    for name in reports[0]["categories"]:
        scores = [report["categories"][name]["score"] for report in reports]
        row[name] = round(100 * statistics.median(scores))
    for label, (audit, unit, digits) in AUDITS.items():
        values = [report["audits"][audit]["numericValue"] for report in reports]
        row[label] = round(statistics.median(values) / unit, digits)
    indices = [report["environment"]["benchmarkIndex"] for report in reports]
    row["benchmark index"] = round(statistics.median(indices))
    return row


if __name__ == "__main__":
    table = {}
    with serving() as base:
        for page in PAGES:
            reports = [run(base + page) for _ in range(RUNS)]
            table[page] = median(reports)
            print(page, table[page], flush=True)
    record = {
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {
            "lighthouse": reports[0]["lighthouseVersion"],
            "axe-core": reports[0]["environment"]["credits"]["axe-core"],
            "browser": reports[0]["environment"]["hostUserAgent"].split("Headless")[-1],
        },
        "conditions": f"mobile, simulated slow 4G, gzip, median of {RUNS} runs",
        "pages": table,
    }
    RESULT.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", "utf-8")
