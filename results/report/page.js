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

  // A link into something folded unfolds it.
  const unfold = () => {
    const target = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    for (let each = target?.closest("details"); each; each = each.parentElement.closest("details")) each.open = true;
    target?.scrollIntoView();
  };
  addEventListener("hashchange", unfold);
  if (location.hash) unfold();

  // Paper cannot be unfolded.
  let folded = [];
  addEventListener("beforeprint", () => {
    limit = Infinity;
    if (every.length) show();
    folded = [...document.querySelectorAll("details:not([open]):not(.histogram)")];
    for (const each of folded) each.open = true;
    for (const panel of document.querySelectorAll(".panel")) if (panel.content) draw(panel);
  });
  addEventListener("afterprint", () => {
    for (const each of folded) each.open = false;
  });
