// Where an invitation leads. A server that does not know its own address in the world is the one that is looked at now.
import type { Schemas } from '@/api/client';

export const addressOf = (one: Pick<Schemas['Invitation'], 'token' | 'url'>) =>
  one.url ?? `${location.origin}/invitation#token=${one.token}`;
