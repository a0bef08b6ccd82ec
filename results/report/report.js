"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const DASHES = ["", "6 3", "2 2", "8 2 2 2"];

  // Tables: a header sorts its column, a filter keeps the rows that have all of its words.
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    [...table.tHead.rows[0].cells].forEach((header, column) => {
      header.querySelector("button").addEventListener("click", () => {
        const ascending = header.getAttribute("aria-sort") !== "ascending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
        const key = (row) => row.cells[column].dataset.key;
        const rows = [...body.rows];
        const numeric = rows.every((row) => key(row) !== "" && !Number.isNaN(Number(key(row))));
        const order = numeric ? (a, b) => Number(key(a)) - Number(key(b)) : (a, b) => key(a).localeCompare(key(b), "en", { numeric: true });
        rows.sort((a, b) => (ascending ? order(a, b) : order(b, a)));
        body.append(...rows);
      });
    });
  }
  const words = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (text, wanted) => wanted.every((word) => text.toLowerCase().includes(word));
  for (const input of document.querySelectorAll("input[data-filter]")) {
    const rows = input.closest(".table").querySelector("tbody").rows;
    input.addEventListener("input", () => {
      const wanted = words(input.value);
      for (const row of rows) row.hidden = !has(row.textContent, wanted);
    });
  }

  // Copying: the selection stays where the browser does not let a local file use the clipboard.
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.addEventListener("click", async () => {
      const code = button.closest(".commands").querySelector("code");
      getSelection().selectAllChildren(code);
      let done = false;
      try {
        await navigator.clipboard.writeText(code.textContent);
        done = true;
      } catch {
        done = document.execCommand("copy");
      }
      button.textContent = done ? "Copied" : "Selected";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  }

  // Throughput over time: one panel per point, drawn when it comes into view.
  const every = JSON.parse(document.getElementById("series-data").textContent);
  const panels = document.getElementById("series");
  const chooser = document.getElementById("series-workload");
  const filter = document.getElementById("series-filter");
  const count = document.getElementById("series-count");

  const shape = (value, binary) => {
    const step = binary ? 1024 : 1000;
    const units = binary ? ["B/s", "KiB/s", "MiB/s", "GiB/s", "TiB/s"] : ["", "k", "M"];
    let place = 0;
    if (!binary && value < 10000) return String(Number(value.toPrecision(4)));
    while (value >= step && place < units.length - 1) { value /= step; place += 1; }
    const text = value >= 100 || value === 0 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
    return binary ? `${text} ${units[place]}` : text + units[place];
  };
  const make = (name, attributes, text) => {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const niceTop = (value) => {
    if (!(value > 0)) return 1;
    const power = 10 ** Math.floor(Math.log10(value));
    return [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map((each) => each * power).find((each) => each >= value * 1.02) ?? 10 * power;
  };

  const draw = (panel) => {
    if (panel.querySelector("svg")) return;
    const { point, series, top, length } = panel.content;
    const [width, height, left, right, above, below] = [300, 130, 46, 6, 8, 18];
    const x = (place) => left + (place / length) * (width - left - right);
    const y = (value) => above + (1 - value / top) * (height - above - below);
    const known = point.trials.flatMap((trial) => trial.values).filter((value) => value !== null);
    const range = known.length ? `from ${shape(Math.min(...known), series.binary)} to ${shape(Math.max(...known), series.binary)}` : "no figures";
    const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${point.label}: ${series.metric} over ${length * series.step_s} seconds, ${point.trials.length} trials, ${range}` });
    for (const share of [0, 0.5, 1]) {
      svg.append(make("line", { x1: left, x2: width - right, y1: y(share * top), y2: y(share * top) }));
      svg.append(make("text", { x: left - 4, y: y(share * top) + 3, "text-anchor": "end" }, shape(share * top, series.binary)));
    }
    svg.append(make("text", { x: left, y: height - 5 }, "0 s"));
    svg.append(make("text", { x: width - right, y: height - 5, "text-anchor": "end" }, `${length * series.step_s} s`));
    point.trials.forEach((trial, place) => {
      let path = "";
      let pen = false;
      trial.values.forEach((value, second) => {
        if (value === null) { pen = false; return; }
        // A figure is the mean of a whole second: a step, not a point.
        path += `${pen ? "L" : "M"}${x(second).toFixed(1)} ${y(value).toFixed(1)}H${x(second + 1).toFixed(1)}`;
        pen = true;
      });
      const line = make("path", { d: path, stroke: `var(--line-${(place % 6) + 1})`, "stroke-dasharray": DASHES[place % DASHES.length] });
      line.append(make("title", {}, `trial ${trial.id}, block ${trial.block}`));
      svg.append(line);
    });
    panel.append(svg);
  };
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      draw(entry.target);
      watcher.unobserve(entry.target);
    }
  }, { rootMargin: "300px" });

  const panelOf = (point, series, top, length) => {
    const panel = document.createElement("figure");
    panel.className = "panel";
    const caption = document.createElement("figcaption");
    const name = document.createElement("span");
    name.textContent = point.label;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Larger";
    button.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-label", `Larger: ${point.label}`);
    button.addEventListener("click", () => {
      const large = panel.classList.toggle("large");
      button.setAttribute("aria-pressed", String(large));
    });
    caption.append(name, button);
    panel.append(caption);
    panel.content = { point, series, top, length };
    watcher.observe(panel);
    return panel;
  };
  const show = () => {
    watcher.disconnect();
    const series = every[Number(chooser.value)];
    const wanted = words(filter.value);
    let most = 0;
    let length = 0;
    for (const point of series.points) {
      for (const trial of point.trials) {
        length = Math.max(length, trial.values.length);
        for (const value of trial.values) most = Math.max(most, value ?? 0);
      }
    }
    const top = niceTop(most);
    const shown = series.points.filter((point) => has(point.label, wanted));
    panels.replaceChildren(...shown.map((point) => panelOf(point, series, top, length)));
    count.textContent = `${shown.length} of ${series.points.length} points, ${series.metric}`;
  };
  if (every.length) {
    every.forEach((series, place) => chooser.add(new Option(series.workload, String(place))));
    document.querySelector(".controls").hidden = false;
    chooser.addEventListener("change", show);
    filter.addEventListener("input", show);
    show();
  } else {
    panels.textContent = "The engine kept no figures per second.";
  }

  // Paper cannot be unfolded.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const each of folded) each.open = true;
    for (const panel of document.querySelectorAll(".panel")) draw(panel);
  });
  addEventListener("afterprint", () => {
    for (const each of folded) each.open = false;
  });
})();
