"""A tab of Firefox, driven by what it speaks itself: WebDriver BiDi, JSON over a socket.

Playwright drives Firefoxes of its own making only, which have to be downloaded; this one is the
system's. Specification: https://w3c.github.io/webdriver-bidi
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import websocket

FIREFOX = next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)
# Whatever is not on this machine is asked of a proxy that is not there.
ALONE = """
user_pref("network.proxy.type", 1);
user_pref("network.proxy.http", "127.0.0.1");
user_pref("network.proxy.http_port", 9);
user_pref("network.proxy.ssl", "127.0.0.1");
user_pref("network.proxy.ssl_port", 9);
"""


class Tab:
    """What the tests ask of one of Playwright's tabs."""

    def __init__(self, address: str) -> None:
        self.socket = websocket.create_connection(address, timeout=120, suppress_origin=True)
        self.numbers = count(1)
        self.complaints: list[str] = []  # errors that pages raised or logged
        self.send("session.new", capabilities={})
        self.context = self.send("browsingContext.getTree")["contexts"][0]["context"]
        self.send("session.subscribe", events=["log.entryAdded"])

    def send(self, method: str, **params: Any) -> Any:
        """A command's result; what the browser tells on the way is noted."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            told = json.loads(self.socket.recv())
            if told.get("id") == number:
                assert told["type"] == "success", told
                return told["result"]
            if told["type"] == "event" and told["params"].get("level") == "error":
                self.complaints.append(told["params"]["text"])

    def goto(self, url: str) -> None:
        """Open a page, whole."""
        self.send("browsingContext.navigate", context=self.context, url=url, wait="complete")

    def evaluate(self, function: str, argument: Any = None) -> Any:
        """What a function of JavaScript, or its promise, returns."""
        call = f"(async () => JSON.stringify(await ({function})({json.dumps(argument)})))()"
        told = self.send(
            "script.evaluate", expression=call, target={"context": self.context}, awaitPromise=True
        )
        assert told["type"] == "success", told["exceptionDetails"]["text"]
        return json.loads(told["result"].get("value", "null"))

    def wait_for_selector(self, selector: str, seconds: float = 60) -> None:
        """Until an element is there."""
        end = time.monotonic() + seconds
        while not self.evaluate("(s) => !!document.querySelector(s)", selector):
            assert time.monotonic() < end, f"no {selector} after {seconds} s"
            time.sleep(0.1)


@contextmanager
def running(folder: Path) -> Iterator[Tab]:
    """Firefox with an empty profile in a folder."""
    (folder / "user.js").write_text(ALONE)
    command = [FIREFOX, "--headless", "--profile", str(folder), "--remote-debugging-port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as browser:  # type: ignore[arg-type]
        assert browser.stderr is not None
        lines = iter(browser.stderr.readline, "")
        found = next(filter(None, (re.search(r"BiDi listening on (ws://\S+)", x) for x in lines)))
        try:
            tab = Tab(found[1] + "/session")
            yield tab
            tab.socket.close()
        finally:
            browser.kill()
