/// The script of a page: sorting, filtering, and plots by keyboard. Without it the page is complete,
/// only still.
enum PageScript {
  static let text = #"""
    (function () {
    "use strict";
    document.documentElement.classList.add("js");

    function cellValue(row, place) {
      const cell = row.cells[place];
      return cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v);
    }

    function compare(a, b) {
      const numbers = (typeof a === "number") - (typeof b === "number");
      if (numbers) return -numbers;
      return typeof a === "number" ? a - b : a.localeCompare(b, "en", {numeric: true});
    }

    function sortBy(table, heading, place) {
      const down = heading.getAttribute("aria-sort") === "ascending";
      for (const other of heading.parentNode.cells) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      const body = table.tBodies[0];
      const rows = Array.from(body.rows, (row) => [cellValue(row, place), row]);
      rows.sort((a, b) => (down && typeof a[0] === typeof b[0] ? -1 : 1) * compare(a[0], b[0]));
      body.append(...rows.map((pair) => pair[1]));
    }

    for (const table of document.querySelectorAll("table.sortable")) {
      Array.from(table.tHead.rows[0].cells).forEach((heading, place) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = heading.textContent;
        heading.replaceChildren(button);
        button.addEventListener("click", () => sortBy(table, heading, place));
      });
    }

    function addFilters(form, table) {
      const rows = Array.from(table.tBodies[0].rows);
      const texts = new Map(rows.map((row) => [row,
        Array.from(row.cells, (cell) => cell.textContent).join(" ").toLowerCase()]));
      const choices = [];
      const status = form.querySelector("output");
      const words = form.querySelector("input");
      Array.from(table.tHead.rows[0].cells).forEach((heading, place) => {
        if (heading.dataset.filter === undefined) return;
        const values = Array.from(new Set(rows.map((row) => row.cells[place].textContent)));
        values.sort((a, b) => a.localeCompare(b, "en", {numeric: true}));
        const label = document.createElement("label");
        const select = document.createElement("select");
        label.append(heading.textContent, select);
        select.append(new Option("all", ""), ...values.map((value) => new Option(value, value)));
        form.insertBefore(label, status);
        choices.push([place, select]);
      });
      function apply() {
        // From the beginning of a word, so that int8 does not find mxint8.
        const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean).map((word) =>
          new RegExp("(^|[^\\p{L}\\p{N}])" + word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "u"));
        let shown = 0;
        for (const row of rows) {
          const text = texts.get(row);
          const fits = wanted.every((word) => word.test(text)) && choices.every(
            ([place, select]) => !select.value || row.cells[place].textContent === select.value);
          row.hidden = !fits;
          shown += fits ? 1 : 0;
        }
        status.value = shown + " of " + rows.length + " rows";
      }
      form.addEventListener("input", apply);
      form.addEventListener("submit", (event) => event.preventDefault());
      apply();
    }

    const filters = document.getElementById("filters");
    const results = document.getElementById("results");
    if (filters && results) addFilters(filters, results);

    for (const figure of document.querySelectorAll("figure")) {
      const readout = figure.querySelector(".readout");
      const marks = Array.from(figure.querySelectorAll("[tabindex].mark, .cell"));
      if (!readout || !marks.length) continue;
      const titleOf = (mark) => {
        const title = mark.querySelector("title");
        return title ? title.textContent.replaceAll("\n", " | ") : "";
      };
      const say = (...titles) => { readout.textContent = titles.join(" | "); };
      const svg = figure.querySelector("svg");
      svg.setAttribute("role", "group");
      const cells = new Map(marks.filter((mark) => mark.dataset.row !== undefined).map(
        (mark) => [mark.dataset.row + " " + mark.dataset.column, mark]));
      const rows = marks.map((mark) => Number(mark.dataset.row));
      const columns = marks.map((mark) => Number(mark.dataset.column));
      const mostRow = Math.max(...rows), mostColumn = Math.max(...columns);

      // The next cell that there is on the way; rows count from the bottom.
      function cellBeside(mark, down, right) {
        let row = Number(mark.dataset.row), column = Number(mark.dataset.column);
        for (;;) {
          row -= down;
          column += right;
          if (row < 0 || row > mostRow || column < 0 || column > mostColumn) return mark;
          const found = cells.get(row + " " + column);
          if (found) return found;
        }
      }

      // A white ring within a black one, above all else, shows on every colour.
      const rings = ["ring outer", "ring"].map((style) => {
        const ring = document.createElementNS(svg.namespaceURI, "rect");
        ring.setAttribute("class", style);
        return ring;
      });
      function circle(mark) {
        const box = mark.getBBox();
        rings.forEach((ring, place) => {
          const room = 3 - 2 * place;
          ring.setAttribute("x", box.x - room);
          ring.setAttribute("y", box.y - room);
          ring.setAttribute("width", box.width + 2 * room);
          ring.setAttribute("height", box.height + 2 * room);
        });
        svg.append(...rings);
      }
      marks.forEach((mark, place) => {
        mark.setAttribute("tabindex", place ? "-1" : "0");
        mark.setAttribute("role", "img");
        mark.setAttribute("aria-label", titleOf(mark));
      });
      readout.textContent = "Point at a mark, or reach it with Tab and the arrow keys.";
      figure.addEventListener("mouseover", (event) => {
        if (!event.target.closest(".mark, .cell")) return;
        const below = document.elementsFromPoint(event.clientX, event.clientY);
        say(...below.filter((mark) => mark.matches(".mark, .cell")).map(titleOf));
      });
      figure.addEventListener("focusin", (event) => {
        const mark = event.target.closest(".mark, .cell");
        if (!mark) return;
        say(titleOf(mark));
        circle(mark);
      });
      figure.addEventListener("focusout", () => rings.forEach((ring) => ring.remove()));
      figure.addEventListener("keydown", (event) => {
        const place = marks.indexOf(event.target);
        const last = marks.length - 1;
        const way = {ArrowRight: [0, 1], ArrowDown: [1, 0], ArrowLeft: [0, -1],
          ArrowUp: [-1, 0]}[event.key];
        const next = way ? place + way[0] + way[1] : {Home: 0, End: last}[event.key];
        if (place < 0 || next === undefined) return;
        event.preventDefault();
        const isCell = way && event.target.dataset.row !== undefined;
        const mark = isCell ? cellBeside(event.target, way[0], way[1])
          : marks[Math.min(Math.max(next, 0), last)];
        marks[place].setAttribute("tabindex", "-1");
        mark.setAttribute("tabindex", "0");
        mark.focus();
      });
    }
    })();

    """#
}
