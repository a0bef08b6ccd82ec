  // Throughput over time: one panel per point, drawn when it comes into view.
  const every = data("series-data");
  const panels = document.getElementById("series");
  const chooser = document.getElementById("series-workload");
  const filter = document.getElementById("series-filter");
  const count = document.getElementById("series-count");
  const more = document.getElementById("series-more");
  const FIRST = 24;
  let limit = FIRST;

  const drawSeries = (label, trials, series, top, length) => {
    const [width, height, left, right, above, below] = [300, 130, series.binary ? 60 : 46, 6, 8, 18];
    const x = (place) => left + (place / length) * (width - left - right);
    const y = (value) => above + (1 - value / top) * (height - above - below);
    let [least, most] = [Infinity, -Infinity];
    for (const trial of trials) {
      for (const value of unpack(trial)) {
        if (value === null) continue;
        least = Math.min(least, value);
        most = Math.max(most, value);
      }
    }
    const range = most >= least ? `from ${shape(least, series.binary)} to ${shape(most, series.binary)}` : "no figures";
    const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${label}: ${series.metric} over ${length * series.step_s} seconds, ${trials.length} trials, ${range}` });
    for (const share of [0, 0.5, 1]) {
      svg.append(make("line", { x1: left, x2: width - right, y1: y(share * top), y2: y(share * top) }));
      svg.append(make("text", { x: left - 4, y: y(share * top) + 3, "text-anchor": "end" }, shape(share * top, series.binary)));
    }
    svg.append(make("text", { x: left, y: height - 5 }, "0 s"));
    svg.append(make("text", { x: width - right, y: height - 5, "text-anchor": "end" }, `${length * series.step_s} s`));
    trials.forEach((trial, place) => {
      const path = [];
      let pen = false;
      unpack(trial).forEach((value, second) => {
        if (value === null) { pen = false; return; }
        // A figure is the mean of a whole second: a step, not a point.
        path.push(`${pen ? "L" : "M"}${x(second).toFixed(1)} ${y(value).toFixed(1)}H${x(second + 1).toFixed(1)}`);
        pen = true;
      });
      const line = make("path", { d: path.join(""), stroke: `var(--line-${(place % 6) + 1})`, "stroke-dasharray": DASHES[place % DASHES.length] });
      line.append(make("title", {}, `trial ${trial.id}, block ${trial.block}`));
      svg.append(line);
    });
    return svg;
  };
  const draw = (panel) => {
    if (panel.querySelector("svg")) return;
    const { point, series, top, length } = panel.content;
    panel.append(drawSeries(point.label, point.trials, series, top, length));
  };
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      draw(entry.target);
      watcher.unobserve(entry.target);
    }
  }, { rootMargin: "300px" });

  // The same figures as a table: a row a second, a column a trial.
  const secondsTable = (label, trials, series) => {
    const length = Math.max(...trials.map((trial) => unpack(trial).length));
    const head = element("tr", {}, element("th", { scope: "col", class: "num" }, "second"));
    for (const trial of trials) {
      const link = element("a", { href: `#trial-${trial.id}`, "data-trial": trial.id, "aria-label": `trial of block ${trial.block}: ${trial.id}` }, `block ${trial.block}`);
      head.append(element("th", { scope: "col", class: "num" }, link));
    }
    const body = element("tbody");
    for (let second = 0; second < length; second += 1) {
      const row = element("tr", {}, element("th", { scope: "row", class: "num" }, String(second * series.step_s)));
      for (const trial of trials) {
        const value = unpack(trial)[second] ?? null;
        row.append(element("td", { class: "num" }, value === null ? "" : shape(value, series.binary)));
      }
      body.append(row);
    }
    const caption = element("caption", {}, `${label}: ${series.metric}${series.step_s > 1 ? `, means of ${series.step_s} s` : " of every second"}`);
    return element("div", { class: "scroll seconds", role: "region", tabindex: "0", "aria-label": `Seconds of ${label}` }, element("table", {}, caption, element("thead", {}, head), body));
  };
  const pressed = (text, label, act) => {
    const button = element("button", { type: "button", "aria-pressed": "false", "aria-label": `${text}: ${label}` }, text);
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      act(on);
    });
    return button;
  };
  const panelOf = (point, series, top, length) => {
    const panel = element("figure", { class: "panel" });
    const larger = pressed("Larger", point.label, (on) => panel.classList.toggle("large", on));
    const table = pressed("Table", point.label, (on) => {
      panel.querySelector(".seconds")?.remove();
      if (on) panel.append(secondsTable(point.label, point.trials, series));
    });
    panel.append(element("figcaption", {}, element("span", {}, point.label), element("span", { class: "buttons" }, larger, table)));
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
        length = Math.max(length, lengthOf(trial));
        most = Math.max(most, trial.top);
      }
    }
    const top = niceTop(most, series.binary);
    const found = series.points.filter((point) => has(point.label, wanted));
    const shown = found.slice(0, limit);
    panels.replaceChildren(...shown.map((point) => panelOf(point, series, top, length)));
    more.hidden = shown.length === found.length;
    count.textContent = `${shown.length} of ${series.points.length} points, ${series.metric}`;
  };
  if (every.length) {
    every.forEach((series, place) => chooser.add(new Option(series.workload, String(place))));
    document.querySelector(".controls").hidden = false;
    chooser.addEventListener("change", () => { limit = FIRST; show(); });
    filter.addEventListener("input", () => { limit = FIRST; show(); });
    more.querySelector("button").addEventListener("click", () => {
      const before = limit;
      limit += FIRST * 2;
      show();
      panels.children[before]?.querySelector("button")?.focus();
    });
    show();
  } else {
    panels.textContent = "The engine kept no figures per second.";
  }
