// One line of a page of gathered entries.
import type { Entry } from '@/data/db';

export interface GatheredRow {
  id: string;
  entry: Pick<Entry, 'id' | 'name' | 'kind' | 'size' | 'content_type'>;
  /** Below the name. */
  detail: string;
}
