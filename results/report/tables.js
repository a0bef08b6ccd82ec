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
  for (const input of document.querySelectorAll("input[data-filter]")) {
    const table = input.closest(".table");
    const rows = [...table.querySelector("tbody").rows];
    const count = table.querySelector("[data-count]");
    let texts = null;
    input.addEventListener("input", () => {
      const wanted = words(input.value);
      texts ??= rows.map((row) => row.textContent.toLowerCase());
      let shown = 0;
      rows.forEach((row, place) => {
        row.hidden = !wanted.every((word) => texts[place].includes(word));
        shown += row.hidden ? 0 : 1;
      });
      count.textContent = `${shown} of ${rows.length} rows`;
    });
  }
