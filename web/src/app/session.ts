// The session of this tab: opens the drive when somebody signs in, in whichever tab, and closes it when they leave.
import { shallowRef } from 'vue';
import { currentSession, watchSession, type Session } from '@/api/session';
import { closeDrive, openDrive } from '@/data/drive';

export const session = shallowRef<Session | null>(null);
/** Whether the session ended without anybody asking for it, so that the sign-in page can say why it shows. */
export const endedByServer = shallowRef(false);
let leaving = false;

function follow(next: Session | null): void {
  const had = session.value;
  session.value = next;
  if (next) {
    openDrive(next.user);
    endedByServer.value = false;
  } else if (had) {
    closeDrive();
    endedByServer.value = !leaving;
  }
  leaving = false;
}

export async function startSession(): Promise<void> {
  follow(await currentSession());
  watchSession((next) => {
    if (next?.access !== session.value?.access) follow(next);
  });
}

/** Marks the coming end of the session as wanted. */
export function willLeave(): void {
  leaving = true;
}
