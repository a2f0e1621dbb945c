/* The browser's side of a CodeLine; and what has to be said once in each panel. */
function render({ model, el }) {
  const code = Object.assign(document.createElement('pre'), { className: 'lv-code' });
  const copy = Object.assign(document.createElement('button'), { className: 'lv-copy' });
  el.classList.add('lv-code-line');
  el.append(code, copy);
  const texts = model.get('texts');
  copy.textContent = texts.copy;
  const write = () => { code.textContent = model.get('code'); };
  model.on('change:code', write);
  write();

  copy.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(model.get('code'));
      copy.textContent = texts.copied;
    } catch { // an insecure address, or a browser that forbids it: the reader presses the keys
      getSelection().selectAllChildren(code);
      copy.textContent = texts['not copied'];
    }
    setTimeout(() => { copy.textContent = texts.copy; }, 4000);
  });

  // a handle has no name of its own, and the words of its menu are not its number
  const name = () => {
    for (const handle of panel.querySelectorAll('.widget-slider .noUi-handle')) {
      const slider = handle.closest('.widget-slider');
      handle.setAttribute('aria-label', slider.querySelector('.widget-label').textContent);
      handle.setAttribute('aria-valuetext', slider.querySelector('.widget-readout').textContent);
    }
  };
  let panel = null;
  const grown = new ResizeObserver(() => {
    if (!panel && (panel = el.closest('.lv-panel'))) {
      grown.observe(panel); // its sliders may come after this line
      for (const event of ['focusin', 'keyup', 'pointerup']) panel.addEventListener(event, () => name());
    }
    if (panel) name();
  });
  grown.observe(el);

  // plain keys are the panel's: in Notebook 7 the arrows would fold headings, in both D D delete the cell
  const keep = event => {
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
    if (panel?.contains(event.target)) event.target.toggleAttribute('data-lm-suppress-shortcuts', plain);
  };
  addEventListener('keydown', keep, true);
  return () => {
    grown.disconnect();
    removeEventListener('keydown', keep, true);
  };
}
export default { render };
