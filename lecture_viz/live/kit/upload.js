/* The browser's side of an Upload. */
function render({ model, el }) {
  const button = document.createElement('button');
  button.className = 'jupyter-button widget-button lv-upload';
  const choose = Object.assign(document.createElement('input'), { type: 'file', accept: 'image/*', hidden: true });
  el.append(button, choose);
  const words = () => {
    button.textContent = model.get('description');
    button.title = model.get('tooltip') ?? '';
  };
  model.on('change:description change:tooltip', words);
  words();
  button.addEventListener('click', () => choose.click());
  choose.addEventListener('change', async () => {
    const [file] = choose.files;
    if (!file) return;
    model.set('value', new DataView(await file.arrayBuffer()));
    model.save_changes();
    choose.value = ''; // so that the same file can be chosen again
  });
}
export default { render };
