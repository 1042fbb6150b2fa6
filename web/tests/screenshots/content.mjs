// What the screenshots show: the files of somebody who studies a coast, in two languages, of every kind.
import { api, pdf, wav } from '../e2e/seed.mjs';
import { noted } from './camera.mjs';
import { film, photo } from './scenery.mjs';

const notes = `# Field notes, week 47

Low water at **06:12**, calm. The harbour wall holds; the third buoy has drifted about *forty metres* east.

- [x] Readings from all six stations
- [x] Photographs of the breakwater
- [ ] Sediment samples from Station 4

> What is kept in six places is not lost in one.

| Station | Height | Change |
| --- | ---: | ---: |
| Brest | 6.1 m | +0.2 |
| Saint-Malo | 11.4 m | −0.1 |
| Мурманск | 3.9 m | +0.3 |

## Next week

The sensors in the north bay get new batteries. Bring the long ladder.
`;
const code = `//! Turns raw readings into tide tables.

use std::collections::BTreeMap;

/// Heights in metres above chart datum, by minute of the day.
pub struct Tide {
    readings: BTreeMap<u16, f32>,
}

impl Tide {
    /// The highest water of the day, or \`None\` while nothing was read.
    pub fn high_water(&self) -> Option<(u16, f32)> {
        self.readings
            .iter()
            .map(|(&minute, &height)| (minute, height))
            .max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// How much the water rose or fell in the given hour.
    pub fn change(&self, hour: u16) -> f32 {
        let at = |minute| self.readings.get(&minute).copied().unwrap_or(0.0);
        at(hour * 60 + 59) - at(hour * 60)
    }
}
`;
const csv = `Station,Latitude,Longitude,Height,Change
Brest,48.38,-4.49,6.1,+0.2
Saint-Malo,48.65,-2.02,11.4,-0.1
Мурманск,68.97,33.08,3.9,+0.3
Porto,41.14,-8.61,3.2,0.0
`;

export async function fill(base, page) {
  const server = await api(base);
  const { folder, file } = server;
  const office = 'application/vnd.openxmlformats-officedocument.';
  const bytes = (count, value = 7) => Buffer.alloc(count, value);

  const documents = await folder('Documents');
  const photos = await folder('Photos');
  const projects = await folder('Projects');
  await folder('Music').then(async (music) => {
    for (const [name, size] of [
      ['Foghorn, 04:30.flac', 3_400_000],
      ['Interview with the pilot.m4a', 5_100_000],
      ['Rain on the boathouse.wav', 900_000],
    ])
      await file(name, name.endsWith('.wav') ? wav() : bytes(size), 'audio/flac', music);
  });
  const work = await folder('Долговременные наблюдения');
  const empty = await folder('Travel');

  const reports = await folder('Reports', documents);
  await folder('Contracts', documents).then((contracts) =>
    file('Boathouse lease.pdf', pdf(), 'application/pdf', contracts),
  );
  const year = await folder('2026', reports);
  await folder('2025', reports);
  const autumn = await folder('Autumn survey', year);
  for (const at of [1, 2, 3, 10]) await file(`Station ${at}.pdf`, pdf(), 'application/pdf', autumn);
  await file('Summary.docx', bytes(48_000), `${office}wordprocessingml.document`, autumn);
  await file('Readings.csv', csv, 'text/csv', autumn);
  await file('Talk.pptx', bytes(2_900_000), `${office}presentationml.presentation`, year);
  await file('Letter to the harbour office.odt', bytes(21_000), 'application/vnd.oasis.opendocument.text', documents);

  const tide = await folder('tide-tables', projects);
  await folder('src', tide).then(async (src) => {
    await file('main.rs', code, 'text/plain', src);
    await file('tide.rs', code, 'text/plain', src);
  });
  await file('Cargo.toml', '[package]\nname = "tide-tables"\nversion = "0.3.0"\n', 'text/plain', tide);
  await file('README.md', notes, 'text/markdown', tide);
  await file(
    'Протокол заседания рабочей группы, окончательная редакция.docx',
    bytes(61_000),
    `${office}wordprocessingml.document`,
    work,
  );
  await file('Показания датчиков.xlsx', bytes(184_000), `${office}spreadsheetml.sheet`, work);
  await file('Заметки.md', '# Заметки\n\nНе забыть проверить шестую часть.\n', 'text/markdown', work);

  const scenes = [
    ['Harbour at dawn.jpg', 'dawn', 1200, 800],
    ['Breakwater.jpg', 'noon', 1200, 800],
    ['North bay, evening.jpg', 'dusk', 900, 1200],
    ['Stars over Station 4.jpg', 'night', 1200, 800],
    ['Fog, 06:12.jpg', 'mist', 1200, 800],
    ['The long ladder.jpg', 'noon', 900, 1200],
    ['First light.jpg', 'dawn', 1400, 700],
    ['Lighthouse road.jpg', 'dusk', 1200, 800],
    ['Winter water.jpg', 'mist', 1200, 900],
    ['Clear night.jpg', 'night', 1400, 800],
    ['Orchard hill.jpg', 'noon', 1200, 800],
    ['Last ferry.jpg', 'dusk', 1200, 800],
    ['Утро на заливе.jpg', 'dawn', 1200, 800],
    ['Mist in the valley.jpg', 'mist', 900, 1200],
    ['August.jpg', 'noon', 1200, 800],
    ['Midnight, north.jpg', 'night', 1200, 800],
    ['Embers.jpg', 'dusk', 1400, 800],
    ['Before the rain.jpg', 'mist', 1200, 800],
  ];
  const lights = {
    dawn: [[1, 60], 5.6, 400],
    noon: [[1, 500], 8, 125],
    dusk: [[1, 30], 4, 800],
    night: [[8, 1], 2.8, 1600],
    mist: [[1, 125], 5.6, 200],
  };
  for (const [at, [name, mood, width, height]] of scenes.entries()) {
    const [exposure, aperture, iso] = lights[mood];
    const taken = `2026:${String(1 + (at % 11)).padStart(2, '0')}:${10 + at} 0${6 + (at % 3)}:12:0${at % 10}`;
    const camera = {
      taken,
      exposure,
      aperture,
      iso,
      focal: 23 + (at % 4) * 8,
      north: [
        [48, 1],
        [20 + at, 1],
      ],
      west: [
        [4, 1],
        [30 - at, 1],
      ],
    };
    await file(name, noted(await photo(page, at + 3, mood, width, height), camera), 'image/jpeg', photos);
  }

  await file('Ferry leaving.webm', await film(page, 31, 'dawn'), 'video/webm', photos);
  await file('Coastline.jpg', await photo(page, 41, 'dawn'), 'image/jpeg');
  const note = await file('Field notes.md', '# Field notes, week 47\n', 'text/markdown');
  for (const text of [notes.slice(0, 220), notes.slice(0, 400), notes])
    await fetch(`${base}/api/v1/files/${note}`, {
      method: 'PUT',
      headers: { ...server.auth, 'content-type': 'text/markdown' },
      body: text,
    });
  for (const one of [note, photos, autumn, work]) await server.call('PUT', `/entries/${one}/favourite`);
  const old = await folder('Old surveys', documents);
  await file('2019.pdf', pdf(), 'application/pdf', old);
  for (const [name, size] of [
    ['Draft 1.docx', 31_000],
    ['Blurred.jpg', 2_100_000],
    ['budget-old.xlsx', 88_000],
    ['Черновик договора.odt', 19_000],
  ])
    await server.call('DELETE', `/entries/${await file(name, bytes(size), 'application/octet-stream', documents)}`);
  await server.call('DELETE', `/entries/${old}`);
  await file('tide.rs', code, 'text/plain');
  await file('Stations.csv', csv, 'text/csv');
  await file('Harbour survey.pdf', pdf(), 'application/pdf');
  await file('Budget 2026.xlsx', bytes(312_000), `${office}spreadsheetml.sheet`);
  await file('Keynote draft.pptx', bytes(4_700_000), `${office}presentationml.presentation`);
  await file('Low water.wav', wav(), 'audio/wav');
  await file('Drone over the bay.webm', await film(page, 27, 'dusk'), 'video/webm');
  await file('station-4-backup.tar.zst', bytes(12_400_000), 'application/zstd');
  await file('Сводка показаний за ноябрь, предварительная.pdf', pdf(), 'application/pdf');
  const share = async (entry, rules) => (await server.call('POST', `/entries/${entry}/links`, rules)).json();
  const inDays = (days) => new Date(Date.now() + days * 86_400_000).toISOString();
  const links = {
    photos: await share(photos, {
      mode: 'download',
      name: 'For the harbour office',
      note: 'All of this year. Take what you like; the long exposures are the best ones.',
      expires_at: inDays(30),
    }),
    printer: await share(photos, {
      mode: 'view',
      name: 'Exhibition, draft',
      password: 'long-enough',
      download_limit: 20,
    }),
    report: await share(autumn, { mode: 'download', name: 'Reviewers', expires_at: inDays(3) }),
    box: await share(work, {
      mode: 'upload',
      name: 'Показания с постов',
      note: 'Пожалуйста, кладите сюда показания до пятницы. Имя файла: пост и дата.',
    }),
    counted: await share(await file('Chart of the bay.jpg', await photo(page, 12, 'noon'), 'image/jpeg', year), {
      mode: 'download',
      download_limit: 3,
    }),
    locked: await share(documents, { mode: 'download', password: 'long-enough', note: 'For the board' }),
  };
  const listed = (await (await server.call('GET', `/folders/${server.root}/children?limit=1000`)).json()).items;
  const idOf = (name) => listed.find((item) => item.name === name).id;
  for (const [name, colour, names] of [
    ['Urgent', 'red', ['Budget 2026.xlsx', 'Field notes.md']],
    ['For the board', 'blue', ['Budget 2026.xlsx', 'Keynote draft.pptx', 'Harbour survey.pdf']],
    ['На проверку', 'green', ['Сводка показаний за ноябрь, предварительная.pdf', 'Field notes.md']],
    ['Archive', 'grey', ['station-4-backup.tar.zst']],
  ]) {
    const tag = await (await server.call('POST', `/spaces/${server.space}/tags`, { name, colour })).json();
    await server.call('POST', `/tags/${tag.id}/entries`, { put_on: names.map(idOf), take_off: [] });
  }
  const json = { 'content-type': 'application/json' };
  const people = {};
  for (const [name, display] of [
    ['mia', 'Mia Larsen'],
    ['grace', 'Grace Okafor'],
    ['lev', 'Лев Константинопольский'],
  ]) {
    await fetch(`${base}/api/v1/register`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ name, password: 'long-enough-1', display_name: display }),
    });
    const tokens = await (
      await fetch(`${base}/api/v1/login`, {
        method: 'POST',
        headers: json,
        body: JSON.stringify({ name, password: 'long-enough-1', client: 'Firefox' }),
      })
    ).json();
    people[name] = {
      id: tokens.user.id,
      post: async (path, body, method = 'POST') =>
        (
          await fetch(`${base}/api/v1${path}`, {
            method,
            headers: { ...json, authorization: `Bearer ${tokens.access_token}` },
            body: JSON.stringify(body),
          })
        ).json(),
    };
  }
  const grant = (entry, id, role, expires_at) =>
    server.call('PUT', `/entries/${entry}/grants`, {
      subject: { kind: 'user', id },
      role,
      ...(expires_at ? { expires_at } : {}),
    });
  await grant(photos, people.mia.id, 'editor');
  await grant(photos, people.lev.id, 'viewer', inDays(14));
  await grant(reports, people.grace.id, 'viewer');
  await grant(autumn, people.mia.id, 'manager');
  const me = (await (await server.call('GET', '/me')).json()).id;
  const read = await people.mia.post('/folders', { name: 'Moorings and buoys' });
  for (const name of ['Bay chart', 'Anchor log', 'Winter moorings'])
    await people.mia.post('/folders', { name, parent_id: read.id });
  await people.mia.post(`/entries/${read.id}/grants`, { subject: { kind: 'user', id: me }, role: 'viewer' }, 'PUT');
  const plans = await people.lev.post('/folders', { name: 'Планы на весну' });
  await people.lev.post(
    `/entries/${plans.id}/grants`,
    { subject: { kind: 'user', id: me }, role: 'editor', expires_at: inDays(20) },
    'PUT',
  );
  const team = await (await server.call('POST', '/spaces', { name: 'Harbour team' })).json();
  await grant(team.root_id, people.mia.id, 'editor');
  await grant(team.root_id, people.grace.id, 'manager');
  for (const name of ['Berths', 'Minutes', 'Safety']) await folder(name, team.root_id);
  const plan = await file('Berth plan.txt', 'Berth 1: Aurora', 'text/plain', team.root_id);
  await people.mia.post(`/entries/${plan}`, { name: 'Berth plan, winter.txt' }, 'PATCH');
  await people.grace.post(`/entries/${plan}`, { description: 'Until the ice is gone.' }, 'PATCH');
  await fetch(`${base}/api/v1/files/${plan}`, {
    method: 'PUT',
    headers: { ...server.auth, 'content-type': 'text/plain' },
    body: 'Berth 1: Aurora\nBerth 2: Выборг',
  });
  for (const [name, size, who] of [
    ['Old moorings.pdf', 240_000, people.mia],
    ['Протокол собрания, черновик.odt', 18_000, people.grace],
    ['Photos of the quay', null, people.mia],
  ]) {
    const id =
      size === null
        ? await folder(name, team.root_id)
        : await file(name, bytes(size), 'application/octet-stream', team.root_id);
    await who.post(`/bulk`, { items: [{ do: 'trash', id }] });
  }
  const visit = `${base}/api/v1/public/links/${links.photos.token}`;
  await fetch(`${visit}/unlock`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ visitor_name: 'Grace' }),
  });
  await fetch(visit, { headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux) Firefox/140.0' } });
  const pictures = (await (await server.call('GET', `/folders/${photos}/children?limit=4`)).json()).items;
  for (const picture of pictures)
    await (
      await fetch(`${visit}/files/${picture.id}`, {
        headers: { 'user-agent': 'Mozilla/5.0 (Windows NT 10.0) Chrome/140.0' },
      })
    ).arrayBuffer();
  return { ...server, links, team, read, documents, photos, projects, work, empty, year, autumn };
}
