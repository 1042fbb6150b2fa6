// An account, as those see it who look after accounts.
import type { Schemas } from '@/api/client';

export type Account = Required<Schemas['User']> & {
  disabled_at: string | null;
  quota_bytes: number | null;
  used_bytes: number;
  second_factor: boolean;
};
