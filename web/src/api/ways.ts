// The ways to sign in beside name and password: identity providers, to which the browser goes and from which it comes back,
// and passkeys, which the browser keeps itself.
import { api, take, type Schemas } from './client';
import { Problem } from './problem';
import { signInWith, tell, type Session } from './session';

export type Ways = Schemas['WaysIn'];

/** What is remembered of somebody who goes to a provider, in this tab. */
interface Journey {
  provider: string;
  /** Whether an account there is linked to the one that is signed in here. */
  linking: boolean;
  /** Where in the client they were going. */
  next: string | null;
}

const key = 'holdfast-journey';

/** What this server offers. */
export const waysIn = (): Promise<Ways> => take(api.GET('/api/v1/login/ways'));

function depart(journey: Journey, url: string): void {
  sessionStorage.setItem(key, JSON.stringify(journey));
  location.assign(url);
}

/** Leaves for a provider, to sign in there. */
export async function goToProvider(provider: string, client: string, next: string | null): Promise<void> {
  const path = `/login/providers/${encodeURIComponent(provider)}`;
  const { url } = (await tell(path, { client })) as Schemas['SignInElsewhere'];
  depart({ provider, linking: false, next }, url);
}

/** Leaves for a provider, to link an account there to one's own. */
export async function goToLink(provider: string, password: string): Promise<void> {
  const params = { path: { provider } };
  const { url } = await take(api.POST('/api/v1/me/providers/{provider}/link', { params, body: { password } }));
  depart({ provider, linking: true, next: null }, url);
}

/** What was remembered of the journey that ends here; once. */
export function takeJourney(provider: string): Journey | null {
  const text = sessionStorage.getItem(key);
  sessionStorage.removeItem(key);
  try {
    const journey = JSON.parse(text ?? 'null') as Journey | null;
    return journey?.provider === provider ? journey : null;
  } catch {
    return null;
  }
}

/** What the provider gave the browser to bring back, if it did. */
export function broughtBack(query: URLSearchParams): Schemas['ReturnedBody'] | null {
  const [code, state, iss] = ['code', 'state', 'iss'].map((name) => query.get(name));
  return code && state ? { code, state, ...(iss ? { iss } : {}) } : null;
}

/** Signs in with what was brought back. */
export const arrive = (provider: string, body: Schemas['ReturnedBody']): Promise<Session> =>
  signInWith(`/login/providers/${encodeURIComponent(provider)}/finish`, body);

/** Links with what was brought back. */
export function arriveLinking(provider: string, body: Schemas['ReturnedBody']): Promise<Schemas['Identity']> {
  const params = { path: { provider } };
  return take(api.POST('/api/v1/me/providers/{provider}/link/finish', { params, body }));
}

/** Whether this browser speaks of passkeys in the way that the server does. */
export const knowsPasskeys = (): boolean =>
  typeof PublicKeyCredential === 'function' && 'parseRequestOptionsFromJSON' in PublicKeyCredential;

/** That somebody turned away from the browser's own dialog, which is nothing to complain of. */
export const isTurnedDown = (error: unknown): boolean =>
  error instanceof DOMException && (error.name === 'NotAllowedError' || error.name === 'AbortError');

function answered(credential: Credential | null): Record<string, never> {
  if (!(credential instanceof PublicKeyCredential)) throw new DOMException('no passkey', 'NotAllowedError');
  return credential.toJSON() as unknown as Record<string, never>;
}

/** Asks the browser for a passkey, and signs in with it. */
export async function signInWithPasskey(client: string): Promise<Session> {
  const begun = (await tell('/login/passkey', {})) as Schemas['PasskeyCeremony'];
  const { publicKey } = begun.options as unknown as { publicKey: PublicKeyCredentialRequestOptionsJSON };
  const credential = await navigator.credentials.get({
    publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey),
  });
  return signInWith('/login/passkey/finish', { ceremony: begun.ceremony, credential: answered(credential), client });
}

/** Has the browser make a passkey, and the server keep it. */
export async function addPasskey(password: string, name: string): Promise<Schemas['Passkey']> {
  const begun = await take(api.POST('/api/v1/me/passkeys', { body: { password } }));
  const { publicKey } = begun.options as unknown as { publicKey: PublicKeyCredentialCreationOptionsJSON };
  let credential: Credential | null;
  try {
    credential = await navigator.credentials.create({
      publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey),
    });
  } catch (error) {
    // The device has one for this account already.
    if (error instanceof DOMException && error.name === 'InvalidStateError')
      throw new Problem(409, 'passkey-there', error.message);
    throw error;
  }
  const body = { ceremony: begun.ceremony, credential: answered(credential), name };
  return take(api.POST('/api/v1/me/passkeys/finish', { body }));
}
