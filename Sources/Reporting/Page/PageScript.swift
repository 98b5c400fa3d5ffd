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
      rows.sort((a, b) => (down ? -1 : 1) * compare(a[0], b[0]));
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
        const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
        let shown = 0;
        for (const row of rows) {
          const text = row.textContent.toLowerCase();
          const fits = wanted.every((word) => text.includes(word)) && choices.every(
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
      const say = (mark) => {
        const title = mark.querySelector("title");
        readout.textContent = title ? title.textContent : "";
      };
      figure.querySelector("svg").setAttribute("role", "group");
      marks.forEach((mark, place) => {
        mark.setAttribute("tabindex", place ? "-1" : "0");
        mark.setAttribute("role", "img");
        const title = mark.querySelector("title");
        if (title) mark.setAttribute("aria-label", title.textContent);
      });
      readout.textContent = "Point at a mark, or reach it with Tab and the arrow keys.";
      figure.addEventListener("mouseover", (event) => {
        const mark = event.target.closest(".mark, .cell");
        if (mark) say(mark);
      });
      figure.addEventListener("focusin", (event) => {
        const mark = event.target.closest(".mark, .cell");
        if (mark) say(mark);
      });
      figure.addEventListener("keydown", (event) => {
        const place = marks.indexOf(event.target);
        const last = marks.length - 1;
        const next = {ArrowRight: place + 1, ArrowDown: place + 1, ArrowLeft: place - 1,
          ArrowUp: place - 1, Home: 0, End: last}[event.key];
        if (place < 0 || next === undefined) return;
        event.preventDefault();
        const mark = marks[Math.min(Math.max(next, 0), last)];
        marks[place].setAttribute("tabindex", "-1");
        mark.setAttribute("tabindex", "0");
        mark.focus();
      });
    }
    })();

    """#
}
