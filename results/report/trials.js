  // A link to a trial opens what is known of it: figures, commands, states, its seconds.
  const known = data("trial-data");
  const dialog = document.getElementById("trial");
  const list = (lines) => element("pre", {}, element("code", {}, lines.join("\n")));
  const section = (title, ...content) => [element("h3", {}, title), ...content];
  const seriesOf = (id) => every.flatMap((series) => series.points.flatMap((point) => point.trials.filter((trial) => trial.id === id).map((trial) => ({ series, point, trial }))));

  const openTrial = (id) => {
    const trial = known.trials[id];
    if (!trial) return false;
    const line = (place) => known.lines[place].replaceAll("\u241E", id);
    document.getElementById("trial-h").textContent = `Trial ${id}`;
    const facts = element("dl", { class: "facts-list" });
    for (const [name, value] of [["Point", line(trial.point)], ["Block", String(trial.block)], ["Status", trial.status], ["Started", trial.started], ...trial.figures]) {
      facts.append(element("div", {}, element("dt", {}, name), element("dd", {}, value)));
    }
    const body = document.getElementById("trial-body");
    body.replaceChildren(facts);
    if (trial.why.length) body.append(...section("Why it does not count", ...trial.why.map((place) => element("p", { class: "refusal" }, line(place)))));
    if (trial.state.length) body.append(...section("The array", ...trial.state.map((place) => element("p", {}, line(place)))));
    const drawn = element("div", { class: "series" });
    for (const { series, point, trial: own } of seriesOf(id)) {
      const figure = element("figure", { class: "panel" }, element("figcaption", {}, `${series.workload}: ${series.metric}`), drawSeries(point.label, [own], series, niceTop(own.top, series.binary), lengthOf(own)));
      drawn.append(figure);
    }
    if (drawn.childElementCount) body.append(...section("Throughput over time", drawn));
    for (const [name, command] of trial.ran) body.append(...section(line(name), list([line(command)])));
    if (trial.build.length) body.append(...section("Commands that built the stack", list(trial.build.map(line))));
    dialog.showModal();
    body.scrollTop = 0;
    return true;
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-trial]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && openTrial(link.dataset.trial)) event.preventDefault();
  });
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
