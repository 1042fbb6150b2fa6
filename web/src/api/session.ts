// Who is signed in, and the tokens that prove it. Shared by all tabs and the service worker through IndexedDB, because a
// refresh token may be spent only once: whoever holds the lock spends it, everybody else reads what came of it.
import Dexie, { liveQuery, type EntityTable, type Subscription } from 'dexie';
import { Problem } from './problem';
import { fetchWhole } from './whole';

/** The signed-in account, as it sees itself. */
export interface User {
  id: string;
  name: string;
  display_name: string;
  permissions: string[];
  space_id: string;
  root_id: string;
  created_at: string;
  /** The version of one's picture. */
  picture?: string | null;
  email?: string | null;
  language?: string;
  /** Absent in what older sessions remember: those have one. */
  has_password?: boolean;
}

export interface Session {
  key: 'current';
  user: User;
  access: string;
  /** Milliseconds since 1970 when the access token stops being valid, by this machine's clock. */
  accessUntil: number;
  refresh: string;
}

class SessionDb extends Dexie {
  sessions!: EntityTable<Session, 'key'>;
  constructor() {
    super('holdfast-session');
    this.version(1).stores({ sessions: 'key' });
  }
}

const db = new SessionDb();
const lockName = 'holdfast-refresh';
/** A token this close to its end is renewed first, so that a slow call does not outlive it. */
const marginMs = 30_000;
/** How long an answer to what is asked here may be silent: the server has none of it to think about, and all tabs wait. */
const silenceMs = 30_000;
/** The server takes a refresh token that was spent once more within ten seconds, for who did not hear the answer. After that it
 * takes it for stolen and ends the session, so a silent answer is asked for again before. */
const refreshSilenceMs = 8_000;

interface Tokens {
  access_token: string;
  expires_in: number;
  refresh_token: string;
  user: User;
}

function fromTokens(tokens: Tokens): Session {
  return {
    key: 'current',
    user: tokens.user,
    access: tokens.access_token,
    accessUntil: Date.now() + tokens.expires_in * 1000,
    refresh: tokens.refresh_token,
  };
}

async function post(path: string, body: unknown, access?: string, silence = silenceMs): Promise<Response> {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (access) headers.authorization = `Bearer ${access}`;
  try {
    const request = new Request(`/api/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return await fetchWhole(request, silence);
  } catch (cause) {
    throw Problem.offline(cause);
  }
}

export async function currentSession(): Promise<Session | null> {
  return (await db.sessions.get('current')) ?? null;
}

/** Calls back at once and whenever any tab signs in, out, or renews. */
export function watchSession(onChange: (session: Session | null) => void): Subscription {
  return liveQuery(() => db.sessions.get('current')).subscribe((session) => onChange(session ?? null));
}

export async function signIn(name: string, password: string, client: string): Promise<Session> {
  return begin(await post('/login', { name, password, client }));
}

/** The second step of signing in, where the first one was answered with a challenge. */
export async function signInSecond(challenge: string, code: string): Promise<Session> {
  return begin(await post('/login/second-factor', { challenge, code }));
}

/** Signs in by a call that answers as `/login` does. */
export async function signInWith(path: string, body: unknown): Promise<Session> {
  return begin(await post(path, body));
}

async function begin(response: Response): Promise<Session> {
  if (!response.ok) throw await Problem.fromResponse(response);
  const session = fromTokens((await response.json()) as Tokens);
  await db.sessions.put(session);
  return session;
}

/** Makes an account; signing in is a step of its own. */
export async function register(
  name: string,
  password: string,
  { displayName, invitation, language }: { displayName?: string; invitation?: string | null; language?: string },
): Promise<void> {
  await ask('/register', {
    name,
    password,
    ...(displayName ? { display_name: displayName } : {}),
    ...(invitation ? { invitation } : {}),
    ...(language ? { language } : {}),
  });
}

/** Sends something that takes no session. */
export async function ask(path: string, body: unknown): Promise<void> {
  await heard(await post(path, body));
}

/** Sends something, as the session of an access token or of nobody, and gives what is answered. */
export async function tell(path: string, body: unknown, access?: string): Promise<unknown> {
  return (await heard(await post(path, body, access))).json();
}

async function heard(response: Response): Promise<Response> {
  if (!response.ok) throw await Problem.fromResponse(response);
  return response;
}

/** Notes what the account says of itself now. */
export async function learnUser(user: Partial<User>): Promise<void> {
  const session = await currentSession();
  if (session) await db.sessions.put({ ...session, user: { ...session.user, ...user } });
}

/** Forgets the session here and now. Gives what tells the server, if it can be reached, which gives where to sign out as
 * well: at the identity provider by which the session began, if it did. */
export async function signOut(): Promise<() => Promise<string | null>> {
  const session = await currentSession();
  await db.sessions.clear();
  return async () => {
    if (!session) return null;
    const told = await tell('/logout/provider', {}, session.access).catch(() => null);
    return (told as { url?: string | null } | null)?.url ?? null;
  };
}

function locked<T>(work: () => Promise<T>): Promise<T> {
  return typeof navigator !== 'undefined' && 'locks' in navigator ? navigator.locks.request(lockName, work) : work();
}

/** Spends the refresh token, unless another tab was faster: `stale` is the access token that no longer worked. */
export async function renewToken(stale: string): Promise<string | null> {
  return locked(async () => {
    const session = await currentSession();
    if (!session) return null;
    if (session.access !== stale) return session.access;
    const body = { refresh_token: session.refresh };
    const response = await post('/refresh', body, undefined, refreshSilenceMs).catch(() => post('/refresh', body));
    if (response.ok) {
      const next = fromTokens((await response.json()) as Tokens);
      await db.sessions.put(next);
      return next.access;
    }
    const problem = await Problem.fromResponse(response);
    // Only a clear "no" ends the session; a server that is down or busy must not sign anybody out.
    if (problem.status === 401 || problem.status === 403) {
      await db.sessions.clear();
      return null;
    }
    throw problem;
  });
}

/** A token that is good for a while, or null when nobody is signed in. */
export async function accessToken(): Promise<string | null> {
  const session = await currentSession();
  if (!session) return null;
  return session.accessUntil - Date.now() > marginMs ? session.access : renewToken(session.access);
}

/** `fetch`, or what does its work, as the signed-in account; renews once when the server no longer takes the token. */
export async function authorizedFetch(
  request: Request,
  fetchIt: (request: Request) => Promise<Response> = fetch,
): Promise<Response> {
  const send = async (access: string | null, copy: Request) => {
    if (access) copy.headers.set('authorization', `Bearer ${access}`);
    try {
      return await fetchIt(copy);
    } catch (cause) {
      if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
      throw Problem.offline(cause);
    }
  };
  const access = await accessToken();
  const spare = request.clone();
  const response = await send(access, request);
  if (response.status !== 401 || !access) return response;
  const next = await renewToken(access);
  return next ? send(next, spare) : response;
}
