// SPDX-License-Identifier: MIT
// Sorting and filtering of the table of all rows. Without this script the table is whole, in the
// order of the run.
(() => {
  // On paper nothing can be unfolded.
  window.addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });

  const table = document.getElementById("all");
  if (!table) return;
  const form = document.getElementById("filter");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const number = (text) => Number(text.replace(/[,×]/g, ""));

  const filter = () => {
    const words = form.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const { name, kernel, isa } = row.dataset;
      const match =
        words.every((word) => name.toLowerCase().includes(word)) &&
        (!form.kernel.value || form.kernel.value === kernel) &&
        (!form.isa.value || form.isa.value === isa);
      row.hidden = !match;
      shown += match;
    }
    form.count.value = `${shown} of ${rows.length} rows`;
  };

  const sort = (column, header) => {
    const descending = header.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const numeric = header.classList.contains("n");
    const key = (row) => {
      const text = row.cells[column]?.textContent ?? "";
      return numeric ? number(text) : text;
    };
    // Rows without a number (skipped, or nothing to compare with) stay last either way.
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
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
})();
