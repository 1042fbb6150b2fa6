// What can be done in the drive, as actions: the menus, the toolbar, the palette and the keys all come from here.
import {
  Bell,
  CircleArrowDown,
  ClipboardPaste,
  Copy,
  CopyPlus,
  CornerLeftUp,
  Download,
  Eye,
  FolderInput,
  FolderOpen,
  FolderPlus,
  FolderSearch,
  FolderUp,
  PencilLine,
  Scissors,
  Share2,
  SquareCheckBig,
  ListChecks,
  Redo2,
  Trash2,
  Star,
  Tag,
  Undo2,
  Upload,
} from '@lucide/vue';
import { useI18n } from 'vue-i18n';
import { offer } from '@/actions/registry';
import { pin, unpin } from '@/data/keep';
import { canKeep } from '@/data/keep/store';
import { isFollowed, setFollowed } from '@/data/notices/follow';
import { isUnsent } from '@/data/project';
import { useLive } from '@/data/useLive';
import { sharing } from '@/features/share';
import { tagging } from '@/features/tags';
import { pickFiles } from '@/features/upload';
import { toast } from '@/ui/toasts';
import { clipboard, type FolderState } from './folder';
import { canRedo, canUndo, did, history, redo, undo } from './history';
import { offerViewActions, viewMenu } from './viewActions';

export const itemMenu = [
  'open',
  'show-in-folder',
  'quick-look',
  'download',
  'share',
  'keep-offline',
  'tags',
  'favourite',
  'follow',
  '-',
  'rename',
  'duplicate',
  'move-to',
  '-',
  'cut',
  'copy',
  'paste',
  '-',
  'delete',
];
export const folderMenu = [
  'new-folder',
  'upload',
  'upload-folder',
  '-',
  'paste',
  'pick',
  'select-all',
  '-',
  ...viewMenu,
  '-',
  'share',
  'follow',
  'inspector',
];
export const addMenu = ['new-folder', '-', 'upload', 'upload-folder'];

export function offerDriveActions(state: FolderState): void {
  const { t } = useI18n();
  offerViewActions(state);
  const some = () => state.selected.value.length > 0;
  const one = () => state.selected.value.length === 1;
  const here = () => state.folder.value !== null;
  /** The one selected item, or the open folder; not what the server does not know yet. */
  const shareable = () => {
    const it = one() ? state.selected.value[0]! : some() ? null : state.folder.value;
    if (!it || isUnsent(it)) return null;
    // What is shared alone stands in no folder that is to be seen.
    if (it.parent_id || state.isSearch) return it;
    return state.space.value?.kind === 'team' ? { ...it, team: true } : null;
  };
  const allPinned = () => some() && state.selected.value.every((item) => state.keptHere.value.pinned.has(item.id));
  async function keepHere(): Promise<void> {
    const ids = state.selected.value.map((item) => item.id);
    const ending = allPinned();
    await (ending ? unpin : pin)(state.drive, ids);
    toast(t(ending ? 'keep.ended' : 'keep.started', { count: ids.length }, ids.length));
  }
  const allStarred = () => some() && state.selected.value.every((item) => state.starred.value.has(item.id));
  async function star(): Promise<void> {
    const on = !allStarred();
    const ids = state.selected.value.map((item) => item.id);
    const { setStar } = await import('@/data/edits');
    const put = (which: readonly string[], now: boolean) =>
      setStar(
        state.drive,
        which.map((id) => history.now(id)),
        now,
      );
    const changed = await put(ids, on);
    did({
      text: t(on ? 'places.added' : 'places.removed'),
      undo: async () => void (await put(changed, !on)),
      redo: async () => void (await put(changed, on)),
    });
  }
  /** The one selected folder, or the open one. */
  const watched = () => {
    const it = one() ? state.selected.value[0]! : some() ? null : state.folder.value;
    return it?.kind === 'folder' && !isUnsent(it) ? it : null;
  };
  const followed = useLive(() => isFollowed(state.drive.db, watched()?.id ?? null), true, [() => watched()?.id]);
  async function follow(): Promise<void> {
    const folder = watched();
    if (!folder) return;
    const on = !followed.value;
    await setFollowed(state.drive.db, folder.id, on);
    toast(t(on ? 'notices.following' : 'notices.muted', { name: folder.name || t('nav.personal') }));
  }
  const readOnly = () => (state.canEdit.value ? null : t('people.needEditor'));
  const hold = (mode: 'cut' | 'copy') => {
    clipboard.value = { mode, items: state.selected.value };
    // They are put somewhere else next, and the way there is by taps.
    if (state.picking.value) state.endPick();
    toast(t(mode === 'cut' ? 'toasts.cut' : 'toasts.copied'));
  };
  offer([
    {
      id: 'open',
      label: 'actions.open',
      group: 'file',
      icon: FolderOpen,
      shortcuts: ['enter', 'alt+arrowdown'],
      enabled: one,
      run: () => state.open(state.selected.value[0]!),
    },
    {
      id: 'show-in-folder',
      label: 'actions.showInFolder',
      group: 'go',
      icon: FolderSearch,
      shortcuts: ['mod+enter'],
      enabled: () => state.isSearch && one(),
      run: () => state.showInFolder(state.selected.value[0]!),
    },
    {
      id: 'quick-look',
      label: 'actions.quickLook',
      group: 'file',
      icon: Eye,
      shortcuts: ['space'],
      enabled: () => state.cursorItem.value !== null && some(),
      run: () => void (state.looking.value = true),
    },
    {
      id: 'download',
      label: 'actions.download',
      group: 'file',
      icon: Download,
      enabled: () => state.selected.value.some((item) => !isUnsent(item)),
      run: () => state.download(),
    },
    {
      id: 'keep-offline',
      label: 'keep.action',
      group: 'file',
      icon: CircleArrowDown,
      enabled: () => canKeep() && some() && state.selected.value.every((item) => !isUnsent(item)),
      checked: () => allPinned(),
      run: () => keepHere(),
    },
    {
      id: 'tags',
      label: 'tags.action',
      group: 'edit',
      icon: Tag,
      enabled: some,
      blocked: readOnly,
      run: () => void (tagging.value = state.selected.value),
    },
    {
      id: 'favourite',
      label: 'places.star',
      group: 'file',
      icon: Star,
      shortcuts: ['alt+b'],
      enabled: some,
      checked: () => allStarred(),
      run: () => star(),
    },
    {
      id: 'follow',
      label: 'notices.follow',
      group: 'file',
      icon: Bell,
      enabled: () => watched() !== null,
      checked: () => followed.value,
      run: () => follow(),
    },
    {
      id: 'share',
      label: 'share.action',
      group: 'file',
      icon: Share2,
      shortcuts: ['alt+s'],
      enabled: () => shareable() !== null,
      run: () => void (sharing.value = shareable()),
    },
    {
      id: 'rename',
      label: 'actions.rename',
      group: 'file',
      icon: PencilLine,
      shortcuts: ['f2'],
      enabled: one,
      blocked: readOnly,
      run: () => void (state.renaming.value = state.selected.value[0]!.id),
    },
    {
      id: 'duplicate',
      label: 'actions.duplicate',
      group: 'file',
      icon: CopyPlus,
      shortcuts: ['mod+d'],
      enabled: some,
      blocked: readOnly,
      run: () => state.duplicate(),
    },
    {
      id: 'move-to',
      label: 'actions.moveTo',
      group: 'file',
      icon: FolderInput,
      shortcuts: ['mod+shift+m'],
      enabled: some,
      blocked: readOnly,
      run: () => void (state.moving.value = state.selected.value),
    },
    {
      id: 'cut',
      label: 'actions.cut',
      group: 'edit',
      icon: Scissors,
      shortcuts: ['mod+x'],
      enabled: some,
      blocked: readOnly,
      run: () => hold('cut'),
    },
    {
      id: 'copy',
      label: 'actions.copy',
      group: 'edit',
      icon: Copy,
      shortcuts: ['mod+c'],
      enabled: some,
      run: () => hold('copy'),
    },
    {
      id: 'paste',
      label: 'actions.paste',
      group: 'edit',
      icon: ClipboardPaste,
      shortcuts: ['mod+v'],
      enabled: () => clipboard.value !== null && here(),
      blocked: readOnly,
      run: () => state.paste(),
    },
    {
      id: 'delete',
      label: 'actions.delete',
      group: 'edit',
      icon: Trash2,
      shortcuts: ['delete', 'mod+backspace'],
      danger: true,
      enabled: some,
      blocked: readOnly,
      run: () => state.remove(state.selected.value),
    },
    {
      id: 'undo',
      label: 'actions.undo',
      group: 'edit',
      icon: Undo2,
      shortcuts: ['mod+z'],
      enabled: canUndo,
      run: () => undo(),
    },
    {
      id: 'redo',
      label: 'actions.redo',
      group: 'edit',
      icon: Redo2,
      shortcuts: ['mod+shift+z', 'mod+y'],
      enabled: canRedo,
      run: () => redo(),
    },
    {
      id: 'select-all',
      label: 'actions.selectAll',
      group: 'edit',
      icon: SquareCheckBig,
      shortcuts: ['mod+a'],
      enabled: () => state.items.value.length > 0,
      run: () => state.selection.all(),
    },
    {
      id: 'pick',
      label: 'pick.action',
      group: 'edit',
      icon: ListChecks,
      enabled: () => matchMedia('(pointer: coarse)').matches && state.items.value.length > 0 && !state.picking.value,
      run: () => state.pick(),
    },
    {
      id: 'new-folder',
      label: 'actions.newFolder',
      group: 'file',
      icon: FolderPlus,
      shortcuts: ['alt+n'],
      enabled: here,
      blocked: readOnly,
      run: () => state.makeFolder(),
    },
    {
      id: 'upload',
      label: 'actions.upload',
      group: 'file',
      icon: Upload,
      shortcuts: ['alt+u'],
      enabled: here,
      blocked: readOnly,
      run: () => pickFiles(state.folder.value!, 'files'),
    },
    {
      id: 'upload-folder',
      label: 'actions.uploadFolder',
      group: 'file',
      icon: FolderUp,
      enabled: here,
      blocked: readOnly,
      run: () => pickFiles(state.folder.value!, 'folder'),
    },
    {
      id: 'up',
      label: 'actions.up',
      group: 'go',
      icon: CornerLeftUp,
      shortcuts: ['alt+arrowup', 'backspace'],
      enabled: () => state.crumbs.value.length > 1,
      run: () => {
        const from = state.folderId();
        state.open(state.crumbs.value.at(-2)!);
        state.awaitItems([from]);
      },
    },
  ]);
}
