  // Latency of any point, from the merged histogram of its trials: I/Os by latency, both axes logarithmic.
  const histograms = new Map(data("histogram-data").map((each) => [each.workload, each.rows]));

  const midpoints = (row) => {
    let sum = 0;
    return row.steps_ns.map((step) => { sum += step; return sum; });
  };
  const drawHistogram = (row) => {
    const [width, height, left, right, above, below] = [640, 240, 60, 12, 12, 44];
    const bins = midpoints(row);
    const total = row.counts.reduce((sum, each) => sum + each, 0);
    // Buckets are wider the slower they are: shares of equal steps of the logarithm can be compared.
    const STEPS_A_DECADE = 20;
    const slots = new Map();
    bins.forEach((bin, place) => {
      const slot = Math.floor(Math.log10(bin) * STEPS_A_DECADE);
      slots.set(slot, (slots.get(slot) ?? 0) + row.counts[place]);
    });
    const low = Math.min(...slots.keys());
    const high = Math.max(...slots.keys()) + 1;
    const x = (slot) => left + ((slot - low) / (high - low)) * (width - left - right);
    const floor = Math.floor(Math.log10(Math.min(...slots.values()) / total));
    const y = (share) => above + (Math.log10(share) / floor) * (height - above - below);
    const slowest = duration(bins[bins.length - 1]);
    const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${row.label}, ${row.direction}: ${total} I/Os from ${duration(bins[0])} to ${slowest}` });
    for (let power = 0; power >= floor; power -= 1) {
      svg.append(make("line", { x1: left, x2: width - right, y1: y(10 ** power), y2: y(10 ** power) }));
      svg.append(make("text", { x: left - 6, y: y(10 ** power) + 3, "text-anchor": "end" }, `${Number((100 * 10 ** power).toPrecision(3))} %`));
    }
    const marks = high - low > 3 * STEPS_A_DECADE ? [1] : [1, 2, 5];
    for (let decade = Math.floor(low / STEPS_A_DECADE); decade <= Math.ceil(high / STEPS_A_DECADE); decade += 1) {
      for (const each of marks) {
        const slot = Math.log10(each * 10 ** decade) * STEPS_A_DECADE;
        if (slot < low || slot > high) continue;
        svg.append(make("line", { x1: x(slot), x2: x(slot), y1: above, y2: height - below }));
        svg.append(make("text", { x: x(slot), y: height - below + 14, "text-anchor": "middle" }, duration(each * 10 ** decade)));
      }
    }
    const base = height - below;
    for (const [slot, ios] of slots) {
      const bar = make("rect", { x: x(slot), y: y(ios / total), width: Math.max(1, x(slot + 1) - x(slot) - 0.5), height: Math.max(1, base - y(ios / total)) });
      bar.append(make("title", {}, `${duration(10 ** (slot / STEPS_A_DECADE))} to ${duration(10 ** ((slot + 1) / STEPS_A_DECADE))}: ${ios} I/Os`));
      svg.append(bar);
    }
    svg.append(make("text", { x: (left + width - right) / 2, y: height - 8, "text-anchor": "middle" }, "total latency (share of I/Os in a twentieth of a decade)"));
    return svg;
  };
  const bucketsTable = (row) => {
    const head = element("tr", {}, ...["bucket's midpoint", "I/Os", "I/Os up to here"].map((name) => element("th", { scope: "col", class: "num" }, name)));
    const total = row.counts.reduce((sum, each) => sum + each, 0);
    const body = element("tbody");
    let below = 0;
    midpoints(row).forEach((bin, place) => {
      below += row.counts[place];
      body.append(element("tr", {}, element("th", { scope: "row", class: "num" }, duration(bin)), element("td", { class: "num" }, String(row.counts[place])), element("td", { class: "num" }, `${Number(((100 * below) / total).toPrecision(5))} %`)));
    });
    return element("div", { class: "scroll seconds", role: "region", tabindex: "0", "aria-label": `Buckets of ${row.label}` }, element("table", {}, element("caption", {}, `${row.label}, ${row.direction}: every bucket that is not empty`), element("thead", {}, head), body));
  };
  for (const folded of document.querySelectorAll("details.histogram")) {
    const rows = histograms.get(folded.dataset.workload) ?? [];
    folded.hidden = rows.length === 0;
    const drawn = folded.querySelector(".drawn");
    const ready = () => {
      if (!folded.open || drawn.childElementCount) return;
      const select = element("select");
      rows.forEach((row, place) => select.add(new Option(`${row.label}, ${row.direction}`, String(place))));
      const place = element("div");
      const redraw = () => place.replaceChildren(drawHistogram(rows[Number(select.value)]), element("details", {}, element("summary", {}, "Every bucket"), bucketsTable(rows[Number(select.value)])));
      select.addEventListener("change", redraw);
      drawn.append(element("div", { class: "controls" }, element("label", {}, "Point ", select)), place);
      redraw();
    };
    folded.addEventListener("toggle", ready);
    ready();
  }
