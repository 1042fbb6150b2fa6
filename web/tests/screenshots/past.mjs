// What a server holds was not made in one minute: moves the times of it back, as if it had come over a year.
import { DatabaseSync } from 'node:sqlite';

const dayUs = 86_400_000_000;

/** A number from 0 to 1 that belongs to a text, always the same (FNV-1a, whose low bits are mixed best). */
function chanceOf(text) {
  let hash = 0x811c9dc5;
  for (const letter of text) hash = Math.imul(hash ^ letter.codePointAt(0), 0x01000193) >>> 0;
  return (hash % 10_007) / 10_007;
}

/** Most of what there is was touched lately, and some of it long ago. */
const ageUs = (name) => Math.round((0.004 + 300 * chanceOf(name) ** 3) * dayUs);

/** `path` is the database of a server that runs; whoever signs in afterwards sees the new times. */
export function moveIntoThePast(path) {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE');
  const nowUs = Date.now() * 1000;
  const setEntry = database.prepare('UPDATE entry SET modified_us = ?, created_us = ? WHERE id = ?');
  const versionsOf = database.prepare('SELECT id FROM version WHERE entry_id = ? ORDER BY id DESC');
  const setVersion = database.prepare(
    'UPDATE version SET created_us = ?, replaced_us = ? WHERE entry_id = ? AND id = ?',
  );
  for (const entry of database.prepare('SELECT id, name FROM entry').all()) {
    const modified = nowUs - ageUs(entry.name);
    let created = modified;
    let replaced = null;
    for (const version of versionsOf.all(entry.id)) {
      setVersion.run(created, replaced, entry.id, version.id);
      replaced = created;
      created -= Math.round((0.3 + 5 * chanceOf(`${entry.name}${created}`)) * dayUs);
    }
    setEntry.run(modified, replaced ?? modified, entry.id);
  }
  const lines = database
    .prepare(
      'SELECT space_id, sequence, entry_id, kind, max(sequence) OVER (PARTITION BY space_id) AS last FROM journal ORDER BY sequence',
    )
    .all();
  const timeOf = (line) => nowUs - Math.round((line.last - line.sequence + 0.2) * 0.17 * dayUs);
  const setLine = database.prepare('UPDATE journal SET at_us = ? WHERE space_id = ? AND sequence = ?');
  for (const line of lines) setLine.run(timeOf(line), line.space_id, line.sequence);
  // What has versions says the same of them in its details as in its activity.
  for (const { entry_id } of database
    .prepare('SELECT entry_id FROM version GROUP BY entry_id HAVING count(*) > 1')
    .all()) {
    const saved = lines
      .filter((line) => String(line.entry_id) === String(entry_id) && ['created', 'content'].includes(line.kind))
      .map(timeOf);
    const versions = versionsOf.all(entry_id);
    if (saved.length < versions.length) continue;
    let replaced = null;
    for (const version of versions) {
      const at = saved.pop();
      setVersion.run(at, replaced, entry_id, version.id);
      if (replaced === null) setEntry.run(at, at, entry_id);
      else database.prepare('UPDATE entry SET created_us = ? WHERE id = ?').run(at, entry_id);
      replaced = at;
    }
  }
  const trashed = database.prepare('SELECT entry_id FROM trash ORDER BY sequence DESC').all();
  const setTrashed = database.prepare('UPDATE trash SET trashed_us = ? WHERE entry_id = ?');
  for (const [at, { entry_id }] of trashed.entries())
    setTrashed.run(nowUs - Math.round((0.1 + at * 1.3) * dayUs), entry_id);
  database.exec('COMMIT');
  database.close();
}
