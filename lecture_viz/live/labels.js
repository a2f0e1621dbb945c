/* ipywidgets gives neither pictures an alt text nor slider handles a name: set both, and again when widgets are redrawn */
const label = panel => {
  for (const handle of panel.querySelectorAll('.widget-slider .noUi-handle')) {
    const slider = handle.closest('.widget-slider');
    handle.setAttribute('aria-label', slider.querySelector('.widget-label').textContent);
    handle.setAttribute('aria-valuetext', slider.querySelector('.widget-readout').textContent);
  }
  for (const spoken of panel.querySelectorAll('.lv-spoken')) {
    const picture = spoken.parentElement.querySelector('img');
    if (!picture) continue;
    picture.alt = spoken.textContent;
    spoken.setAttribute('aria-hidden', true);
  }
};
const begin = () => {
  const panel = this.closest('.lv-panel');
  if (!panel) return setTimeout(begin, 100);
  new MutationObserver(() => label(panel)).observe(panel, { childList: true, subtree: true, characterData: true });
  label(panel);
};
begin();
