/* The browser's side of a Picture: its pixels, and what a hand does on them.

   Pictures of one panel that show the same places point at them together; they tell one another by events at the panel.
   A place is [row, column] in the pixels of the picture, whatever size it has on screen. */
const SVG = 'http://www.w3.org/2000/svg';
const MINUS = '\u2212';

const make = (tag, className, more = {}) => Object.assign(document.createElement(tag), { className, ...more });
const draw = (tag, attributes) => {
  const drawn = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) drawn.setAttribute(name, value);
  return drawn;
};
const fill = (text, values) => text.replace(/{(\w+)}/g, (_, name) => values[name]);
/* A file as an address. One made by `createObjectURL` would be asked for by way of two more processes. */
const inline = (file, type) => {
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return `data:${type};base64,${btoa(text)}`;
};
const signed = number => (number < 0 ? MINUS : '+') + Number(Math.abs(number).toPrecision(2));

/* What the colour of a pixel stands for, in words: maps are read by their scale, photos by their three colours. */
function reading([red, green, blue], model) {
  const [scale, limit, table] = ['scale', 'limit', 'table'].map(name => model.get(name));
  if (!scale) return [red, green, blue].map(part => (part / 255).toFixed(2)).join(', ');
  if (!table.length) return [red, green, blue].map(part => signed((2 * part / 255 - 1) * limit)).join(', ');
  let best = 0, least = Infinity; // the nearest colour of the scale
  table.forEach(([r, g, b], n) => {
    const away = (r - red) ** 2 + (g - green) ** 2 + (b - blue) ** 2;
    if (away < least) [best, least] = [n, away];
  });
  const share = best / (table.length - 1);
  return scale === 'magnitude' ? `${Number((share * limit).toPrecision(2))}` : signed((2 * share - 1) * limit);
}

function render({ model, el }, file) {
  const texts = model.get('texts');
  const frame = make('div', 'lv-frame', { tabIndex: 0 });
  const picture = make('img', 'lv-picture', { draggable: false });
  const over = make('img', 'lv-over', { hidden: true, alt: '' });
  const marks = draw('svg', { class: 'lv-marks', 'aria-hidden': true });
  const said = make('output', 'lv-reading', { hidden: true });
  const tools = make('div', 'lv-tools');
  const mixer = make('div', 'lv-mixer', { hidden: true });
  el.classList.add('lv-picture-view');
  frame.append(picture, over, marks, said, tools, mixer);
  el.append(frame);
  frame.setAttribute('role', 'group');
  frame.setAttribute('aria-keyshortcuts', 'E S O');

  const panel = () => el.closest('.lv-panel');
  let pixels = null, hovered = null;
  let stroke = null; // places as shares of height and width, drawn here until the kernel's picture has them

  let known = [0, 0]; // while the next picture is read, the image has no size: a hand must not wait for that
  const size = () => {
    if (picture.naturalWidth) known = [picture.naturalHeight, picture.naturalWidth];
    return known;
  };
  const show = () => {
    if (!file().byteLength) return; // it is on its way
    picture.src = inline(file(), `image/${model.get('format')}`); // the last one stays until this one is there: nothing flickers
    picture.classList.toggle('lv-exact', model.get('exact'));
    pixels = null;
    answered();
    picture.decode().catch(() => {}).then(() => { // a newer one may have come
      settle();
      mark();
      if (hovered) say(hovered);
      panel()?.dispatchEvent(new CustomEvent('lv-shown', { detail: picture }));
    });
  };
  const words = () => {
    picture.alt = model.get('alt');
    const keys = model.get('brush').length ? texts['brush keys'] : model.get('grid').length ? texts.keys : '';
    frame.setAttribute('aria-label', `${model.get('alt')} ${keys}`);
    frame.classList.toggle('lv-painted', model.get('brush').length > 0);
    frame.classList.toggle('lv-chosen-from', model.get('grid').length > 0);
  };
  const room = () => el.style.setProperty('--side', `${model.get('side')}px`);

  /* --- marks: boxes, and the crosshair --- */
  const mark = () => {
    const [height, width] = size();
    if (!width) return;
    marks.setAttribute('viewBox', `0 0 ${width} ${height}`);
    marks.replaceChildren();
    for (const [top, left, bottom, right] of model.get('boxes')) {
      const box = { x: left, y: top, width: right - left, height: bottom - top };
      marks.append(draw('rect', { ...box, class: 'lv-box-rim' }), draw('rect', { ...box, class: 'lv-box' }));
    }
    if (stroke) marks.append(draw('polyline', {
      points: stroke.map(([y, x]) => `${x * width},${y * height}`).join(' '), class: 'lv-stroke',
      style: `stroke: ${model.get('brush')[1]}; stroke-width: ${model.get('brush')[0] * Math.min(width, height)}`,
    }));
    const place = hovered ?? (model.get('pointed') ? model.get('place') : []);
    if (place.length) {
      const [y, x] = [place[0] + 0.5, place[1] + 0.5];
      const gap = Math.max(width, height) / 40;
      for (const layer of ['lv-cross-rim', 'lv-cross']) {
        const lines = [[0, y, x - gap, y], [x + gap, y, width, y], [x, 0, x, y - gap], [x, y + gap, x, height]];
        for (const [x1, y1, x2, y2] of lines) marks.append(draw('line', { x1, y1, x2, y2, class: layer }));
      }
    }
  };

  /* --- reading: what is under the pointer, from the pixels that are here --- */
  const say = place => {
    const [height, width] = size();
    if (!width || !place) { said.hidden = true; return; }
    if (!pixels) {
      const canvas = make('canvas', '', { width, height });
      const context = canvas.getContext('2d', { willReadFrequently: true });
      context.drawImage(picture, 0, 0);
      pixels = context.getImageData(0, 0, width, height).data;
    }
    const [row, column] = place.map(Math.floor);
    const at = 4 * (row * width + column);
    said.hidden = false;
    said.textContent = fill(texts.reading, { row, column, value: reading([...pixels.subarray(at, at + 3)], model) });
  };
  const at = event => { // the place under the pointer; the picture is as large as fits into its frame
    const [height, width] = size();
    const box = picture.getBoundingClientRect();
    const scale = Math.min(box.width / width, box.height / height);
    const x = (event.clientX - box.left - (box.width - scale * width) / 2) / scale;
    const y = (event.clientY - box.top - (box.height - scale * height) / 2) / scale;
    return x >= 0 && y >= 0 && x < width && y < height ? [y, x] : null;
  };
  const point = place => { // here, and in the pictures beside that show the same places
    if (!model.get('pointed')) return;
    panel()?.dispatchEvent(new CustomEvent('lv-point', { detail: place && place.map((part, n) => part / size()[n]) }));
  };
  const pointed = event => {
    if (!model.get('pointed')) return;
    hovered = event.detail && event.detail.map((part, n) => Math.floor(part * size()[n]));
    mark();
    say(hovered);
  };
  frame.addEventListener('pointermove', event => {
    if (event.buttons && !over.hidden) return wipe(event);
    const place = at(event);
    if (painting) return paint(place);
    if (event.buttons && dragged && place) choose(...cell(place));
    point(place);
  });
  frame.addEventListener('pointerleave', () => point(null));

  /* --- painting: the last strokes go to the kernel, whole; the next message when it has answered the last one --- */
  const last = []; // strokes, each [when it was begun, its places]
  let painting = false, waits = false, owed = false, late = 0;
  const send = () => {
    if (waits) return owed = true;
    waits = true;
    late = setTimeout(() => { answered(); settle(); }, 1000); // the picture may stay the same
    model.set('strokes', last.map(([number, places]) => [number, [...places]]));
    model.save_changes();
  };
  const settle = () => { // what was painted is in the picture, and the hand has let go
    if (painting || waits || !stroke) return;
    stroke = null;
    mark();
  };
  const answered = () => {
    clearTimeout(late);
    waits = false;
    if (!owed) return;
    owed = false;
    send();
  };
  const keep = places => {
    last.push([Math.max(Date.now(), 1 + (last.at(-1)?.[0] ?? 0)), places]); // no two numbers are one
    last.splice(0, last.length - 20);
  };
  const paint = place => {
    if (!place) return;
    const next = place.map((part, n) => Math.round(1000 * part / size()[n]) / 1000);
    const end = stroke.at(-1);
    if (end && Math.hypot(next[0] - end[0], next[1] - end[1]) < model.get('brush')[0] / 4) return;
    stroke.push(next);
    mark();
    send();
  };
  const begin = place => {
    keep(stroke = []);
    paint(place);
  };
  const takeBack = () => {
    stroke = null;
    keep([]);
    send();
  };
  let cursor = null; // of the keyboard, in pixels
  const moveBrush = (rows, columns) => {
    const far = Math.max(1, model.get('brush')[0] * Math.min(...size()) / 2);
    const from = cursor ?? size().map(part => part / 2);
    cursor = [rows, columns].map((step, n) => Math.max(0, Math.min(size()[n] - 1, from[n] + far * step)));
    point(cursor);
  };

  /* --- choosing a place: a click, a drag, or the arrow keys, one step of the grid --- */
  let dragged = false;
  const onPicture = event => [picture, frame].includes(event.target) && over.hidden && event.button === 0;
  frame.addEventListener('pointerdown', event => {
    if (!onPicture(event) || !at(event)) return;
    painting = model.get('brush').length > 0;
    dragged = !painting && model.get('grid').length > 0;
    if (!painting && !dragged) return;
    frame.setPointerCapture(event.pointerId);
    event.preventDefault(); // no dragging of the image's file
    frame.focus();
    if (painting) {
      point(null); // nothing is read meanwhile
      begin(at(event));
    }
  });
  for (const end of ['pointerup', 'pointercancel']) frame.addEventListener(end, () => {
    painting = dragged = false;
    settle();
  });
  const choose = (row, column) => {
    const [rows, columns] = model.get('grid');
    const clip = (value, end) => Math.max(0, Math.min(end - 1, value));
    model.set('chosen', [clip(row, rows), clip(column, columns), Date.now()]); // the time: the same place again is news
    model.save_changes();
  };
  const cell = ([y, x]) => {
    const [rows, columns] = model.get('grid'), [height, width] = size();
    return [Math.floor(y / height * rows), Math.floor(x / width * columns)];
  };
  frame.addEventListener('click', event => {
    const place = onPicture(event) && at(event);
    if (place && model.get('grid').length) choose(...cell(place));
  });
  const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  frame.addEventListener('keydown', event => {
    if (event.target !== frame || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const paints = model.get('brush').length > 0;
    const dab = () => begin(cursor ?? size().map(part => part / 2));
    const done = { e: enlarge, s: save, o: compare, ...(paints && { z: takeBack, ' ': dab, Enter: dab }) }[key];
    const step = (paints || model.get('grid').length) && ARROWS[key];
    if (!done && !step) return;
    event.preventDefault();
    event.stopPropagation();
    if (done) return done();
    if (paints) return moveBrush(...step);
    const stands = model.get('place');
    const [row, column] = cell(stands.length ? stands : size().map(part => part / 2));
    choose(row + step[0], column + step[1]);
  });

  /* --- as large as the window; the picture's file --- */
  const enlarge = () => {
    if (frame.matches('[popover]')) return frame.hidePopover();
    frame.setAttribute('popover', 'auto'); // above everything, and Escape or a click beside it ends it
    frame.showPopover();
    frame.focus();
  };
  frame.addEventListener('toggle', event => {
    if (event.newState === 'closed') frame.removeAttribute('popover');
  });
  frame.addEventListener('dblclick', event => {
    if ([picture, over, frame].includes(event.target) && !model.get('brush').length) enlarge();
  });
  const save = () => {
    const [height, width] = size();
    const canvas = make('canvas', '', { width, height });
    canvas.getContext('2d').drawImage(picture, 0, 0);
    canvas.toBlob(file => {
      const link = make('a', '', { href: URL.createObjectURL(file), download: `${model.get('name')}.png` });
      link.click();
      URL.revokeObjectURL(link.href);
    }, 'image/png');
  };

  /* --- another picture of the panel over this one: a wipe, or a blend --- */
  const slider = make('input', '', { type: 'range', min: 0, max: 100, value: 50 });
  const blending = make('input', '', { type: 'checkbox' });
  const label = make('label', '');
  label.append(blending, texts.blend);
  slider.setAttribute('aria-label', texts.wipe);
  mixer.append(slider, label);
  let other = null;
  const mix = () => {
    over.style.clipPath = blending.checked ? '' : `inset(0 0 0 ${slider.value}%)`;
    over.style.opacity = blending.checked ? slider.value / 100 : '';
  };
  const wipe = event => {
    const box = frame.getBoundingClientRect();
    slider.value = 100 * (event.clientX - box.left) / box.width;
    mix();
  };
  const compare = () => { // the next of the others; after the last, none
    const others = [...panel().querySelectorAll('.lv-picture')].filter(one => one !== picture && one.naturalWidth);
    other = others[others.indexOf(other) + 1] ?? null;
    over.hidden = mixer.hidden = !other;
    if (other) over.src = other.src;
    over.alt = other ? other.alt : '';
    over.classList.toggle('lv-exact', Boolean(other?.classList.contains('lv-exact')));
    mix();
  };
  slider.addEventListener('input', mix);
  blending.addEventListener('change', mix);
  const shown = event => { if (event.detail === other) over.src = other.src; };

  for (const [name, sign, done] of [['enlarge', '⤢', enlarge], ['save', '↧', save], ['compare', '◧', compare]]) {
    const button = make('button', '', { textContent: sign, title: texts[name], tabIndex: -1 }); // by key: E, S, O
    button.setAttribute('aria-label', texts[name]);
    button.addEventListener('click', done);
    tools.append(button);
  }

  model.on('change:value msg:custom', show);
  model.on('change:alt change:grid change:brush', words);
  model.on('change:side', room);
  model.on('change:boxes change:place', mark);
  show();
  words();
  room();

  // its panel is there once it has a size
  const heard = { 'lv-point': pointed, 'lv-shown': shown };
  let there = null;
  const placed = new ResizeObserver(() => {
    if (there || !(there = panel())) return;
    for (const [name, done] of Object.entries(heard)) there.addEventListener(name, done);
  });
  placed.observe(el);
  return () => {
    placed.disconnect();
    for (const [name, done] of Object.entries(heard)) there?.removeEventListener(name, done);
  };
}
export default () => {
  let sent = new DataView(new ArrayBuffer(0)); // the newest picture that came by a message
  return {
    initialize({ model }) {
      model.on('msg:custom', (_, [file]) => sent = file);
      if (!model.get('value').byteLength) model.send('file');
    },
    render: given => render(given, () => given.model.get('value').byteLength ? given.model.get('value') : sent),
  };
};
