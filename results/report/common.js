  // What the parts below share.
  const SVG = "http://www.w3.org/2000/svg";
  const DASHES = ["", "6 3", "2 2", "8 2 2 2"];
  const words = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (text, wanted) => wanted.every((word) => text.toLowerCase().includes(word));
  const data = (id) => JSON.parse(document.getElementById(id).textContent);

  const make = (name, attributes, text) => {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const element = (name, attributes = {}, ...content) => {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...content);
    return node;
  };

  // A figure as people read it: three or four significant digits.
  const shape = (value, binary) => {
    const step = binary ? 1024 : 1000;
    const units = binary ? ["B/s", "KiB/s", "MiB/s", "GiB/s", "TiB/s"] : ["", "k", "M"];
    let place = 0;
    if (!binary && value < 10000) return String(Number(value.toPrecision(4)));
    while (value >= step && place < units.length - 1) { value /= step; place += 1; }
    const text = value >= 100 || value === 0 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
    return binary ? `${text} ${units[place]}` : text + units[place];
  };
  const duration = (ns) => {
    for (const [scale, unit] of [[1e9, "s"], [1e6, "ms"], [1e3, "µs"]]) {
      if (ns >= scale) return `${Number((ns / scale).toPrecision(3))} ${unit}`;
    }
    return `${ns} ns`;
  };
  // The end of an axis: a round number of the unit that it is written in.
  const niceTop = (value, binary) => {
    if (!(value > 0)) return 1;
    const unit = binary ? 1024 ** Math.floor(Math.log(value) / Math.log(1024)) : 1;
    const power = 10 ** Math.floor(Math.log10(value / unit));
    const steps = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12];
    return steps.map((each) => each * power * unit).find((each) => each >= value * 1.02) ?? 15 * power * unit;
  };

  // Seconds are shares of the trial's largest, 16 bits little-endian in base64; 65535 was not measured.
  const unpack = (trial) => {
    if (!trial.figures) {
      const bytes = Uint8Array.from(atob(trial.values), (each) => each.charCodeAt(0));
      const view = new DataView(bytes.buffer);
      trial.figures = Array.from({ length: bytes.length / 2 }, (_, place) => {
        const share = view.getUint16(2 * place, true);
        return share === 65535 ? null : (trial.top * share) / 65534;
      });
    }
    return trial.figures;
  };
  const lengthOf = (trial) => Math.floor((trial.values.length * 3) / 8 - (trial.values.endsWith("==") ? 1 : trial.values.endsWith("=") ? 0.5 : 0));
