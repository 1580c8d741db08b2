// SPDX-License-Identifier: MIT
// The explorer of the gallery: one kernel and shape, by ISA level and CPU, in several views. The
// fragment of the address holds the choice, as in #explorer=score_u8/256×3072×10/hot/1/absolute.
// scripts/downhill_gallery/explorer.py describes the data.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const [ISA, MEDIAN, LOW, HIGH, ATTAINABLE, BOUND, MARKS, OVER, CLOCK] = Array(9).keys();
  const [KERNEL, SHAPE, COLD, THREADS, FLOPS, GROUP_CLOCK, ROWS, SKIPPED] = Array(8).keys();
  const form = document.getElementById("choice");
  const table = document.getElementById("explored");
  const note = document.getElementById("explained");

  const keyOf = (kernel, shape, cold, threads) => [kernel, shape, cold, threads].join("/");
  for (const machine of data.machines) {
    machine.found = new Map();
    for (const group of machine.groups) {
      machine.found.set(keyOf(...group.slice(KERNEL, THREADS + 1)), group);
    }
  }

  // ---- values ----

  const significant = (value) => {
    if (!Number.isFinite(value)) return "∞";
    if (value >= 1e9) return `${significant(value / 1e9)} G`;
    if (value >= 1e6) return `${significant(value / 1e6)} M`;
    if (value >= 1e4) return `${significant(value / 1e3)} k`;
    return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
  };
  const rate = (group, row) => group[FLOPS] / row[MEDIAN];
  const clock = (machine, group, row) => row[CLOCK] || group[GROUP_CLOCK] || machine.clock;
  // Returns [value, ends of its interval] of the ratio to a level or library, or undefined.
  const ratio = (row, base) => {
    const over = row[OVER] || [];
    for (let i = 0; i < over.length; i += 4) if (over[i] === base) return over.slice(i + 1, i + 4);
    return undefined;
  };
  // Name -> [title, what the figures are, value of a row or undefined, format].
  const VIEWS = {
    absolute: ["operations per second", "GFLOP/s, or GOP/s on bytes", (m, g, r) => rate(g, r)],
    samples: ["samples per second", "samples per second",
      (m, g, r) => (Number(data.shapes[g[SHAPE]].split("×")[0]) * 1e9) / r[MEDIAN]],
    clock: ["operations per clock cycle",
      "operations per cycle of the clock that was measured beside the rows",
      (m, g, r) => (clock(m, g, r) ? rate(g, r) / clock(m, g, r) : undefined),
      "no clock was recorded"],
    roof: ["share of the roof", "% of the lower roof: peak of the instruction, or bandwidth",
      (m, g, r) => (r[ATTAINABLE] ? (100 * rate(g, r)) / r[ATTAINABLE] : undefined),
      "has no roof"],
    buys: ["what each feature buys", "times as fast as without the feature"],
  };

  // ---- choice ----

  const CHOICES = ["kernel", "shape", "cache", "threads", "view"];
  const selects = {};
  for (const name of CHOICES) {
    const label = document.createElement("label");
    const select = document.createElement("select");
    select.name = name;
    label.append(`${name[0].toUpperCase()}${name.slice(1)}`, select);
    form.append(label);
    selects[name] = select;
  }
  const fill = (select, values, wanted) => {
    select.replaceChildren(...values.map(([value, text]) => new Option(text, value)));
    const known = values.some(([value]) => value === wanted);
    select.value = known ? wanted : values[0]?.[0];
  };
  const plain = (values) => [...new Set(values)].map((value) => [String(value), String(value)]);
  const groups = data.machines.flatMap((machine) => machine.groups);

  // Offers only what some machine has measured, given the choices before it.
  const offer = (wanted) => {
    fill(selects.kernel, plain(data.kernels), wanted.kernel);
    const kernel = data.kernels.indexOf(selects.kernel.value);
    const ofKernel = groups.filter((group) => group[KERNEL] === kernel);
    fill(selects.shape, plain(ofKernel.map((group) => data.shapes[group[SHAPE]])), wanted.shape);
    const shape = data.shapes.indexOf(selects.shape.value);
    const ofShape = ofKernel.filter((group) => group[SHAPE] === shape);
    const caches = ofShape.map((group) => (group[COLD] ? "cold" : "hot"));
    fill(selects.cache, plain(caches), wanted.cache);
    const cold = selects.cache.value === "cold" ? 1 : 0;
    const ofCache = ofShape.filter((group) => group[COLD] === cold);
    fill(selects.threads, plain(ofCache.map((group) => group[THREADS])), wanted.threads);
    const views = Object.entries(VIEWS).map(([name, [title]]) => [name, title]);
    fill(selects.view, views, wanted.view);
  };
  const chosen = () => Object.fromEntries(CHOICES.map((name) => [name, selects[name].value]));
  const START = { kernel: "step_hinge_u8", shape: "256×3072×10", cache: "hot", threads: "1" };
  const fromAddress = () => {
    const [, text] = decodeURIComponent(location.hash).match(/^#explorer=(.*)$/) ?? [];
    if (text === undefined) return null;
    const parts = text.split("/");
    return Object.fromEntries(CHOICES.map((name, i) => [name, parts[i]]));
  };

  // ---- the table ----

  const element = (name, text, kind) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (kind) made.className = kind;
    return made;
  };
  const why = (text) => element("td", text, "why");
  const whyNoRow = (machine, group, kernel, isa) => {
    if (group?.[SKIPPED]?.[isa] !== undefined) return data.reasons[group[SKIPPED][isa]];
    if (machine.lacks[isa]) return machine.lacks[isa];
    if (!machine.kernels.includes(kernel)) {
      return `version ${machine.version} has no ${data.kernels[kernel]}`;
    }
    if (!group) return "not measured";
    return data.peers.includes(isa)
      ? "has no such kernel"
      : "not timed: no code of its own, or only the best level was";
  };
  const interval = (value, low, high, digits) =>
    low === undefined || low === null
      ? ""
      : `${digits(value * (1 + low / 1000))} to ${digits(value * (1 + high / 1000))}`;
  const cellOf = (value, range, max, marks) => {
    const cell = element("td");
    cell.append(element("b", significant(value) + (marks.includes("s") ? " †" : "")));
    if (range) cell.append(" ", element("i", range));
    const bar = element("span", undefined, "bar");
    bar.style.width = `${(100 * value) / max}%`;
    cell.append(bar);
    return cell;
  };

  // Returns [heading, class, per machine a function from the largest value to a cell, values].
  const levelLines = (found, kernel, view) => {
    const present = new Set(found.flatMap((group) => group?.[ROWS].map((row) => row[ISA]) ?? []));
    const [, , valueOf, lacking] = VIEWS[view];
    return [...data.isas.keys()].filter((isa) => present.has(isa)).map((isa) => {
      const auto = data.isas[isa].startsWith("auto_") ? "auto" : "";
      const kind = data.peers.includes(isa) ? "peer" : auto;
      const cells = data.machines.map((machine, i) => {
        const row = found[i]?.[ROWS].find((candidate) => candidate[ISA] === isa);
        if (!row) return { why: whyNoRow(machine, found[i], kernel, isa) };
        const value = valueOf(machine, found[i], row);
        if (value === undefined) return { why: lacking };
        // The ends of the interval of a time, as ends of that of a rate.
        const [low, high] = [row[HIGH], row[LOW]].map((end) =>
          end === undefined || end === null ? null : 1000 * (1 / (1 + end / 1000) - 1));
        return { value, range: interval(value, low, high, significant), marks: row[MARKS] ?? "",
          more: view === "roof" ? data.bounds[row[BOUND]] : "" };
      });
      return [data.isas[isa], kind, cells];
    });
  };
  const featureLines = (found, kernel) =>
    data.features.map(([title, level, bases, suffix], f) => {
      const cells = data.machines.map((machine, i) => {
        const rows = found[i]?.[ROWS] ?? [];
        const ofType = !suffix || (found[i] && data.kernels[found[i][KERNEL]].endsWith(suffix));
        const base = (row) => bases.find((candidate) => ratio(row, candidate));
        const row = rows.find((o) => (suffix ? ofType : o[ISA] === level) && base(o) !== undefined);
        if (!row) {
          return { why: found[i] ? machine.missing[f] : whyNoRow(machine, found[i], kernel, level) };
        }
        const [value, low, high] = ratio(row, base(row));
        const over = rows.find((o) => o[ISA] === base(row));
        return { value, range: interval(value, low, high, significant),
          marks: `${row[MARKS] ?? ""}${over?.[MARKS] ?? ""}` };
      });
      return [title, "", cells];
    }).filter(([, , cells]) => cells.some((cell) => cell.value !== undefined));

  const draw = () => {
    const { kernel, shape, cache, threads, view } = chosen();
    const k = data.kernels.indexOf(kernel);
    const key = keyOf(k, data.shapes.indexOf(shape), cache === "cold" ? 1 : 0, Number(threads));
    const found = data.machines.map((machine) => machine.found.get(key));
    const lines = view === "buys" ? featureLines(found, k) : levelLines(found, k, view);
    const values = lines.flatMap(([, , cells]) => cells.map((cell) => cell.value ?? 0));
    const max = Math.max(...values, 1e-9);
    const caption = element("caption", `${kernel} ${shape}, ${cache}, ${threads} ` +
      `thread${threads === "1" ? "" : "s"}: ${VIEWS[view][1]}, with the 95 % interval.`);
    const head = element("thead");
    const heading = element("tr");
    heading.append(element("th", view === "buys" ? "feature" : "ISA level or library"),
      ...data.machines.map((machine) => element("th", machine.title)));
    for (const cell of heading.cells) cell.scope = "col";
    head.append(heading);
    const body = element("tbody");
    for (const [title, kind, cells] of lines) {
      const line = element("tr", undefined, kind);
      const name = element("th", title);
      name.scope = "row";
      line.append(name, ...cells.map((cell) => {
        if (cell.why !== undefined) return why(cell.why);
        const range = [cell.range, cell.more].filter(Boolean).join(", ");
        return cellOf(cell.value, range, max, cell.marks);
      }));
      body.append(line);
    }
    table.replaceChildren(caption, head, body);
    const inOnePass = data.machines.filter((machine, i) => found[i] && !machine.in_passes);
    const versions = new Set(data.machines.map((machine) => machine.version));
    note.textContent = [
      lines.length ? "" : "No machine has this comparison for this kernel.",
      versions.size > 1 && view !== "buys"
        ? "The columns are of different versions of the code: they compare CPUs only roughly." : "",
      table.textContent.includes("†") ? "†: shared its core; its time is too long." : "",
      lines.length && inOnePass.length
        ? `${inOnePass.map((machine) => machine.title).join(", ")}: measured in one pass, so the ` +
          "intervals are the spread within one run." : "",
      view === "roof"
        ? "Above 100 % the ceiling or the model is wrong: such a share means nothing." : "",
    ].filter(Boolean).join(" ");
  };

  const update = (wanted) => {
    offer(wanted);
    draw();
  };
  form.addEventListener("change", () => {
    update(chosen());
    const choice = CHOICES.map((name) => selects[name].value).join("/");
    history.replaceState(null, "", `#explorer=${choice}`);
  });
  form.addEventListener("submit", (event) => event.preventDefault());

  // Opens the details that a link of the first table leads to.
  const follow = () => {
    const wanted = fromAddress();
    if (wanted) {
      update(wanted);
      document.getElementById("explorer").scrollIntoView();
      return;
    }
    if (!location.hash.startsWith("#feature-")) return;
    const details = document.getElementById(location.hash.slice(1))?.querySelector("details");
    if (details) {
      details.open = true;
      details.scrollIntoView();
    }
  };
  window.addEventListener("hashchange", follow);
  for (const o of document.querySelectorAll("p.noscript")) o.remove();
  form.hidden = table.hidden = false;
  update(START);
  follow();
})();
