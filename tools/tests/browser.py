"""A headless Chromium, driven over DevTools messages on two pipes: nothing but Python is needed."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from harness import Skipped

NAMES = ("chromium", "chromium-browser", "google-chrome")


class Browser:
    """`with Browser() as browser: page = browser.open(path)`."""

    def __init__(self, timeout=120):
        program = next(filter(None, map(shutil.which, NAMES)), None)
        if not program:
            raise Skipped("no Chromium (tools/setup browser installs it)")
        self.program, self.timeout = program, timeout

    def __enter__(self):
        self.profile = tempfile.TemporaryDirectory(prefix="blockscale-browser-")
        to_browser, self.output = os.pipe()
        self.input, from_browser = os.pipe()

        def pipes():
            # Copies out of the way first: a pipe's own end may be number 3 or 4.
            ends = os.dup(to_browser), os.dup(from_browser)
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        # No process of it may write into the terminal of the tests.
        self.process = subprocess.Popen(
            [self.program, "--headless=new", "--remote-debugging-pipe", "--no-sandbox",
             "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-extensions",
             "--disable-background-networking", f"--user-data-dir={self.profile.name}",
             "about:blank"],
            preexec_fn=pipes, close_fds=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(to_browser)
        os.close(from_browser)
        os.set_blocking(self.input, False)
        self.waiting, self.number, self.events = b"", 0, []
        return self

    def __exit__(self, *error):
        try:
            self.send("Browser.close")
            self.process.wait(20)
        except (OSError, RuntimeError, TimeoutError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.input)
        os.close(self.output)
        # Its helpers may still write for a moment.
        shutil.rmtree(self.profile.name, ignore_errors=True)
        self.profile._finalizer.detach()

    def send(self, method, session=None, **parameters):
        """Calls a method and waits for its result; events are kept."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.output, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + self.timeout
        while True:
            answer = self.receive(deadline)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def receive(self, deadline):
        while b"\0" not in self.waiting:
            if time.monotonic() > deadline:
                raise TimeoutError("the browser does not answer")
            try:
                more = os.read(self.input, 1 << 20)
            except BlockingIOError:
                time.sleep(0.005)
                continue
            if not more:
                raise RuntimeError("the browser has ended")
            self.waiting += more
        message, self.waiting = self.waiting.split(b"\0", 1)
        return json.loads(message)

    def open(self, path, width=1200, height=900, dark=False):
        return BrowserPage(self, Path(path).absolute().as_uri(), width, height, dark)


class BrowserPage:
    def __init__(self, browser, address, width, height, dark):
        self.browser = browser
        target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.send("Target.attachToTarget", targetId=target,
                                    flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.media(dark)
        self.size(width, height)
        self.send("Page.navigate", url=address)
        deadline = time.monotonic() + browser.timeout
        while self.run("document.readyState") != "complete":
            if time.monotonic() > deadline:
                raise TimeoutError(f"{address} does not load")
            time.sleep(0.05)

    def send(self, method, **parameters):
        return self.browser.send(method, self.session, **parameters)

    def media(self, dark):
        self.send("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def size(self, width, height):
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)

    def run(self, script):
        """The value of an expression."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"])[:600])
        return answer["result"].get("value")

    def press(self, key, code=None):
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=code or key,
                      windowsVirtualKeyCode={"Tab": 9, "Enter": 13, "ArrowLeft": 37, "ArrowUp": 38,
                                             "ArrowRight": 39, "ArrowDown": 40}.get(key, 0),
                      **({"text": "\r"} if key == "Enter" and kind == "keyDown" else {}))

    def complaints(self):
        """What the console, the log and the page's own errors said, and what it asked the network for."""
        self.run("1")
        found = []
        for event in self.browser.events:
            if event.get("sessionId") != self.session:
                continue
            method, what = event["method"], event["params"]
            if method == "Runtime.exceptionThrown":
                found.append(json.dumps(what)[:500])
            elif method == "Runtime.consoleAPICalled" and what["type"] in ("error", "warning"):
                found.append(json.dumps(what["args"])[:500])
            elif method == "Log.entryAdded":
                found.append(what["entry"]["text"])
            elif method == "Network.requestWillBeSent":
                address = what["request"]["url"]
                if not address.startswith(("file:", "about:", "data:")):
                    found.append(f"asks for {address}")
        return found

    def screenshot(self, path, clip=None):
        """A picture of what is in the window, or of (x, y, width, height) of the page."""
        options = {"format": "png", "captureBeyondViewport": bool(clip)}
        if clip:
            options["clip"] = dict(zip(("x", "y", "width", "height"), clip), scale=1)
        # A page behind another one is not painted.
        self.send("Page.bringToFront")
        Path(path).write_bytes(base64.b64decode(self.send("Page.captureScreenshot", **options)["data"]))

    def pdf(self):
        return base64.b64decode(self.send("Page.printToPDF", printBackground=True)["data"])
