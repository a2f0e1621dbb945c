// A slider shows one of its film's stills. Films may lie in one another: a run within a preset.
addEventListener("input", ({ target }) => {
  if (target.parentElement?.classList.contains("film")) show(target);
});

function show(slider) {
  const stills = [...slider.parentElement.children].filter((one) => one.classList.contains("film-still"));
  stills.forEach((still, n) => (still.hidden = n !== slider.value - 1));
  const title = stills[slider.value - 1].querySelector("strong")?.textContent ?? "";
  slider.setAttribute("aria-valuetext", `${slider.value} / ${slider.max} ${title}`);
}

addEventListener("DOMContentLoaded", () => document.querySelectorAll(".film > input").forEach(show));
// what is folded is printed, too
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => (one.open = true)));
