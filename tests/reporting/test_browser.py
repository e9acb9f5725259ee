"""The page in Chromium, opened from disk with no network, driven through its debugging pipe: no driver is installed."""

import base64
import json
import os
import re
import select
import shutil
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ganbench.reporting import write_report
from ganbench.reporting.contents import contents
from ganbench.reporting.exports import write_exports, write_text
from ganbench.reporting.frame import load
from ganbench.reporting.page import rendered
from ganbench.reporting.parts import Block, Choice, Text
from ganbench.reporting.ranking import rankings
from ganbench.store import Store

pytestmark = pytest.mark.browser

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
PATIENCE = 60.0  # seconds


class Browser:
    """A Chromium of its own, with one window at a time."""

    def __init__(self, folder: Path) -> None:
        to_browser, self._commands = os.pipe()
        self._answers, from_browser = os.pipe()
        command = [CHROMIUM, *FLAGS, f"--user-data-dir={folder}", "--remote-debugging-pipe", "about:blank"]
        redirected = f'exec "$@" 3<&{to_browser} 4>&{from_browser} >/dev/null 2>&1'
        self._process = subprocess.Popen(
            ["bash", "-c", redirected, "bash", *command],
            pass_fds=(to_browser, from_browser),
        )
        os.close(to_browser)
        os.close(from_browser)
        self._session, self._last, self._rest = "", 0, b""
        self.events: list[dict[str, Any]] = []
        self.downloads = folder / "downloads"

    def close(self) -> None:
        """End the browser."""
        try:
            self.send("Browser.close", browser=True)
        finally:
            self._process.wait(PATIENCE)
            os.close(self._commands)
            os.close(self._answers)

    def send(self, method: str, browser: bool = False, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; events that come before are kept."""
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": parameters}
        if self._session and not browser:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != self._last:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def _read(self) -> dict[str, Any]:
        until = time.monotonic() + PATIENCE
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, until - time.monotonic()))
            assert ready, "the browser does not answer"
            found = os.read(self._answers, 1 << 20)
            assert found, "the browser is gone"
            self._rest += found
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def open(
        self,
        page: Path,
        place: str = "",
        script: bool = True,
        size: tuple[int, int] = (1280, 800),
        theme: str = "light",
    ) -> None:
        """Open a page of this disk in a fresh window, and wait until it is loaded."""
        self._session = ""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.events.clear()
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")
        self.send("Emulation.setScriptExecutionDisabled", value=not script)
        self.send(
            "Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1, mobile=False
        )
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        self.send("Browser.setDownloadBehavior", True, behavior="allow", downloadPath=str(self.downloads))
        self.send("Page.navigate", url=page.as_uri() + place)
        self.wait(lambda: any(event.get("method") == "Page.loadEventFired" for event in self.events))

    def wait(self, reached: Callable[[], Any]) -> Any:
        """Wait until something is so, and return it."""
        until = time.monotonic() + PATIENCE
        while not (found := reached()):
            assert time.monotonic() < until, "it never came"
            self.send("Browser.getVersion", browser=True)
            time.sleep(0.02)
        return found

    def js(self, expression: str) -> Any:
        """Return the value of an expression in the page, as plain data."""
        found = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, userGesture=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def press(self, *keys: str) -> None:
        """Press keys, as a keyboard does."""
        codes = {
            "Tab": 9,
            "Enter": 13,
            "Escape": 27,
            " ": 32,
            "ArrowLeft": 37,
            "ArrowUp": 38,
            "ArrowRight": 39,
            "ArrowDown": 40,
        }
        for key in keys:
            text = {"Enter": "\r", " ": " "}.get(key)
            pressed = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": codes[key]}
            self.send("Input.dispatchKeyEvent", type="keyDown", **pressed, **({"text": text} if text else {}))
            self.send("Input.dispatchKeyEvent", type="keyUp", **pressed)

    def downloaded(self, name: str) -> str:
        """Wait for a file that the page saves, and return its text."""
        path = self.downloads / name
        self.wait(path.exists)
        text = path.read_text(encoding="utf-8")
        path.unlink()
        return text

    def picture(self, path: Path, whole: bool = False) -> None:
        """Save what the window shows."""
        found = self.send("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(found["data"]))

    def pdf(self) -> bytes:
        """Print the page."""
        return base64.b64decode(self.send("Page.printToPDF", printBackground=True)["data"])

    @property
    def requests(self) -> list[str]:
        """What the page asked for, apart from itself and what is inside it."""
        asked = (
            event["params"]["request"]["url"]
            for event in self.events
            if event.get("method") == "Network.requestWillBeSent"
        )
        return [url for url in asked if not url.startswith(("data:", "blob:", "file:"))]

    @property
    def complaints(self) -> list[str]:
        """Errors in the console: exceptions, refusals by the page's policy."""
        kinds = ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled")
        return [json.dumps(event["params"]) for event in self.events if event.get("method") in kinds]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    found = Browser(tmp_path_factory.mktemp("chromium"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def page(varied: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with one more block: a slider, whichever parts the others use."""
    frame, out = load(varied), tmp_path_factory.mktemp("paged")
    ranked = rankings(frame)
    held = contents(frame, ranked)
    steps = Choice("G step", tuple((f"step {n}", Text(f"what was at {n}")) for n in range(0, 1200, 200)), slider=True)
    first = replace(held.sections[0], blocks=(*held.sections[0].blocks, Block("By step", (steps,))))
    held = replace(held, sections=(first, *held.sections[1:]))
    write_exports(held, out, pdf=False)
    return write_text(out / "index.html", rendered(frame, ranked, held))


def seen(browser: Browser, selector: str) -> int:
    """Count the elements that take up room on the page."""
    return browser.js(
        f"[...document.querySelectorAll({json.dumps(selector)})].filter(e => e.getClientRects().length).length"
    )


def click(browser: Browser, selector: str) -> None:
    browser.js(f"document.querySelector({json.dumps(selector)}).click()")


def choose(browser: Browser, act: str, value: str) -> None:
    """Choose from a list of the bar."""
    found = f"document.querySelector('select[data-act={act}]')"
    browser.js(f"{found}.value = {json.dumps(value)}; {found}.dispatchEvent(new Event('input', {{bubbles: true}}))")


def test_nothing_is_asked_for_and_nothing_is_complained_of(browser: Browser, page: Path):
    for theme in ("light", "dark"):
        browser.open(page, theme=theme)
        assert seen(browser, ".bar") == 1 and browser.js("document.images.length") > 5
        assert browser.requests == [] and browser.complaints == []
    paper, ink = browser.js("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")
    assert (paper, ink) == ("rgb(20, 23, 26)", "rgb(228, 232, 236)")


def test_the_policy_of_the_page_refuses_any_other_script(browser: Browser, page: Path):
    browser.open(page)
    browser.js("document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))")
    browser.js("new Promise(go => { const i = new Image(); i.onerror = go; i.src = 'https://example.org/a.png'; })")
    assert browser.js("window.ran") is None
    assert len(browser.complaints) >= 2 and all("Content Security Policy" in told for told in browser.complaints)


def test_objectives_are_filtered_in_figures_tables_and_pictures_and_come_back(browser: Browser, page: Path):
    browser.open(page)
    places = dict(
        browser.js(
            "[...document.querySelectorAll('.chip[data-o]')].map(c => [c.innerText.split('\\n')[0], c.dataset.o])"
        )
    )
    mine, other = (f'main [data-o="{places[name]}"]' for name in ("hinge", "r3gan"))
    before = seen(browser, mine), seen(browser, other)
    assert before[0] > 20
    click(browser, f'.chip[data-o="{places["hinge"]}"] input')
    assert (seen(browser, mine), seen(browser, other)) == (0, before[1])
    told = browser.js("document.querySelector('[role=status]').textContent")
    assert told.startswith("Shown: 5 of 6 objectives.") and "still over all" in told
    click(browser, f'.chip[data-o="{places["hinge"]}"] [data-act^=only]')
    assert (seen(browser, mine), seen(browser, other)) == (before[0], 0)
    assert browser.js("location.hash") == "#?o=hinge"
    browser.js("history.back()")
    browser.wait(lambda: (seen(browser, mine), seen(browser, other)) == (0, before[1]))
    click(browser, "[data-act=reset]")
    assert (seen(browser, mine), seen(browser, other)) == before
    assert browser.js("location.hash") == ""


def test_seeds_and_datasets_are_filtered(browser: Browser, page: Path):
    browser.open(page)
    assert seen(browser, 'main [data-s="0"]') > 5
    click(browser, '.chip input[data-act=s][value="0"]')
    assert seen(browser, 'main [data-s="0"]') == 0 < seen(browser, 'main [data-s="1"]')
    everywhere = seen(browser, "section[data-d]")
    choose(browser, "d", "ring8")
    assert seen(browser, "section[data-d]") == 1 < everywhere
    assert seen(browser, ".verdicts > div") == seen(browser, "nav a[data-d]") == 1


def test_a_pointer_on_an_objective_dims_the_others(browser: Browser, page: Path):
    browser.open(page)
    faint = "[...document.querySelectorAll('main svg [data-o]')].filter(m => getComputedStyle(m).opacity === '0.2')"
    place = "(r => [r.x + r.width / 2, r.y + 5])(document.querySelector('.chip[data-o]').getBoundingClientRect())"
    before = browser.js(f"{faint}.length")
    x, y = browser.js(place)
    browser.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    browser.wait(lambda: browser.js(f"{faint}.length") > before + 10)
    assert browser.js(f"{faint}.filter(mark => mark.dataset.o === '0' && !mark.hasAttribute('opacity')).length") == 0
    browser.send("Input.dispatchMouseEvent", type="mouseMoved", x=1, y=1)
    browser.wait(lambda: browser.js(f"{faint}.length") == before)


def test_a_link_shows_the_same_to_whoever_opens_it(browser: Browser, page: Path):
    browser.open(page)
    click(browser, ".chip[data-o='0'] input")
    click(browser, '.chip input[data-act=s][value="1"]')
    for act, value in (("t", "dark"), ("v", "Precision")):
        choose(browser, act, value)
    click(browser, "#table-overview thead th:nth-child(2) button")
    click(browser, 'nav a[href="#ring8"]')
    state = """[document.querySelector('main').innerText, document.documentElement.dataset.theme,
        [...document.querySelectorAll('.option.on')].map(o => o.dataset.name), location.hash]"""
    first = browser.js(state)
    assert first[3].startswith("#ring8?") and first[1] == "dark" and "Precision" in first[2]
    browser.open(page, first[3])
    assert browser.js(state) == first
    assert abs(browser.js("document.getElementById('ring8').getBoundingClientRect().top")) < 200
    browser.open(
        page, "#ring8?o=nobody&no=%E0%A4%A&d=nowhere&v=x&s=77&t=pink&sort=no:1:up,overview:99:up&c=99:1,0:99&=&?"
    )
    assert browser.complaints == []
    assert seen(browser, "[data-act=reset]:disabled") == 1 and seen(browser, "#ring8") == 1


def test_a_hostile_name_in_the_bar_and_the_hash_is_only_a_name(browser: Browser, page: Path):
    browser.open(page)
    name = "<script>alert(1)</script>"
    assert name in browser.js("document.querySelector('.bar').textContent")
    click(browser, f'.chip button[value="{name}"]')
    assert "alert" in browser.js("location.hash") and "<" not in browser.js("location.hash")
    hashed = browser.js("location.hash")
    browser.open(page, hashed)
    assert browser.js("document.querySelectorAll('.chip[data-o] input:checked').length") == 1
    assert browser.complaints == []


def test_a_table_is_sorted_by_its_numbers_and_put_back(browser: Browser, page: Path):
    browser.open(page)
    column = "[...document.querySelectorAll('#table-overview tbody tr')].map(r => r.cells[2].textContent)"
    before = browser.js(column)
    browser.js("document.querySelector('#table-overview th:nth-child(3) button').focus()")
    found = []
    for _ in range(3):
        browser.press("Enter")
        found.append(
            (
                browser.js("document.querySelector('#table-overview th:nth-child(3)').getAttribute('aria-sort')"),
                browser.js(column),
            )
        )
    assert [way for way, _ in found] == ["ascending", "descending", None]
    assert found[2][1] == before
    scores = [[text for text in texts if text != "\u2013"] for _, texts in found]
    as_numbers = [[float(text.split()[0]) for text in texts] for texts in scores]
    assert as_numbers[0] == sorted(as_numbers[0]) and as_numbers[1] == sorted(as_numbers[0], reverse=True)
    assert all(texts[len(scores[0]) :] == ["\u2013"] * (len(before) - len(scores[0])) for _, texts in found[:2])


def test_what_is_written_sorts_as_what_it_means(browser: Browser, page: Path):
    browser.open(page)
    texts = ["1\u2009200", "\u22120.5", "< .001", ".012", "\u2013", "0.93 (3/5)", "2 min", "45 s", "every seed", "12 %"]
    table = "<table><thead><tr><th class=n></thead><tbody></tbody></table>"
    browser.js(
        f"window.made = document.createElement('div'); made.innerHTML = {json.dumps(table)}; sortable(made.firstChild)"
    )
    browser.js(
        f"for (const t of {json.dumps(texts)}) made.firstChild.tBodies[0].insertRow().insertCell().textContent = t"
    )
    browser.js("sort(made.firstChild, [...made.firstChild.tBodies[0].rows], [0, 'up'])")
    ranked = browser.js("[...made.firstChild.tBodies[0].rows].map(r => r.textContent)")
    expected = [
        "\u22120.5",
        "< .001",
        ".012",
        "0.93 (3/5)",
        "12 %",
        "45 s",
        "2 min",
        "1\u2009200",
        "every seed",
        "\u2013",
    ]
    assert ranked == expected


def test_one_option_is_seen_at_a_time_and_keys_change_it(browser: Browser, page: Path):
    browser.open(page)
    options = ".choice:has(input[type=radio]) > .option"
    shown = f"[...document.querySelector('{options}').parentElement.querySelectorAll(':scope > .option')]"
    shown += ".map(option => option.getClientRects().length)"
    assert browser.js(shown)[0] == sum(browser.js(shown)) == 1
    browser.js("document.querySelector('.choice input[type=radio]').focus()")
    browser.press("ArrowRight")
    assert browser.js(shown)[1] == sum(browser.js(shown)) == 1
    assert re.fullmatch(r"#\?c=\d+%3A1", browser.js("location.hash"))


def test_a_slider_goes_by_keys_and_tells_where_it_is(browser: Browser, page: Path):
    browser.open(page)
    choice = ".choice[data-slider] > "
    assert (
        browser.js(f"document.querySelector('{choice} .option.on').innerText") == "what was at 1000"
    )  # where training ended
    browser.js(f"document.querySelector('{choice} .pick input').focus()")
    browser.press("ArrowLeft", "ArrowLeft")
    assert browser.js(f"document.querySelector('{choice} .option.on').innerText") == "what was at 600"
    assert browser.js(f"document.querySelector('{choice} .pick input').getAttribute('aria-valuetext')") == "step 600"
    browser.open(page, browser.js("location.hash"))
    assert browser.js(f"document.querySelector('{choice} .option.on').innerText") == "what was at 600"


def test_a_figure_is_saved_as_drawn_with_its_numbers(browser: Browser, page: Path):
    browser.open(page)
    figure = browser.js("document.querySelector('.option.on figure').id")
    owners = browser.js(f"[...document.querySelectorAll('#{figure} svg [data-o]')].map(mark => mark.dataset.o)")
    kept, gone = sorted(set(owners))[:2]
    click(browser, f".chip[data-o='{gone}'] input")
    click(browser, f"#{figure} [data-act=svg]")
    text = browser.downloaded(f"{figure}.svg")
    drawn = ET.fromstring(text)
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg" and "currentColor" not in text
    assert {kept} <= {mark.get("data-o") for mark in drawn.iter()} <= {None, *owners} - {gone}
    assert "a filter of the page hid" in drawn.findtext("{http://www.w3.org/2000/svg}desc")
    click(browser, f"#{figure} [data-act=csv]")
    assert browser.downloaded(f"{figure}.csv") == (page.parent / "figures" / f"{figure}.csv").read_text()


def test_without_a_script_everything_is_there(browser: Browser, page: Path):
    browser.open(page, script=False)
    for selector in (".bar", "button", "fieldset"):
        assert document(browser, selector) == []
    options = document(browser, ".option")
    assert len(options) > 4
    for option in options:
        assert browser.send("DOM.getBoxModel", nodeId=option)["model"]["height"] > 50


def document(browser: Browser, selector: str) -> list[int]:
    """Find elements where no script can be asked."""
    root = browser.send("DOM.getDocument")["root"]["nodeId"]
    return browser.send("DOM.querySelectorAll", nodeId=root, selector=selector)["nodeIds"]


def test_it_prints(browser: Browser, page: Path):
    browser.open(page, theme="dark", size=(718, 1000))  # A4 without its margins
    printed = browser.pdf()
    assert printed.startswith(b"%PDF") and len(printed) > 50_000
    browser.send("Emulation.setEmulatedMedia", media="print")
    assert seen(browser, ".bar select") == seen(browser, ".pick") == 0
    assert browser.js("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert browser.js("document.documentElement.scrollWidth") <= 718


def test_on_paper_heads_are_repeated_and_what_is_folded_is_said_to_be(browser: Browser, page: Path):
    browser.open(page, size=(718, 1000))
    browser.send("Emulation.setEmulatedMedia", media="print")
    style = "getComputedStyle(document.querySelector({}){})"
    # Chromium repeats no head that has buttons, which it then has not.
    assert browser.js(style.format("'thead button'", "") + ".display") == "contents"
    assert browser.js(style.format("'thead'", "") + ".breakInside") == "avoid"
    assert browser.js(style.format("'h4'", "") + ".breakAfter") == "avoid"
    folded = "document.querySelector('main details:not([open]) > summary')"
    assert browser.js(f"{folded}.getClientRects().length") == 1
    assert "not printed" in browser.js(f"getComputedStyle({folded}, '::after').content")
    browser.js(f"{folded}.parentElement.open = true")
    assert seen(browser, "main details[open] > summary") == 0
    tallest = "Math.max(...[...document.querySelectorAll('figure svg')].map(e => e.getBoundingClientRect().height))"
    assert browser.js(tallest) < 800  # of the 1040 pixels of a page


@pytest.mark.parametrize("size", [(1280, 800), (390, 800)])
def test_the_longest_name_makes_no_page_wider(browser: Browser, builder: Any, tmp_path: Path, size: tuple[int, int]):
    for name in ("L" * 200, "hinge"):
        for dataset in ("ring8", "grid25"):
            builder.add(name, dataset, 0)
    browser.open(write_report(builder.write(), None, tmp_path / "report"), size=size)
    browser.js("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert browser.js("document.documentElement.scrollWidth") <= size[0]
    titles = browser.js("[...document.querySelectorAll('.chip[data-o] label')].map(label => label.title)")
    assert sorted(titles) == ["", "L" * 200]


@pytest.mark.parametrize("size", [(1280, 800), (390, 800)])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_that_keeps_anybody_out(browser: Browser, page: Path, theme: str, size: tuple[int, int]):
    axe = os.environ.get("GANBENCH_AXE", "")
    if not axe:
        pytest.skip("GANBENCH_AXE names no axe.min.js (npm install axe-core)")
    browser.open(page, theme=theme, size=size)
    browser.js(Path(axe).read_text(encoding="utf-8") + "; 0")
    opened = "document.querySelectorAll('details').forEach(d => d.open = true)"
    for before in ("0", opened, "document.querySelector('.chip[data-o] input').click()"):
        browser.js(before)
        found = browser.js(
            "axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(v => [v.id, v.help,"
            " v.nodes.slice(0, 3).map(n => n.html)]))"
        )
        assert found == []
