// Files for the browser tests, made here: pictures, a PDF, sound, text in two languages, and names that are hard to show.
import { deflateSync, crc32 } from 'node:zlib';

/** A soft two-coloured picture as PNG. */
export function png(width, height, from, to) {
  const raw = Buffer.alloc((width * 3 + 1) * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const wave = 0.5 + 0.5 * Math.sin(x / 90 + Math.cos(y / 70) * 2);
      const share = Math.min(1, (y / height) * 0.7 + wave * 0.3);
      for (let channel = 0; channel < 3; channel += 1)
        raw[y * (width * 3 + 1) + 1 + x * 3 + channel] = from[channel] + (to[channel] - from[channel]) * share;
    }
  }
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body) >>> 0);
    return Buffer.concat([length, body, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(raw)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A PDF of two pages with a line of text each. */
export function pdf() {
  const page = (text) => `BT /F1 28 Tf 72 700 Td (${text}) Tj ET`;
  const texts = [page('Quarterly report'), page('Second page')];
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 5 0 R /Resources << /Font << /F1 7 0 R >> >> >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 6 0 R /Resources << /Font << /F1 7 0 R >> >> >>',
    ...texts.map((text) => `<< /Length ${text.length} >>\nstream\n${text}\nendstream`),
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  let out = '%PDF-1.4\n';
  const offsets = objects.map((body, at) => {
    const offset = out.length;
    out += `${at + 1} 0 obj\n${body}\nendobj\n`;
    return offset;
  });
  const start = out.length;
  out += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')}`;
  return Buffer.from(`${out}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`);
}

/** A second of a quiet tone as WAV. */
export function wav() {
  const rate = 8000;
  const data = Buffer.alloc(rate * 2);
  for (let at = 0; at < rate; at += 1)
    data.writeInt16LE(Math.round(4000 * Math.sin((at / rate) * 440 * 2 * Math.PI)), at * 2);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + data.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}

const markdown = `# Reading the tide

A short note about the coast, with **weight**, *lean* and \`code\`.

- first the low water
- then the long wait
- at last the boats

> What is kept in six places is not lost in one.

| Port | Height |
| --- | --- |
| Brest | 6.1 m |
| Мурманск | 3.9 м |

<img src=x onerror="document.title='hacked'"> stays text.
`;
const rust = `//! Keeps promises.
use std::collections::BTreeMap;

/// How many parts may be lost.
const PARITY: usize = 2;

fn main() {
    let mut places: BTreeMap<u8, &str> = BTreeMap::new();
    places.insert(1, "kitchen");
    println!("{} of {}", places.len(), PARITY); // not many
}
`;

export async function api(base) {
  const post = async (path, body, headers = {}) => {
    const response = await fetch(`${base}/api/v1${path}`, { method: 'POST', headers, body });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  const tokens = await post(
    '/login',
    JSON.stringify({ name: 'admin', password: 'correct-horse-9', client: 'Command line · laptop' }),
    { 'content-type': 'application/json' },
  );
  const auth = { authorization: `Bearer ${tokens.access_token}` };
  // A token lives a quarter of an hour, and all journeys on a busy machine longer.
  let refresh = tokens.refresh_token;
  const renew = async () => {
    const body = JSON.stringify({ refresh_token: refresh });
    const renewed = await post('/refresh', body, { 'content-type': 'application/json' });
    refresh = renewed.refresh_token;
    auth.authorization = `Bearer ${renewed.access_token}`;
  };
  setInterval(() => void renew().catch(() => undefined), 300_000).unref();
  return {
    auth,
    root: tokens.user.root_id,
    space: tokens.user.space_id,
    folder: async (name, parent) =>
      (
        await post('/folders', JSON.stringify({ name, parent_id: parent }), {
          ...auth,
          'content-type': 'application/json',
        })
      ).id,
    file: async (name, body, type, parent) =>
      (
        await post(`/files?${new URLSearchParams({ name, ...(parent ? { parent } : {}) })}`, body, {
          ...auth,
          'content-type': type,
        })
      ).id,
    call: (method, path, body, headers = {}) =>
      fetch(`${base}/api/v1${path}`, {
        method,
        headers: { ...auth, ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
        body: body && JSON.stringify(body),
      }),
  };
}

export async function seed(base) {
  const server = await api(base);
  const { folder, file } = server;
  const photos = await folder('Photos');
  const documents = await folder('Documents');
  const work = await folder('Работа над ошибками');
  const deep = await folder('2026', documents);
  const deeper = await folder('Согласование архитектурных решений', deep);
  await folder('Приложения', deeper);
  await folder('Music');
  await folder('Empty');
  const sky = [
    [
      [250, 190, 120],
      [60, 70, 140],
    ],
    [
      [40, 120, 130],
      [230, 240, 210],
    ],
    [
      [240, 120, 110],
      [250, 220, 170],
    ],
    [
      [30, 40, 90],
      [140, 90, 160],
    ],
    [
      [120, 170, 90],
      [240, 240, 200],
    ],
    [
      [90, 150, 220],
      [245, 245, 250],
    ],
    [
      [70, 60, 60],
      [230, 170, 90],
    ],
  ];
  for (const [at, [from, to]] of sky.entries())
    await file(
      `Coast ${at + 1}.png`,
      png(at % 3 === 2 ? 480 : 720, at % 3 === 1 ? 720 : 480, from, to),
      'image/png',
      photos,
    );
  await file('Quarterly report.pdf', pdf(), 'application/pdf');
  await file('Reading the tide.md', markdown, 'text/markdown');
  await file('main.rs', rust, 'text/plain');
  await file('tone.wav', wav(), 'audio/wav');
  await file('Harbour at dawn.png', png(1200, 800, [250, 180, 130], [50, 80, 150]), 'image/png');
  await file('budget 2026.csv', 'month,amount\nJanuary,1200\nFebruary,980\n', 'text/csv');
  await file('backup.tar.gz', Buffer.alloc(2_400_000, 7), 'application/gzip');
  await file(
    'Протокол заседания рабочей группы по вопросам долговременного хранения данных, окончательная редакция.docx',
    Buffer.alloc(48_000, 1),
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  );
  await file('Scan 2.pdf', pdf(), 'application/pdf', deep);
  await file('Scan 10.pdf', pdf(), 'application/pdf', deep);
  await file('заметки.txt', 'Не забыть проверить шестую часть.\n', 'text/plain', work);
  return { ...server, photos, documents, deep, deeper, work };
}
