// What whoever looks after the installation has to do: plans, a team that nobody manages, uploads that were left.
const json = { 'content-type': 'application/json' };

/** `call` is the administrator's. */
export async function fillOffice(base, { call }) {
  const post = async (path, body) => (await call('POST', path, body)).json();
  const idOf = async (name) =>
    (await (await call('GET', `/admin/spaces?search=${encodeURIComponent(name)}`)).json()).items.find(
      (one) => one.kind === 'personal',
    ).id;
  const staff = await post('/admin/plans', {
    name: 'Staff',
    storage_bytes: 100e9,
    file_bytes: 5e9,
    versions_kept: 20,
    trash_days: 30,
    links: 100,
    default_for: ['personal'],
  });
  const guests = await post('/admin/plans', {
    name: 'Guests',
    storage_bytes: 5e9,
    file_bytes: 2e9,
    versions_kept: 3,
    trash_days: 7,
    links: 2,
    members: 2,
  });
  await post('/admin/plans', {
    name: 'Исследовательские группы',
    storage_bytes: 2e12,
    versions_kept: 100,
    members: 50,
    default_for: ['team'],
  });
  await post('/admin/plan-assignments', { plan_id: staff.id, to: [await idOf('mia'), await idOf('grace')] });
  await post('/admin/plan-assignments', { plan_id: guests.id, to: [await idOf('lev')] });
  await call('PATCH', '/admin/settings', { welcome: 'Ask Mia if something is stuck.', trash_days: 14 });

  const register = { name: 'otto', password: 'long-enough-1', display_name: 'Otto Brandt' };
  await fetch(`${base}/api/v1/register`, { method: 'POST', headers: json, body: JSON.stringify(register) });
  const tokens = await (
    await fetch(`${base}/api/v1/login`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ name: register.name, password: register.password, client: 'Firefox' }),
    })
  ).json();
  const auth = { authorization: `Bearer ${tokens.access_token}` };
  await fetch(`${base}/api/v1/spaces`, {
    method: 'POST',
    headers: { ...auth, ...json },
    body: JSON.stringify({ name: 'Sound archive' }),
  });
  const film = {
    'tus-resumable': '1.0.0',
    'upload-length': '900000000',
    'upload-metadata': `filename ${Buffer.from('Film.mov').toString('base64')}`,
    'content-type': 'application/offset+octet-stream',
  };
  await fetch(`${base}/api/v1/uploads`, {
    method: 'POST',
    headers: { ...auth, ...film },
    body: Buffer.alloc(4_000_000),
  });
  await call('PATCH', `/admin/users/${tokens.user.id}`, { disabled: true });
  for (const [name, members] of [
    ['Pilots', ['mia', 'grace', 'lev']],
    ['Наблюдатели', ['lev']],
  ]) {
    const group = await post('/groups', { name });
    for (const member of members) {
      const { items } = await (await call('GET', `/admin/users?search=${member}`)).json();
      await call('PUT', `/groups/${group.id}/members/${items[0].id}`);
    }
  }
  await post('/admin/invitations', { language: 'en' });
  await post('/admin/invitations', { language: 'ru', permissions: ['admin.users'] });
}
