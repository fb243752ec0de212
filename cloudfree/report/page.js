"use strict";

// Without this script the page shows all pictures side by side; with it, also the slider.
document.documentElement.classList.add("scripted");

const KEY_STEP = 2;  // percent per press of an arrow key
const ROOM_FOR_NAME = 12;  // percent of the picture that must be visible to carry its name

function start(scene) {
  const viewer = scene.querySelector(".viewer");
  const stage = viewer.querySelector(".stage");
  const slider = stage.querySelector("input");
  const sides = ["left", "right"].map((side) => ({
    image: stage.querySelector("img." + side),
    name: stage.querySelector(".on-" + side),
    choice: viewer.querySelector("select[data-side=" + side + "]"),
  }));

  function picture(name) {
    const composite = scene.classList.contains("swir") ? "swir" : "true";
    const figures = [...scene.querySelectorAll('figure[data-name="' + name + '"]')];
    return figures.find((figure) => figure.dataset.composite === composite) || figures[0];
  }

  function show() {
    for (const side of sides) {
      const shown = picture(side.choice.value).querySelector("img");
      side.image.src = shown.src;
      side.image.alt = shown.alt;
      side.name.textContent = side.choice.selectedOptions[0].textContent;
    }
    const shown = sides.map((side) => side.choice.value);
    for (const key of viewer.querySelectorAll(".key")) key.hidden = !shown.includes(key.dataset.key);
  }

  function split(percent) {
    slider.value = Math.min(Math.max(percent, 0), 100);
    stage.style.setProperty("--split", slider.value + "%");
    const left = Math.round(slider.value);
    sides[0].name.hidden = left < ROOM_FOR_NAME;
    sides[1].name.hidden = left > 100 - ROOM_FOR_NAME;
    slider.setAttribute("aria-valuetext",
      left + " % " + sides[0].name.textContent + ", " + (100 - left) + " % " + sides[1].name.textContent);
  }

  function follow(event) {
    const box = stage.getBoundingClientRect();
    split((100 * (event.clientX - box.left)) / box.width);
  }

  stage.addEventListener("pointerdown", (event) => {
    stage.setPointerCapture(event.pointerId);
    slider.focus({ preventScroll: true, focusVisible: false });
    event.preventDefault();
    follow(event);
  });
  stage.addEventListener("pointermove", (event) => {
    if (stage.hasPointerCapture(event.pointerId)) follow(event);
  });
  slider.addEventListener("input", () => split(Number(slider.value)));
  slider.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -KEY_STEP, ArrowDown: -KEY_STEP, ArrowRight: KEY_STEP, ArrowUp: KEY_STEP }[event.key];
    if (step) { event.preventDefault(); split(Number(slider.value) + step); }
  });
  for (const side of sides) side.choice.addEventListener("change", () => { show(); split(Number(slider.value)); });

  const composite = viewer.querySelector("input[data-switch=swir]");
  if (composite) composite.addEventListener("change", () => { scene.classList.toggle("swir", composite.checked); show(); });

  const outline = viewer.querySelector("input[data-switch=outline]");
  if (outline) {
    const drawing = stage.querySelector("img.outline");
    drawing.src = picture("outline").querySelector("img").src;
    outline.addEventListener("change", () => { drawing.hidden = !outline.checked; });
  }

  const large = viewer.querySelector("button");
  large.hidden = !viewer.requestFullscreen;
  large.addEventListener("click", () => (document.fullscreenElement ? document.exitFullscreen() : viewer.requestFullscreen()));

  show();
  split(50);
}

for (const scene of document.querySelectorAll(".scene")) {
  if (scene.querySelector(".viewer")) start(scene);
}

// Paper has no triangles to click on.
window.addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
