// The actions of the drive for pages that tell of them and where none of them can be done: the list of keys.
import { effectScope } from 'vue';
import { gather, type Action } from '@/actions/registry';
import { useDrive } from '@/data/drive';
import { offerDriveActions } from './actions';
import { createFolderState } from './folder';
import { folderPlace } from './place';

/** To be called where a component is set up, as all that makes actions is. What it follows meanwhile ends with it. */
export function driveActions(): readonly Action[] {
  const drive = useDrive();
  const scope = effectScope(true);
  try {
    return scope.run(() => gather(() => offerDriveActions(createFolderState(folderPlace(() => drive.user.root_id)))))!;
  } finally {
    scope.stop();
  }
}
