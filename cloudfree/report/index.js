"use strict";

// Without this script the page shows all results; with it, also those of some names only.
document.documentElement.classList.add("scripted");

const search = document.querySelector("input[type=search]");
const cards = [...document.querySelectorAll(".card")];

function filter() {
  const wanted = search.value.trim().toLowerCase();
  for (const card of cards) card.hidden = !card.dataset.name.toLowerCase().includes(wanted);
  const shown = cards.filter((card) => !card.hidden).length;
  document.querySelector(".search [role=status]").textContent = wanted ? shown + " of " + cards.length : "";
}

if (search) {
  search.addEventListener("input", filter);
  filter();
}
