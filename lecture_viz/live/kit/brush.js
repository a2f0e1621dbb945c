/* The browser's side of a Brush: two buttons, which take strokes back. */
function render({ model, el }) {
  const texts = model.get('texts');
  el.classList.add('lv-brush', 'widget-inline-hbox');
  el.title = model.get('tooltip') ?? '';
  const label = Object.assign(document.createElement('span'), { className: 'widget-label' });
  label.textContent = model.get('description');
  el.append(label);
  for (const [name, kept] of [['undo', strokes => strokes.slice(0, -1)], ['clear', () => []]]) {
    const button = document.createElement('button');
    button.className = 'jupyter-button widget-button';
    button.textContent = texts[name];
    button.addEventListener('click', () => {
      model.set('value', kept(model.get('value')));
      model.save_changes();
    });
    el.append(button);
  }
}
export default { render };
