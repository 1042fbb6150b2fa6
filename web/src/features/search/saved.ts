// Searches that are kept as places. The server has no room for them: they are the account's on this device.
import type { SavedSearch } from '@/data/db';
import type { Drive } from '@/data/drive';
import { i18n } from '@/i18n';
import '@/i18n/search';
import { toast } from '@/ui/toasts';

export async function saveSearch(drive: Drive, name: string, query: string): Promise<void> {
  await drive.db.searches.add({ id: crypto.randomUUID(), name, query, at: new Date().toISOString() });
}

export async function renameSearch(drive: Drive, saved: SavedSearch, name: string): Promise<void> {
  await drive.db.searches.update(saved.id, { name });
}

/** With the way back, as it is done at one click. */
export async function removeSearch(drive: Drive, saved: SavedSearch): Promise<void> {
  const { t } = i18n.global;
  await drive.db.searches.delete(saved.id);
  toast(t('search.removed', { name: saved.name }), {
    action: { label: t('common.undo'), run: () => void drive.db.searches.put({ ...saved }) },
  });
}
