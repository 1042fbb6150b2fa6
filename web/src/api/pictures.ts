// Pictures of people. Each version has an address of its own, so the browser keeps them; with the service worker in charge that
// address is enough, without it the bytes are fetched here.
import { hasServiceWorker } from '@/platform/web';
import { api, take } from './client';
import { Problem } from './problem';
import { authorizedFetch, type User } from './session';

/** As many are held at once, where the browser does not do it. */
const most = 200;
const held = new Map<string, Promise<string>>();

async function fetchPicture(path: string): Promise<string> {
  const response = await authorizedFetch(new Request(path));
  if (!response.ok) throw await Problem.fromResponse(response);
  return URL.createObjectURL(await response.blob());
}

/** What stands in `src` for one version of somebody's picture. */
export async function pictureUrl(user: string, version: string): Promise<string> {
  const path = `/api/v1/users/${encodeURIComponent(user)}/picture?v=${encodeURIComponent(version)}`;
  if (hasServiceWorker()) return path;
  const known = held.get(path);
  if (known) return known;
  if (held.size >= most) {
    for (const url of held.values()) void url.then((one) => URL.revokeObjectURL(one)).catch(() => undefined);
    held.clear();
  }
  const url = fetchPicture(path);
  held.set(path, url);
  url.catch(() => held.delete(path));
  return url;
}

export async function putPicture(picture: Blob): Promise<User> {
  const headers = { 'content-type': picture.type };
  const response = await authorizedFetch(new Request('/api/v1/me/picture', { method: 'PUT', headers, body: picture }));
  if (!response.ok) throw await Problem.fromResponse(response);
  return (await response.json()) as User;
}

export const removePicture = () => take(api.DELETE('/api/v1/me/picture'));
