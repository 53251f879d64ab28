// Runs in the page under test, before the page's own scripts. Notes every picture that is shown, with the clock
// that the host has drawn into it (harness/stamp.go), what the video element goes through, and every change of
// the product cards, with the picture that is on the screen then.
(() => {
  const columns = 24, rows = 4, marker = 0xa7, cell = 4; // as in harness/stamp.go; cell is the size after scaling
  const seen = { frames: [], events: [], samples: [], cards: [] };
  const token = Math.random();

  function crc16(bytes) {
    let crc = 0xffff;
    for (const b of bytes) {
      crc ^= b << 8;
      for (let i = 0; i < 8; i++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
    }
    return crc;
  }

  const canvas = new OffscreenCanvas(columns * cell, rows * cell);
  const context = canvas.getContext('2d', { willReadFrequently: true });

  function readStamp(video) {
    const strip = Math.floor(video.videoHeight / 28) * rows;
    context.drawImage(video, 0, 0, video.videoWidth, strip, 0, 0, canvas.width, canvas.height);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const bytes = new Uint8Array(12);
    for (let i = 0; i < 96; i++) {
      let sum = 0; // of the four points in the middle of a cell
      for (const [dx, dy] of [[1, 1], [2, 1], [1, 2], [2, 2]]) {
        const at = (((Math.floor(i / columns) * cell + dy) * canvas.width) + (i % columns) * cell + dx) * 4;
        sum += data[at] + data[at + 1] + data[at + 2];
      }
      if (sum / 12 > 126) bytes[i >> 3] |= 0x80 >> (i & 7);
    }
    if (bytes[0] !== marker || crc16(bytes.subarray(0, 10)) !== (bytes[10] << 8 | bytes[11])) return null;
    let ms = 0;
    for (let i = 1; i < 7; i++) ms = ms * 256 + bytes[i];
    return { ms, frame: bytes[7] << 16 | bytes[8] << 8 | bytes[9] };
  }

  function observe(video) {
    for (const type of ['loadedmetadata', 'playing', 'waiting', 'pause', 'seeking', 'ended', 'error', 'emptied', 'ratechange']) {
      video.addEventListener(type, () => seen.events.push({ at: Date.now(), type, time: video.currentTime, rate: video.playbackRate }));
    }
    const onFrame = (now, info) => {
      video.requestVideoFrameCallback(onFrame);
      const stamp = readStamp(video);
      const shown = Math.max(performance.timeOrigin + (info.expectedDisplayTime ?? now), Date.now());
      seen.frames.push([shown, info.mediaTime, stamp?.ms ?? 0, stamp?.frame ?? -1]);
    };
    video.requestVideoFrameCallback(onFrame);
    setInterval(() => {
      const { engine, phase, controller } = window.pushcart ?? {};
      const measured = engine?.measure?.() ?? {};
      const date = engine?.date?.();
      seen.samples.push({
        at: Date.now(), time: video.currentTime, rate: video.playbackRate, phase, muted: video.muted, paused: video.paused,
        latency: measured.latency, target: measured.target, ahead: measured.ahead, stalls: controller?.stalls, extra: controller?.patience?.extra,
        byDate: date ? (Date.now() - date) / 1000 : undefined,
      });
    }, 250);
  }

  // cardsNow reads the words on the cards and the clock in the picture at one moment.
  window.cardsNow = () => {
    const texts = [...document.querySelector('#cards')?.shadowRoot?.querySelectorAll('.title, .text') ?? []];
    const video = document.querySelector('video');
    const stamp = video.videoWidth ? readStamp(video) : null;
    return { at: Date.now(), text: texts.map((e) => e.textContent).join('|'), stamp: stamp?.ms ?? 0, number: stamp?.frame ?? -1, time: video.currentTime };
  };

  // observeCards waits for the cards' root, which comes with the player.
  function observeCards() {
    const root = document.querySelector('#cards')?.shadowRoot;
    if (!root) return void setTimeout(observeCards, 50);
    let before = '';
    const note = () => {
      const now = window.cardsNow();
      if (now.text !== before) seen.cards.push(now);
      before = now.text;
    };
    new MutationObserver(note).observe(root, { childList: true, subtree: true });
    note();
  }

  window.observed = (since) => {
    const video = document.querySelector('video');
    if (!video) return { token, opened: performance.timeOrigin, now: Date.now(), phase: '', headline: '' }; // the page is being loaded
    const quality = video.getVideoPlaybackQuality();
    return {
      token, opened: performance.timeOrigin, now: Date.now(), phase: window.pushcart?.phase ?? '', headline: document.querySelector('#headline')?.textContent ?? '',
      frames: seen.frames.filter((f) => f[0] >= since), events: seen.events.filter((e) => e.at >= since), samples: seen.samples.filter((s) => s.at >= since),
      cards: seen.cards.filter((c) => c.at >= since),
      width: video.videoWidth, height: video.videoHeight, muted: video.muted, time: video.currentTime,
      dropped: quality.droppedVideoFrames, audioBytes: video.webkitAudioDecodedByteCount ?? 0, videoBytes: video.webkitVideoDecodedByteCount ?? 0,
    };
  };

  document.addEventListener('DOMContentLoaded', () => {
    const video = document.querySelector('video');
    if (video) observe(video);
    observeCards();
  });
})();
