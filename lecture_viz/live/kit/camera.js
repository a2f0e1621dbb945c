/* The browser's side of a Camera. */
const SIDE = 224; // pixels of a frame, the middle of the camera's picture: what our largest networks take

function render({ model, el }) {
  const button = Object.assign(document.createElement('button'), { className: 'jupyter-button widget-button lv-camera' });
  const video = Object.assign(document.createElement('video'), { muted: true, playsInline: true });
  const canvas = Object.assign(document.createElement('canvas'), { width: SIDE, height: SIDE });
  let stream = null, starting = false, late = 0; // `late` is the clock of a frame that waits for its answer
  el.append(button);
  const set = values => {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  };
  const words = () => {
    const live = model.get('live');
    button.textContent = live ? `● ${model.get('freeze')}` : model.get('description');
    button.title = model.get('tooltip') ?? '';
    button.classList.toggle('lv-live', live);
    button.setAttribute('aria-pressed', live);
  };

  const send = () => {
    if (!stream || late) return;
    late = setTimeout(() => stop('busy'), model.get('patience'));
    const side = Math.min(video.videoWidth, video.videoHeight);
    const [left, top] = [(video.videoWidth - side) / 2, (video.videoHeight - side) / 2];
    canvas.getContext('2d').drawImage(video, left, top, side, side, 0, 0, SIDE, SIDE);
    const file = atob(canvas.toDataURL('image/jpeg', 0.9).split(',')[1]); // at once: `toBlob` waits for an idle browser
    set({ value: new DataView(Uint8Array.from(file, byte => byte.charCodeAt(0)).buffer) });
  };
  const answered = () => {
    late = clearTimeout(late);
    send();
  };

  const stop = problem => {
    late = clearTimeout(late);
    stream?.getTracks().forEach(track => track.stop());
    stream = null;
    seen.disconnect();
    set({ live: false, ...(problem && { problem: [problem, Date.now()] }) });
  };
  const seen = new IntersectionObserver(entries => { if (!entries.at(-1).isIntersecting) stop(); });
  const start = async () => {
    if (!navigator.mediaDevices) return stop('insecure');
    starting = true;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 }, facingMode: 'environment' } });
      stream.getTracks()[0].addEventListener('ended', () => stop('missing'));
      video.srcObject = stream;
      await video.play();
    } catch (error) {
      return stop(error.name === 'NotAllowedError' ? 'refused' : 'missing');
    } finally {
      starting = false;
    }
    seen.observe(el.closest('.lv-panel') ?? el);
    set({ live: true, problem: [] });
    send();
  };

  button.addEventListener('click', () => { if (stream) stop(); else if (!starting) start(); });
  const key = event => { // P, wherever the hand is, but not where it writes
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (stream && plain && event.key.toLowerCase() === 'p' && !event.target.matches?.('input, textarea, [contenteditable=true]')) stop();
  };
  const hidden = () => { if (stream && document.hidden) stop(); };
  const told = () => { if (stream && !model.get('live')) stop(); words(); };
  document.addEventListener('keydown', key);
  document.addEventListener('visibilitychange', hidden);
  addEventListener('pagehide', () => { if (stream) stop(); }, { once: true });
  model.on('change:answered', answered);
  model.on('change:live', told);
  model.on('change:description change:tooltip change:freeze', words);
  words();
  return () => {
    document.removeEventListener('keydown', key);
    document.removeEventListener('visibilitychange', hidden);
    if (stream) stop();
  };
}
export default { render };
