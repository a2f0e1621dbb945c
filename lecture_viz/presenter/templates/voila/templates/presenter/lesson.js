/* One lesson in its frame: one panel at a time, as large as fits, played by keys, the first while the cells of the others
   still run. The hall around it does the rest. */
(() => {
  const tell = message => window.parent.postMessage(message, window.location.origin);
  const cells = {{ nb.metadata.panels }}; // that show a panel each, by Voilà's count
  let panels = [], screen = 0, onScreen = false, walking = false;
  let awaited = null; // the stop that is to be shown once its panel is there

  let fitted = 0; // the height it was fitted to
  const grown = new ResizeObserver(([{ target }]) => Math.abs(target.offsetHeight - fitted) > 2 && fit());

  function fit() {
    const panel = panels[screen];
    if (!panel) return;
    grown.disconnect();
    panel.style.zoom = 1;
    panel.style.marginLeft = 0;
    panel.style.width = panel.querySelector('.lv-row') ? '1240px' : 'max-content';
    const { width, height } = panel.getBoundingClientRect();
    const zoom = Math.min((innerWidth - 40) / width, (innerHeight - 30) / height);
    panel.style.zoom = Math.min(2.5, Math.max(0.7, zoom));
    panel.style.marginLeft = `${Math.max(0, (innerWidth - 40) / panel.style.zoom - width) / 2}px`;
    fitted = panel.offsetHeight;
    grown.observe(panel); // pictures come later than their places
  }

  function show(number) {
    screen = number;
    panels.forEach((panel, n) => panel.closest('.jp-CodeCell').classList.toggle('shown', n === number));
    document.body.classList.remove('notes');
    scrollTo(0, 0);
    fit();
    if (!onScreen) return; // a lesson that is warming up must not take the keyboard
    (panels[screen].querySelector('.noUi-handle') || panels[screen].querySelector('input, select, button'))?.focus();
  }

  function turn(by) {
    const next = (awaited?.panel ?? screen) + by;
    if (next in cells && !walking) visit({ panel: next });
    else tell({ turn: by });
  }

  function preset(number) {
    const panel = panels[screen], button = panel.querySelectorAll('.lv-presets button')[number];
    if (!button) return;
    if (button.classList.contains('mod-active')) panel.querySelector('.lv-start')?.click();
    else button.click();
  }

  /* a panel, and a preset of it unless it stands there already */
  function visit({ panel, preset }) {
    const number = Math.min(panel, cells.length - 1); // what is behind a cell that failed will not come
    awaited = panels[number] ? null : { panel, preset };
    document.body.classList.toggle('awaiting', Boolean(awaited));
    if (awaited) return;
    if (screen !== number) show(number);
    const button = panels[screen].querySelectorAll('.lv-presets button')[preset];
    if (button && !button.classList.contains('mod-active')) button.click();
  }

  function startOrStop() {
    const panel = panels[screen];
    const wish = panel.classList.contains('lv-running') ? 'stop' : panel.classList.contains('lv-stopped') ? 'resume' : 'start';
    panel.querySelector(`.lv-${wish}`)?.click();
  }

  const keys = {
    PageDown: () => turn(1),
    PageUp: () => turn(-1),
    ' ': startOrStop,
    p: () => panels[screen].querySelector('.lv-camera')?.click(),
    q: () => panels[screen].querySelector('.lv-predict')?.click(),
    n: () => document.body.classList.toggle('notes'),
    c: () => { document.body.classList.toggle('bare'); fit(); },
    d: () => tell({ theme: true }),
    f: () => tell({ fullscreen: true }),
    r: () => tell({ route: true }),
    h: () => tell({ help: true }),
    '?': () => tell({ help: true }),
  };
  for (let n = 1; n <= 9; n++) keys[n] = () => preset(n - 1);

  /* while a question stands, letters answer it */
  function actionOf(key) {
    const answer = panels[screen]?.querySelectorAll('.lv-asking .lv-answers button')['abcd'.indexOf(key)];
    return answer ? () => answer.click() : keys[key];
  }

  addEventListener('keydown', event => {
    const typing = event.target.matches('input:not([type=checkbox]), select, textarea, [contenteditable=true]');
    const action = actionOf(event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (!action || event.ctrlKey || event.metaKey || event.altKey || (typing && !event.key.startsWith('Page'))) return;
    if (event.key === ' ' && event.target.matches('input[type=checkbox], summary, a, .lv-painted')) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }, true);
  /* a button in focus would be pressed by the same space again */
  addEventListener('keyup', event => event.key === ' ' && event.target.matches('button') && event.preventDefault(), true);

  addEventListener('message', event => {
    if (event.origin !== window.location.origin) return;
    if ('dark' in event.data) document.body.classList.toggle('dark', event.data.dark);
    if (event.data.language) document.documentElement.lang = event.data.language;
    if ('walking' in event.data) walking = event.data.walking;
    if (event.data.shown) { onScreen = true; show(screen); window.focus(); }
    if (event.data.from === 'behind') visit({ panel: cells.length - 1 });
    if (event.data.stop) visit(event.data.stop);
    actionOf(event.data.key)?.();
  });
  addEventListener('resize', fit);
  new ResizeObserver(() => innerWidth && fit()).observe(document.documentElement);

  document.getElementById('rendered_cells').setAttribute('role', 'main');
  document.querySelectorAll('a[href$=".ipynb"]').forEach(link => link.removeAttribute('href'));
  document.body.classList.add('computing');

  function arrived(panel) {
    panels.push(panel);
    if (panels.length > 1) return awaited && visit(awaited);
    show(0);
    tell({ ready: true });
  }

  const wait = setInterval(() => {
    const next = () => document.querySelector(`[cell-index="${cells[panels.length]}"] .lv-panel:has(.lv-code)`);
    while (next()) arrived(next());
    /* a cell that stopped: its error's last line, which says the mend, stands in the place of the panels that are missing;
       if none has come, the hall shows it */
    const error = [...document.querySelectorAll('.jp-CodeCell pre')].find(text => /^-+\n.*Traceback/.test(text.textContent));
    if (error?.closest('[cell-index]').getAttribute('cell-index') <= cells[panels.length]) { // those before it may be on their way
      error.textContent = error.textContent.trim().split('\n').pop();
      if (!panels.length) {
        clearInterval(wait);
        return tell({ failed: error.textContent });
      }
      error.classList.add('failed');
      cells.length = panels.length + 1;
      arrived(error);
    }
    if (panels.length < cells.length) return;
    clearInterval(wait);
    document.body.classList.remove('computing');
    tell({ whole: true });
  }, 50);
})();
