"""The page of blockscale report in a real browser: drawn, sorted, filtered, printed, dark, narrow."""

import shutil
import subprocess

import inputs
from browser import Browser
from files import write_safetensors
from harness import case, expect, expect_equal, folder, succeed

HOSTILE = "<img src=x onerror=window.hacked=1>.weight"
FORMATS = ("nvfp4", "mxfp4", "mxint4", "int8", "mxfp8_e4m3")
BLOCKS = ("8", "16", "32", "64")


def make_page(place):
    """A page of two layers and one tensor with a hostile name."""
    weights = {"enc.0.query.weight": inputs.normal((24, 64), seed=1),
               "enc.10.query.weight": inputs.normal((8, 64), seed=2),
               HOSTILE: inputs.normal((8, 64), seed=3)}
    lefts = {"enc.0.query.input": inputs.normal((20, 64), seed=4),
             "enc.10.query.input": inputs.normal((20, 64), seed=5),
             "enc.0.key.input": inputs.normal((20, 64), seed=6)}
    store, page = place / "results.sqlite", place / "report.html"
    succeed("sweep", write_safetensors(place / "w.safetensors", weights), "--activations",
            write_safetensors(place / "a.safetensors", lefts), "--format", ",".join(FORMATS),
            "--block", ",".join(BLOCKS), "--rounding", "tiesToEven,towardZero", "--store", store)
    # mxint8 at 32 alone: no curve, and a name that holds another's.
    succeed("sweep", place / "w.safetensors", "--activations", place / "a.safetensors", "--format",
            "mxint8", "--block", "axis,32", "--store", store)
    succeed("report", store, "--output", page)
    return page


# Texts of drawings that stick out of them, and pairs on one line that overlap.
BAD_LABELS = """(() => {
  const bad = [];
  for (const svg of document.querySelectorAll("svg.blockscale-plot")) {
    const frame = svg.getBoundingClientRect();
    const title = svg.getAttribute("aria-label");
    const boxes = Array.from(svg.querySelectorAll("text"), (text) => [text, text.getBoundingClientRect()]);
    boxes.forEach(([text, box], place) => {
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1
          || box.bottom > frame.bottom + 1) bad.push(title + ": cut: " + text.textContent);
      for (const [other, second] of boxes.slice(place + 1)) {
        if (text.hasAttribute("transform") || other.hasAttribute("transform")) continue;
        const wide = Math.min(box.right, second.right) - Math.max(box.left, second.left);
        const high = Math.min(box.bottom, second.bottom) - Math.max(box.top, second.top);
        if (wide > 1 && high > 4) {
          bad.push(title + ": overlap: " + text.textContent + " | " + other.textContent);
        }
      }
    });
  }
  return bad;
})()"""

# Marks of the drawings that no place of them belongs to for the pointer.
HIDDEN = """(() => {
  const hidden = [];
  for (const mark of document.querySelectorAll("svg .mark[tabindex], svg .cell")) {
    mark.scrollIntoView({block: "center"});
    const box = mark.getBoundingClientRect();
    let hits = 0;
    for (let i = 0; i < 256 && !hits; i++) {
      const found = document.elementFromPoint(
        box.left + box.width * (i % 16 + 0.5) / 16, box.top + box.height * ((i >> 4) + 0.5) / 16);
      hits += found === mark;
    }
    if (!hits) hidden.push(mark.querySelector("title").textContent);
  }
  return hidden;
})()"""

DRAWINGS = """Array.from(document.querySelectorAll("figure"), (figure) => {
  const svg = figure.querySelector("svg.blockscale-plot");
  const box = svg.getBoundingClientRect();
  return [svg.getAttribute("aria-label"), box.width, box.height,
          Array.from(svg.querySelectorAll(".mark, .cell")).filter(
            (mark) => mark.getBoundingClientRect().width > 0).length,
          Boolean(svg.querySelector("desc"))];
})"""

WIDE_CAPTIONS = """Array.from(document.querySelectorAll("caption span")).filter((caption) =>
  caption.getBoundingClientRect().right > window.innerWidth).map((one) => one.textContent)"""

CONTRASTS = """(() => {
  const style = getComputedStyle(document.documentElement);
  const channel = (x) => (x /= 255) <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
  const probe = document.createElement("span");
  document.body.append(probe);
  const light = (name) => {
    probe.style.color = "var(--" + name + ")";
    const [r, g, b] = getComputedStyle(probe).color.match(/[0-9.]+/g).map(Number).map(channel);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const found = {};
  for (const paper of ["paper", "wash"]) {
    for (const name of ["ink", "soft", "link", "good", "bad"]) {
      found[name + " on " + paper] = contrast(light(name), light(paper));
    }
  }
  probe.remove();
  return found;
})()"""


def rows_shown(page):
    return page.run("Array.from(document.querySelectorAll('#results tbody tr')).filter("
                    "(row) => row.getBoundingClientRect().height > 0).length")


def column(page, heading):
    """Place of a column of the large table."""
    names = page.run("Array.from(document.querySelectorAll('#results thead th'), (h) => h.textContent)")
    expect(heading in names, f"{heading} is not in {names}")
    return names.index(heading)


def check_drawings(page, what):
    drawings = page.run(DRAWINGS)
    expect(len(drawings) >= 8, f"{what}: {len(drawings)} drawings")
    for title, width, height, marks, described in drawings:
        expect(width > 100 and height > 100 and marks > 0 and described,
               f"{what}: {title}: {width} x {height}, {marks} marks, described: {described}")
    expect_equal(page.run(BAD_LABELS), [], f"{what}: labels")


def check_sorting(page):
    place = column(page, "NMSE")
    values = ("Array.from(document.querySelectorAll('#results tbody tr'), "
              f"(row) => Number(row.cells[{place}].dataset.v))")
    heading = f"document.querySelectorAll('#results thead th')[{place}]"
    before = page.run(values)
    expect(before != sorted(before), "sorted before any click: the test shows nothing")
    page.run(f"{heading}.querySelector('button').click()")
    expect_equal(page.run(values), sorted(before), "after one click")
    expect_equal(page.run(f"{heading}.getAttribute('aria-sort')"), "ascending", "aria-sort")
    page.run(f"{heading}.querySelector('button').focus()")
    page.press("Enter")
    expect_equal(page.run(values), sorted(before, reverse=True), "after Enter")
    expect_equal(page.run(f"{heading}.getAttribute('aria-sort')"), "descending", "aria-sort")
    expect_equal(page.run("document.querySelectorAll('#results [aria-sort]').length"), 1,
                 "headings with aria-sort")


def check_block_order(page):
    place = column(page, "block")
    shown = ("Array.from(document.querySelectorAll('#results tbody tr'), "
             f"(row) => row.cells[{place}].textContent)")
    button = f"document.querySelectorAll('#results thead th')[{place}].querySelector('button')"
    page.run(f"{button}.click()")
    up = page.run(shown)
    expect_equal(up, sorted(up, key=lambda text: float("inf") if text == "axis" else int(text)),
                 "by block")
    expect_equal(up[-1], "axis", "the last")
    page.run(f"{button}.click()")
    down = page.run(shown)
    expect_equal((down[0], down[-1]), ("64", "axis"), "the ends when falling: no number comes last")


def check_filters(page):
    # Three subjects: layers, weights, activations.
    rows = 3 * (len(FORMATS) * len(BLOCKS) + 2)
    expect_equal(rows_shown(page), rows, "rows at first")
    change = "document.getElementById('filters').dispatchEvent(new Event('input'))"
    page.run("document.querySelector('#filters input').value = 'weights mxfp4'; " + change)
    expect_equal(rows_shown(page), len(BLOCKS), "rows with two words")
    page.run("document.querySelector('#filters input').value = 'int8'; " + change)
    expect_equal(rows_shown(page), 3 * len(BLOCKS), "rows with int8, not mxint8")
    page.run("document.querySelector('#filters input').value = 'E4M3 ('; " + change)
    expect_equal(rows_shown(page), 0, "rows with a sign that patterns know")
    page.run("document.querySelector('#filters input').value = 'E4M3'; " + change)
    expect_equal(rows_shown(page), 3 * len(BLOCKS), "rows with a part of a name")
    page.run("document.querySelector('#filters input').value = ''; " + change)
    page.run("(() => { const s = document.querySelectorAll('#filters select'); s[1].value = 'int8';"
             f" s[2].value = '16'; {change} }})()")
    expect_equal(rows_shown(page), 3, "rows of one format and block")
    status = page.run("document.querySelector('#filters output').value")
    expect_equal(status, f"3 of {rows} rows", "what is announced")


def check_keyboard(page):
    marks = "document.querySelectorAll('#pareto figure [role=img].mark')"
    page.run(f"{marks}[0].focus()")
    readout = "document.querySelector('#pareto .readout').textContent"
    for place in (0, 1):
        expect_equal(page.run(f"Array.from({marks}).indexOf(document.activeElement)"), place, "focus")
        title = page.run(f"{marks}[{place}].querySelector('title').textContent")
        expect("NMSE" in title and "block" in title, title)
        expect_equal(page.run(readout), title, "what is read out")
        expect_equal(page.run(f"{marks}[{place}].getAttribute('aria-label')"), title, "the label")
        page.press("ArrowRight")


# Where the focus is among cells, and the contrasts of the two rings with the cell.
CELL = """(() => {
  const cell = document.activeElement;
  const rings = Array.from(cell.closest("figure").querySelectorAll(".ring"));
  const box = cell.getBoundingClientRect();
  const channel = (x) => (x /= 255) <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
  const light = (color) => {
    const [r, g, b] = color.match(/[0-9.]+/g).map(Number).map(channel);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const own = light(getComputedStyle(cell).fill);
  return {
    row: Number(cell.dataset.row), column: Number(cell.dataset.column), left: box.left, top: box.top,
    contrast: Math.max(...rings.map((ring) => contrast(own, light(getComputedStyle(ring).stroke)))),
    last: rings.every((ring) => ring.compareDocumentPosition(cell) & 2),
  };
})()"""


def check_cells(page):
    page.run("document.querySelector('#layers figure .cell').focus()")
    start = page.run(CELL)
    for key, row, right in (("ArrowDown", -1, 0), ("ArrowRight", 0, 1), ("ArrowUp", 1, 0),
                            ("ArrowLeft", 0, -1)):
        before = page.run(CELL)
        page.press(key)
        after = page.run(CELL)
        expect_equal((after["row"] - before["row"], after["column"] - before["column"]),
                     (row, right), f"{key}: rows and columns")
        expect((after["top"] > before["top"]) == (row < 0), f"{key}: {before} to {after}")
        expect(after["contrast"] >= 3 and after["last"], f"the ring: {after}")
    page.press("ArrowUp")
    expect_equal(page.run(CELL)["row"], start["row"], "the top row")


def check_printed(page, place):
    """No page is empty, as a drawing that does not fit leaves one before it."""
    content = page.pdf()
    expect(content.startswith(b"%PDF") and content.count(b"/Type /Page\n") != 0, "no pages")
    if not shutil.which("pdftotext"):
        return
    (place / "page.pdf").write_bytes(content)
    done = subprocess.run(["pdftotext", "-layout", place / "page.pdf", "-"], capture_output=True,
                          check=True)
    pages = done.stdout.decode().split("\f")[:-1]
    for number, text in enumerate(pages):
        expect(len(text.strip()) > 100, f"page {number + 1} of {len(pages)} is empty: {text!r}")


def check_hostile(page):
    expect_equal(page.run("document.images.length"), 0, "images")
    expect_equal(page.run("typeof window.hacked"), "undefined", "a name became a script")
    expect(page.run(f"document.body.textContent.includes({HOSTILE!r})"), "the name is not shown")
    page.run("(() => { const s = document.createElement('script'); s.textContent = 'window.hacked = 1';"
             " document.body.append(s); })()")
    expect_equal(page.run("typeof window.hacked"), "undefined", "a foreign script ran")
    page.run("fetch('http://127.0.0.1:9/').catch(() => { window.refused = 1; })")


@case()
def page_works_in_a_browser():
    with folder() as place, Browser() as browser:
        path = make_page(place)
        page = browser.open(path)
        check_drawings(page, "light")
        check_sorting(page)
        check_filters(page)
        check_block_order(page)
        check_keyboard(page)
        check_cells(page)
        expect_equal(page.run(HIDDEN), [], "marks that cannot be pointed at")
        expect_equal(page.complaints(), [], "console, log and network")
        check_hostile(page)

        dark = browser.open(path, dark=True)
        backgrounds = [one.run("getComputedStyle(document.documentElement).backgroundColor")
                       for one in (page, dark)]
        expect(backgrounds[0] != backgrounds[1], f"dark and light are both {backgrounds[0]}")
        for one, name in ((page, "light"), (dark, "dark")):
            for what, contrast in one.run(CONTRASTS).items():
                expect(contrast >= 4.5, f"{name}: {what}: contrast {contrast:.2f}")
        expect_equal(dark.complaints(), [], "console, dark")

        narrow = browser.open(path, width=360)
        expect(narrow.run("document.documentElement.scrollWidth") <= 360, "a narrow page scrolls")
        check_drawings(narrow, "narrow")
        expect_equal(narrow.run(WIDE_CAPTIONS), [], "captions beyond a narrow window")

        check_printed(page, place)
