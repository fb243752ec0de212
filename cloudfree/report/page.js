"use strict";

// Without this script the page shows all pictures side by side; with it, also the slider.
document.documentElement.classList.add("scripted");

const KEY_STEP = 2;  // percent of the slider per press of an arrow key
const KEY_MOVE = 0.15;  // of the visible part per press of Shift and an arrow key
const ZOOM_STEP = 1.5;
const LARGEST_PIXEL = 12;  // on the screen, of a pixel of the result
const ROOM_FOR_NAME = 12;  // percent of the picture that must be visible to carry its name
const BAR_REACH = 22;  // pixels beside the bar that still hold it
const SHARP = 2.5;  // a pixel of a picture that covers more of the screen is shown as a square
const BLUR = 1.25;  // a pixel of a picture may cover so many of the screen before finer ones are shown
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const clamp = (number, low, high) => Math.min(Math.max(number, low), high);

// One picture of a stage: its overview, and above it tiles of the finest level that is needed.
class Side {
  constructor(element, full) {
    this.element = element;
    this.plane = element.querySelector(".plane");
    this.overview = this.plane.querySelector("img");
    this.full = full;
    this.tiles = new Map();
    this.levels = [];
  }

  show(figure) {
    const image = figure.querySelector("img");
    const key = figure.dataset.name + "/" + (figure.dataset.composite || "");
    if (this.key === key) return;
    this.key = key;
    this.overview.src = image.src;
    if (image.alt) this.overview.alt = image.alt;
    this.overviewWidth = image.naturalWidth || this.full.width;
    this.levels = this.full.levels[key] || [];
    this.clear();
  }

  clear() {
    for (const tile of this.tiles.values()) tile.remove();
    this.tiles.clear();
  }

  // `view` has the position and the size of the whole picture on the stage, and the stage's size.
  draw(view) {
    const plane = this.plane.style;
    plane.left = view.left + "px";
    plane.top = view.top + "px";
    plane.width = view.width + "px";
    plane.height = view.height + "px";
    const level = this.levelFor(view);
    if (level !== this.level) this.clear();
    this.level = level;
    if (level) this.drawTiles(level, view);
    this.plane.classList.toggle("sharp", view.width / this.pixelsAcross() > SHARP);
  }

  pixelsAcross() {
    return this.level ? this.full.width / this.level.factor : this.overviewWidth;
  }

  levelFor(view) {
    const needed = (view.width * window.devicePixelRatio) / BLUR;
    if (this.overviewWidth >= needed) return null;
    const fine = this.levels.find((level) => this.full.width / level.factor >= needed);
    return fine || this.levels[this.levels.length - 1] || null;
  }

  drawTiles(level, view) {
    const size = this.full.tile * level.factor * (view.width / this.full.width);
    const rows = level.tiles.length / level.columns;
    const range = (start, length, count) => [
      clamp(Math.floor(-start / size), 0, count), clamp(Math.ceil((length - start) / size), 0, count),
    ];
    const [top, bottom] = range(view.top, view.stageHeight, rows);
    const [left, right] = range(view.left, view.stageWidth, level.columns);
    const visible = new Set();
    for (let row = top; row < bottom; row++) {
      for (let column = left; column < right; column++) visible.add(row * level.columns + column);
    }
    for (const [index, tile] of this.tiles) {
      if (!visible.has(index)) { tile.remove(); this.tiles.delete(index); }
    }
    for (const index of visible) {
      if (!this.tiles.has(index) && level.tiles[index]) this.tiles.set(index, this.addTile(level, index));
    }
  }

  addTile(level, index) {
    const tile = new Image();
    const step = this.full.tile * level.factor;
    const x = (index % level.columns) * step, y = Math.floor(index / level.columns) * step;
    const share = (length, whole) => (100 * length) / whole + "%";
    tile.alt = "";
    tile.decoding = "sync";
    tile.src = "data:image/" + level.kind + ";base64," + level.tiles[index];
    tile.style.left = share(x, this.full.width);
    tile.style.top = share(y, this.full.height);
    tile.style.width = share(Math.min(step, this.full.width - x), this.full.width);
    tile.style.height = share(Math.min(step, this.full.height - y), this.full.height);
    this.plane.append(tile);
    return tile;
  }
}

// The stage of one result: which pictures it shows, where the slider is, and which part is visible.
class Viewer {
  constructor(scene) {
    this.scene = scene;
    this.root = scene.querySelector(".viewer");
    this.stage = this.root.querySelector(".stage");
    this.slider = this.stage.querySelector("input");
    this.status = this.root.querySelector(".status");
    this.full = JSON.parse(scene.querySelector('script[type="application/json"]').textContent);
    this.sides = ["left", "right"].map((side) => ({
      picture: new Side(this.stage.querySelector(".side." + side), this.full),
      name: this.stage.querySelector(".on-" + side),
      choice: this.root.querySelector("select[data-side=" + side + "]"),
    }));
    this.outline = new Side(this.stage.querySelector(".side.outline"), this.full);
    this.composite = this.root.querySelector("[data-switch=composite]");
    this.outlined = this.root.querySelector("[data-switch=outline]");
    this.zoom = 1;
    this.middle = [0.5, 0.5];  // of the picture, in the middle of the stage
    this.root.style.setProperty("--aspect", this.root.dataset.aspect);
    this.listen();
    this.choose();
    this.split(50);
  }

  // Pictures.

  figure(name) {
    const figures = [...this.scene.querySelectorAll('figure[data-name="' + name + '"]')];
    const of = (composite) => figures.find((figure) => figure.dataset.composite === composite);
    return (this.composite && of(this.composite.value)) || of("true") || figures[0];
  }

  choose() {
    for (const side of this.sides) {
      side.picture.show(this.figure(side.choice.value));
      side.name.textContent = side.choice.selectedOptions[0].textContent;
    }
    const names = this.sides.map((side) => side.choice.value);
    for (const key of this.root.querySelectorAll(".key")) key.hidden = !names.includes(key.dataset.key);
    for (const figure of this.scene.querySelectorAll("figure[data-composite]")) {
      figure.hidden = figure !== this.figure(figure.dataset.name);
    }
    if (this.outlined) this.outline.show(this.figure("outline"));
    this.split(Number(this.slider.value));
    this.draw();
  }

  // The slider.

  split(percent) {
    this.slider.value = clamp(percent, 0, 100);
    this.stage.style.setProperty("--split", this.slider.value + "%");
    const left = Math.round(this.slider.value), [one, other] = this.sides;
    one.name.hidden = left < ROOM_FOR_NAME;
    other.name.hidden = left > 100 - ROOM_FOR_NAME;
    this.slider.setAttribute("aria-valuetext",
      left + " % " + one.name.textContent + ", " + (100 - left) + " % " + other.name.textContent);
  }

  // The visible part.

  view() {
    const stageWidth = this.stage.clientWidth, stageHeight = this.stage.clientHeight;
    const fit = Math.min(stageWidth / this.full.width, stageHeight / this.full.height);
    this.zoom = clamp(this.zoom, 1, Math.max(LARGEST_PIXEL / fit, 1));
    const width = this.full.width * fit * this.zoom, height = this.full.height * fit * this.zoom;
    // What is larger than the stage covers it; what is smaller lies in its middle.
    const inside = (middle, length, room) => {
      const half = Math.min(room / (2 * length), 0.5);
      return clamp(middle, half, 1 - half);
    };
    this.middle = [inside(this.middle[0], width, stageWidth), inside(this.middle[1], height, stageHeight)];
    const left = stageWidth / 2 - this.middle[0] * width, top = stageHeight / 2 - this.middle[1] * height;
    return { left, top, width, height, stageWidth, stageHeight };
  }

  draw() {
    const view = this.view();
    if (!view.stageWidth) return;
    for (const side of this.sides) side.picture.draw(view);
    if (this.outlined) this.outline.draw(view);
    this.stage.classList.toggle("zoomed", this.zoom > 1);
    this.root.querySelector("[data-zoom=out]").disabled = this.zoom === 1;
    this.root.querySelector("[data-zoom=fit]").disabled = this.zoom === 1;
    this.status.textContent = this.description(view);
  }

  description(view) {
    const zoomed = "Zoom " + this.zoom.toFixed(1) + "\u00d7";
    if (!this.full.metres) return zoomed;
    const metres = this.sides.map((side) =>
      Number(((this.full.metres * this.full.width) / side.picture.pixelsAcross()).toPrecision(3)));
    const [left, right] = this.sides.map((side) => side.name.textContent);
    return zoomed + (metres[0] === metres[1] ? ", pixels of " + metres[0] + " m"
      : ", pixels of " + metres[0] + " m (" + left + ") and " + metres[1] + " m (" + right + ")");
  }

  // Zoom by a factor; the point at (x, y) of the stage stays where it is.
  zoomAt(factor, x = this.stage.clientWidth / 2, y = this.stage.clientHeight / 2) {
    const before = this.view();
    const point = [(x - before.left) / before.width, (y - before.top) / before.height];
    this.zoom *= factor;
    const after = this.view();
    this.middle = [
      point[0] + (after.stageWidth / 2 - x) / after.width, point[1] + (after.stageHeight / 2 - y) / after.height,
    ];
    this.draw();
  }

  // Move the picture by pixels of the screen.
  move(x, y) {
    const view = this.view();
    this.middle = [this.middle[0] - x / view.width, this.middle[1] - y / view.height];
    this.draw();
  }

  fit() {
    this.zoom = 1;
    this.draw();
  }

  fillScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (this.root.requestFullscreen) this.root.requestFullscreen();
  }

  // Mouse, touch and keys.

  listen() {
    for (const side of this.sides) side.choice.addEventListener("change", () => this.choose());
    if (this.composite) this.composite.addEventListener("change", () => this.choose());
    if (this.outlined) this.outlined.addEventListener("change", () => this.switchOutline());
    const actions = {
      in: () => this.zoomAt(ZOOM_STEP), out: () => this.zoomAt(1 / ZOOM_STEP), fit: () => this.fit(),
      screen: () => this.fillScreen(),
    };
    for (const button of this.root.querySelectorAll("button")) {
      button.addEventListener("click", actions[button.dataset.zoom]);
    }
    this.root.querySelector("[data-zoom=screen]").hidden = !this.root.requestFullscreen;
    this.slider.addEventListener("input", () => this.split(Number(this.slider.value)));
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.stage.addEventListener("dblclick", (event) => this.zoomAt(2, ...this.position(event)));
    this.stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.listenToPointers();
    new ResizeObserver(() => this.draw()).observe(this.stage);
    // Sizes of pictures are known once they are decoded.
    window.addEventListener("load", () => { for (const s of this.sides) s.picture.key = null; this.choose(); });
  }

  switchOutline() {
    this.outline.element.hidden = !this.outlined.checked;
    this.draw();
  }

  position(event) {
    const box = this.stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  wheel(event) {
    if (!event.ctrlKey && !event.metaKey && !document.fullscreenElement) return;  // the page scrolls
    event.preventDefault();
    this.zoomAt(Math.exp(-event.deltaY / 300), ...this.position(event));
  }

  listenToPointers() {
    const fingers = new Map();  // id -> position
    let drags = null;
    const bar = () => (this.stage.clientWidth * Number(this.slider.value)) / 100;
    this.stage.addEventListener("pointerdown", (event) => {
      this.stage.setPointerCapture(event.pointerId);
      this.slider.focus({ preventScroll: true, focusVisible: false });
      event.preventDefault();
      const at = this.position(event);
      fingers.set(event.pointerId, at);
      drags = this.zoom === 1 || Math.abs(at[0] - bar()) < BAR_REACH ? "slider" : "picture";
      if (fingers.size > 1) drags = "picture";
      if (drags === "slider") this.split((100 * at[0]) / this.stage.clientWidth);
    });
    this.stage.addEventListener("pointermove", (event) => {
      const before = fingers.get(event.pointerId), at = this.position(event);
      if (!before) return;
      const other = [...fingers].find(([id]) => id !== event.pointerId);
      fingers.set(event.pointerId, at);
      if (other) this.pinch(before, at, other[1]);
      else if (drags === "slider") this.split((100 * at[0]) / this.stage.clientWidth);
      else this.move(at[0] - before[0], at[1] - before[1]);
    });
    for (const end of ["pointerup", "pointercancel"]) {
      this.stage.addEventListener(end, (event) => fingers.delete(event.pointerId));
    }
  }

  // One of two fingers moves.
  pinch(before, at, other) {
    const distance = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]);
    this.move((at[0] - before[0]) / 2, (at[1] - before[1]) / 2);
    if (distance(before) > 0) {
      this.zoomAt(distance(at) / distance(before), (at[0] + other[0]) / 2, (at[1] + other[1]) / 2);
    }
  }

  key(event) {
    const typing = event.target.matches("select, input[type=checkbox]") && !event.key.match(/^[+\-0]$/);
    // Up and down scroll the page, unless the slider has the focus.
    const scrolls = /^Arrow(Up|Down)$/.test(event.key) && !event.shiftKey && event.target !== this.slider;
    if (typing || scrolls || event.ctrlKey || event.metaKey || event.altKey) return;
    const action = this.actionOf(event);
    if (!action) return;
    event.preventDefault();
    action();
  }

  actionOf(event) {
    const arrow = ARROWS[event.key];
    if (arrow && event.shiftKey) {
      return () => this.move(
        -arrow[0] * KEY_MOVE * this.stage.clientWidth, -arrow[1] * KEY_MOVE * this.stage.clientHeight);
    }
    if (arrow) return () => this.split(Number(this.slider.value) + KEY_STEP * (arrow[0] - arrow[1]));
    const digit = event.code.match(/^(?:Digit|Numpad)([1-9])$/);
    if (digit) return () => this.chooseNumber(this.sides[event.shiftKey ? 0 : 1].choice, digit[1] - 1);
    return {
      "+": () => this.zoomAt(ZOOM_STEP), "=": () => this.zoomAt(ZOOM_STEP),
      "-": () => this.zoomAt(1 / ZOOM_STEP), "_": () => this.zoomAt(1 / ZOOM_STEP), "0": () => this.fit(),
      c: () => this.nextComposite(), o: () => this.outlined && this.outlined.click(), f: () => this.fillScreen(),
    }[event.key.toLowerCase()];
  }

  chooseNumber(menu, index) {
    if (index >= menu.options.length) return;
    menu.selectedIndex = index;
    this.choose();
  }

  nextComposite() {
    if (!this.composite) return;
    this.chooseNumber(this.composite, (this.composite.selectedIndex + 1) % this.composite.options.length);
  }
}

const viewers = [...document.querySelectorAll(".scene")]
  .filter((scene) => scene.querySelector(".viewer")).map((scene) => new Viewer(scene));

// On a page of one result, keys work without a click before.
document.addEventListener("keydown", (event) => {
  if (viewers.length === 1 && event.target === document.body) viewers[0].key(event);
});

// Paper has no triangles to click on.
window.addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details:not(.shortcuts)")) details.open = true;
});
