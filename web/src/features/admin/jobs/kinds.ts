// The kinds of background work, in people's words. What a newer server does beyond them keeps its own name.
import { i18n } from '@/i18n';

const known: Record<string, string> = {
  mail: 'mail',
  'files.repair': 'repair',
  'drive.empty': 'empty',
  'drive.hash': 'hash',
  'drive.dissolve': 'dissolve',
  'drive.purge': 'purge',
};
export const kindWords = (kind: string): string => (known[kind] ? i18n.global.t(`jobs.kind_${known[kind]}`) : kind);
