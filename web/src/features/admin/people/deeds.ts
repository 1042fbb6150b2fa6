// What the log tells of, in the server's words, and what a line of it is about.
import type { Schemas } from '@/api/client';
import { i18n } from '@/i18n';
import { formatSize } from '@/lib/format';
import { kindWords } from '../jobs/kinds';
import { isKnown } from '../settings/known';

export const deeds = [
  'sign-in',
  'sign-in-failed',
  'registered',
  'password-changed',
  'password-reset-asked',
  'password-reset',
  'email-changed',
  'second-factor-on',
  'second-factor-off',
  'recovery-codes-made',
  'token-made',
  'token-removed',
  's3-key-made',
  's3-key-removed',
  'invited',
  'account-made',
  'account-changed',
  'sessions-ended',
  'identity-linked',
  'identity-unlinked',
  'passkey-added',
  'passkey-removed',
  'picture-removed',
  'account-closed',
  'account-ended',
  'plan-made',
  'plan-changed',
  'plan-removed',
  'plan-given',
  'quota-set',
  'manager-given',
  'space-ended',
  'upload-cancelled',
  'job-retried',
  'job-cancelled',
  'settings-changed',
] as const;
export type Deed = (typeof deeds)[number];

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** The plan, the space, the settings or the work that it was done with; null where the line is about an account. */
export function objectOf(line: Pick<Schemas['AuditLine'], 'action'> & { detail: unknown }): string | null {
  const detail = isRecord(line.detail) ? line.detail : {};
  const text = (from: unknown, key: string) => (isRecord(from) && typeof from[key] === 'string' ? from[key] : null);
  const { t, locale } = i18n.global;
  switch (line.action) {
    case 'plan-changed':
      return text(detail.after, 'name');
    case 'plan-given':
      return text(detail, 'plan_name') ?? t('plans.none');
    case 'plan-made':
    case 'plan-removed':
    case 'manager-given':
    case 'space-ended':
      return text(detail, 'name');
    case 'quota-set':
      return typeof detail.after === 'number' ? formatSize(detail.after, locale.value) : t('overseen.noBound');
    case 'job-retried':
    case 'job-cancelled':
      return typeof detail.kind === 'string' ? kindWords(detail.kind) : null;
    case 'settings-changed':
      return isRecord(detail.after)
        ? Object.keys(detail.after)
            .map((key) => (isKnown(key) ? t(`knobs.${key}`) : key))
            .join(', ')
        : null;
    default:
      return null;
  }
}
