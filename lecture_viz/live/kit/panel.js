/* What ipywidgets leaves out: pictures' alt text, plain names of handles and buttons, and one that copies the code.
   Where it cannot run (VS Code), a spoken text stands beside each picture, and the code can be marked by hand. */
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
  for (const { lastChild: name } of panel.querySelectorAll('.widget-upload')) {
    const counted = / \(\d+\)$/; // files that wait, of which there is never one
    if (counted.test(name.textContent)) name.textContent = name.textContent.replace(counted, '');
  }
};
const copy = button => {
  getSelection().selectAllChildren(button.closest('.lv-panel').querySelector('.lv-code'));
  document.execCommand('copy');
  const text = button.textContent;
  button.textContent = button.dataset.copied;
  setTimeout(() => { button.textContent = text; }, 1500);
};
const begin = () => {
  const panel = this.closest('.lv-panel');
  if (!panel) return setTimeout(begin, 100);
  panel.addEventListener('click', event => event.target.matches('.lv-copy') && copy(event.target));
  new MutationObserver(() => label(panel)).observe(panel, { childList: true, subtree: true, characterData: true });
  label(panel);
};
begin();
