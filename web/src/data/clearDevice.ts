// Takes what an account has left on this device away: names and details, what waited to be sent, kept bytes, small pictures,
// and notes on how its lists look. The pieces of the page itself stay: they are the same for everybody.
import Dexie from 'dexie';
import { closeDrive, drive } from './drive';
import { canKeep, removeAllKept } from './keep/store';

export async function clearDevice(account: string): Promise<void> {
  // Nothing may write while it goes. Other tabs close theirs when they hear that it is to be deleted.
  if (drive.value?.user.id === account) closeDrive();
  await Dexie.delete(`holdfast-${account}`);
  await Dexie.delete(`holdfast-thumbs-${account}`);
  if (canKeep()) await removeAllKept(account);
  for (const key of Object.keys(localStorage)) if (key.endsWith(`.${account}`)) localStorage.removeItem(key);
}
