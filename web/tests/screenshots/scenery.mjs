// Draws the photographs of the screenshots: coasts, hills and night skies on a canvas, each from a number, as JPEG.

/** Runs inside the browser's page. */
function draw({ seed, width, height, mood }) {
  let state = Math.imul(seed + 11, 2_654_435_761) >>> 0;
  const random = () => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e37_79b9) >>> 0;
    return state / 4_294_967_296;
  };
  const moods = {
    dawn: { sky: ['#2b3a67', '#e8927c', '#fbd8a5'], far: [204, 138, 126], near: [38, 34, 58], sun: '#fff1d0' },
    noon: { sky: ['#3f87c9', '#9fcbe8', '#eaf4f4'], far: [150, 186, 196], near: [35, 82, 74], sun: null },
    dusk: { sky: ['#1d1f45', '#7d4a86', '#f0997b'], far: [150, 96, 132], near: [24, 20, 44], sun: '#ffd9b3' },
    night: { sky: ['#070b1f', '#14264d', '#2d5470'], far: [44, 78, 104], near: [6, 12, 24], sun: '#eef3ff' },
    mist: { sky: ['#aebfc4', '#d3dcd9', '#f3efe6'], far: [186, 198, 198], near: [60, 82, 88], sun: '#fffdf5' },
  };
  const { sky, far, near, sun } = moods[mood];
  const canvas = new OffscreenCanvas(width, height);
  const pen = canvas.getContext('2d');
  const horizon = height * (0.48 + random() * 0.16);
  const gradient = pen.createLinearGradient(0, 0, 0, horizon * 1.08);
  sky.forEach((color, at) => gradient.addColorStop(at / (sky.length - 1), color));
  pen.fillStyle = gradient;
  pen.fillRect(0, 0, width, height);
  if (mood === 'night') {
    for (let star = 0; star < 420; star += 1) {
      pen.fillStyle = `rgb(255 255 255 / ${0.2 + random() * 0.7})`;
      const size = random() < 0.06 ? 2.2 : 1.1;
      pen.fillRect(random() * width, random() * horizon, size, size);
    }
  }
  const sunX = width * (0.2 + random() * 0.6);
  if (sun) {
    const sunY = horizon - height * (mood === 'night' ? 0.34 : 0.08 + random() * 0.08);
    const glow = pen.createRadialGradient(sunX, sunY, 0, sunX, sunY, height * 0.5);
    glow.addColorStop(0, `${sun}cc`);
    glow.addColorStop(0.12, `${sun}44`);
    glow.addColorStop(1, `${sun}00`);
    pen.fillStyle = glow;
    pen.fillRect(0, 0, width, height);
    pen.fillStyle = sun;
    pen.beginPath();
    pen.arc(sunX, sunY, height * (mood === 'mist' ? 0.022 : 0.034), 0, 7);
    pen.fill();
  }
  const layers = 5;
  // Some coasts are flat, some are mountains.
  const rise = 0.04 + random() * 0.13;
  for (let layer = 0; layer < layers; layer += 1) {
    const share = layer / (layers - 1);
    const base = horizon + (height - horizon) * share ** 1.5 * 0.72;
    const waves = Array.from({ length: 5 }, (_, at) => ({
      length: (width / (1.2 + at * 1.9)) * (0.7 + random() * 0.6),
      phase: random() * 7,
      size: (height * rise * (1 - share * 0.35)) / (1 + at * 1.25),
    }));
    pen.fillStyle = `rgb(${far.map((value, at) => Math.round(value + (near[at] - value) * share)).join(' ')})`;
    pen.beginPath();
    pen.moveTo(0, height);
    for (let x = 0; x <= width; x += 2) {
      let y = base;
      for (const { length, phase, size } of waves) y -= Math.abs(Math.sin(x / length + phase)) * size;
      if (layer === layers - 1) y -= random() * height * 0.012;
      pen.lineTo(x, y);
    }
    pen.lineTo(width, height);
    pen.fill();
  }
  // A lake where the valley is, holding the colours of the sky.
  if (seed % 3 !== 0) {
    const top = height * 0.86;
    const water = pen.createLinearGradient(0, top, 0, height);
    water.addColorStop(0, `${sky[2]}e6`);
    water.addColorStop(1, `${sky[0]}f2`);
    pen.fillStyle = water;
    pen.fillRect(0, top, width, height - top);
    for (let line = 0; line < 90; line += 1) {
      const y = top + random() ** 1.4 * (height - top);
      pen.fillStyle = `rgb(255 255 255 / ${random() * 0.16})`;
      const span = (width / 16) * (0.3 + random()) * (0.4 + (y - top) / (height - top));
      pen.fillRect((sun ? sunX + (random() - 0.5) * width * 0.5 : random() * width) - span / 2, y, span, 1.4);
    }
  }
  return canvas.convertToBlob({ type: 'image/jpeg', quality: 0.86 }).then(
    (blob) =>
      new Promise((resolve) => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result.split(',')[1]);
        reader.readAsDataURL(blob);
      }),
  );
}

/** A picture's bytes. `page` is any page of a browser; what it shows is left alone. */
export async function photo(page, seed, mood, width = 1200, height = 800) {
  return Buffer.from(await page.evaluate(draw, { seed, mood, width, height }), 'base64');
}

/** Runs inside the browser's page: pans over a picture while that is recorded. */
async function record({ base64, width, height, ms }) {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const picture = await createImageBitmap(new Blob([bytes]));
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext('2d');
  const recorder = new MediaRecorder(canvas.captureStream(25), {
    mimeType: 'video/webm',
    videoBitsPerSecond: 4_000_000,
  });
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  const ended = new Promise((resolve) => (recorder.onstop = resolve));
  recorder.start();
  const begin = performance.now();
  for (let at = 0; at < ms; at = performance.now() - begin) {
    pen.drawImage(
      picture,
      (at / ms) * (picture.width - width),
      (picture.height - height) / 2,
      width,
      height,
      0,
      0,
      width,
      height,
    );
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
  recorder.stop();
  await ended;
  const all = new Uint8Array(await new Blob(parts).arrayBuffer());
  let text = '';
  for (let at = 0; at < all.length; at += 0x8000) text += String.fromCharCode(...all.subarray(at, at + 0x8000));
  return btoa(text);
}

/** Some seconds of a film, as WebM. */
export async function film(page, seed, mood) {
  const picture = await photo(page, seed, mood, 1400, 800);
  return Buffer.from(
    await page.evaluate(record, { base64: picture.toString('base64'), width: 1280, height: 720, ms: 2_500 }),
    'base64',
  );
}
