"use strict";
(() => {
  /* A table that is wider than the window says so, and fades where it goes on, so that no cut number looks whole. */
  const mark = (box) => {
    const hidden = box.scrollWidth - box.clientWidth;
    box.classList.toggle("wide", hidden > 1);
    box.classList.toggle("more", hidden - box.scrollLeft > 1);
  };
  document.documentElement.classList.add("scripted");
  const boxes = [...document.querySelectorAll(".box")];
  const sizes = new ResizeObserver((entries) => entries.forEach((entry) => mark(entry.target)));
  for (const box of boxes) {
    box.addEventListener("scroll", () => mark(box), { passive: true });
    sizes.observe(box);
  }
})();
