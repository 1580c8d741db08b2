// SPDX-License-Identifier: MIT
// Makes tables sortable and long ones filterable, except those of class "fixed", and saves figures as
// SVG files. Without this script the tables show all rows in the order of the run.
(() => {
  // Opens all details, because they cannot be opened on paper.
  window.addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });

  const LONG = 30; // tables with more rows get a filter
  const CHOICES = 12; // columns with 2 to this many distinct values get a menu
  const SCALE = { k: 1e3, M: 1e6, G: 1e9 };
  const magnitude = (text) => {
    const [, value, unit] = text.replace(/,/g, "").match(/^(-?[\d.]+)\s*([kMG])?\b/) ?? [];
    return value === undefined ? NaN : Number(value) * (SCALE[unit] ?? 1);
  };

  const sortable = (table) => {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const sort = (column, header) => {
      const descending = header.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const numeric = header.classList.contains("n");
      const key = (row) => {
        const text = row.cells[column]?.textContent ?? "";
        return numeric ? magnitude(text) : text;
      };
      // Rows without a number (skipped, or nothing to compare with) come last in both directions.
      const missing = (value) => (numeric && Number.isNaN(value) ? 1 : 0);
      const compare = (a, b) => {
        const [x, y] = [key(a), key(b)];
        if (missing(x) || missing(y)) return missing(x) - missing(y);
        const order = numeric ? x - y : x < y ? -1 : x > y ? 1 : 0;
        return descending ? -order : order;
      };
      body.append(...[...rows].sort(compare));
    };
    [...table.tHead.rows[0].cells].forEach((header, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = header.textContent;
      button.addEventListener("click", () => sort(column, header));
      header.replaceChildren(button);
    });
  };

  const labelled = (text, input) => {
    const label = document.createElement("label");
    label.append(text, input);
    return label;
  };

  // Returns the menus of a table as [name, function from row to value, maximum number of values]:
  // one per part of the first cell, and one per text column.
  const choices = (table) => {
    const parts = (table.dataset.parts ?? "").split(",").filter(Boolean);
    const columns = [...table.tHead.rows[0].cells]
      .map((header, column) => [header, column])
      .filter(([header]) => !header.classList.contains("n"))
      .map(([header, column]) => [header.textContent, (row) => row.cells[column]?.textContent]);
    return [
      ...parts.map((name, i) => [name, (row) => row.cells[0].textContent.split("/")[i], Infinity]),
      ...columns.map((column) => [...column, CHOICES]),
    ];
  };

  const filterable = (table) => {
    const rows = [...table.tBodies[0].rows];
    if (rows.length <= LONG) return;
    const form = document.createElement("form");
    form.className = "filter";
    const words = document.createElement("input");
    words.type = "search";
    words.name = "words";
    words.placeholder = "grad avx2";
    form.append(labelled("Filter by words (all must match)", words));
    const selects = [];
    for (const [name, textOf, max] of choices(table)) {
      const found = new Set(rows.map(textOf).filter((text) => text !== undefined));
      if (found.size < 2 || found.size > max) continue;
      const select = document.createElement("select");
      select.name = name;
      select.append(new Option("all", ""), ...[...found].map((text) => new Option(text)));
      form.append(labelled(name, select));
      selects.push([textOf, select]);
    }
    const count = document.createElement("output");
    form.append(count);
    const filter = () => {
      const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        const match =
          wanted.every((word) => text.includes(word)) &&
          selects.every(([textOf, { value }]) => !value || textOf(row) === value);
        row.hidden = !match;
        shown += match;
      }
      count.value = `${shown} of ${rows.length} rows`;
    };
    for (const event of ["input", "change"]) form.addEventListener(event, filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    table.closest(".scroll").before(form);
    filter();
  };

  for (const table of document.querySelectorAll("table:not(.fixed)")) {
    filterable(table);
    sortable(table);
  }

  // Saves a figure with the current colours of the page in place of the variables of its stylesheet.
  for (const link of document.querySelectorAll("figcaption a.file")) {
    link.hidden = false;
    link.addEventListener("click", () => {
      const svg = link.closest("figure").querySelector("svg").cloneNode(true);
      const style = getComputedStyle(document.documentElement);
      const text = new XMLSerializer()
        .serializeToString(svg)
        .replace(/var\((--[\w-]+)\)/g, (_, name) => style.getPropertyValue(name).trim());
      link.href = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
    });
  }
})();
