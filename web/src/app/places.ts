// Where one can go from anywhere, and what can be done anywhere, as actions.
import {
  Bell,
  Clock,
  Command,
  Eraser,
  FolderOpen,
  History,
  Link2,
  LogOut,
  MoonStar,
  Search,
  Settings,
  Star,
  Tags,
  Trash2,
  UserRoundCheck,
  Users,
  UsersRound,
} from '@lucide/vue';
import { useRouter } from 'vue-router';
import { offer } from '@/actions/registry';
import { useDrive } from '@/data/drive';
import { bellOpen } from '@/features/notifications';
import { spaceDialog } from '@/features/share';
import { isDark, look } from '@/lib/look';
import { adminPlaces, mayOpen } from './adminPlaces';
import { drawerOpen, isPhone, paletteOpen } from './shell';

export function offerPlaces(how: { openSearch: () => void; leave: (clears?: boolean) => Promise<void> }): void {
  const drive = useDrive();
  const router = useRouter();
  offer([
    {
      id: 'palette',
      label: 'drive.search',
      group: 'go',
      icon: Command,
      shortcuts: ['mod+k'],
      hidden: true,
      run: () => void (paletteOpen.value = !paletteOpen.value),
    },
    {
      id: 'search',
      label: 'nav.search',
      group: 'go',
      icon: Search,
      shortcuts: ['/', 'mod+f'],
      run: how.openSearch,
    },
    {
      id: 'go-files',
      label: 'actions.goFiles',
      group: 'go',
      icon: FolderOpen,
      run: () => void router.push({ name: 'files' }),
    },
    {
      id: 'go-favourites',
      label: 'places.favourites',
      group: 'go',
      icon: Star,
      run: () => void router.push({ name: 'favourites' }),
    },
    {
      id: 'go-recent',
      label: 'places.recent',
      group: 'go',
      icon: Clock,
      run: () => void router.push({ name: 'recent' }),
    },
    {
      id: 'go-tags',
      label: 'tags.manage',
      group: 'go',
      icon: Tags,
      run: () => void router.push({ name: 'tags' }),
    },
    {
      id: 'notifications',
      label: 'notices.title',
      group: 'go',
      icon: Bell,
      shortcuts: ['alt+i'],
      run: () => {
        if (isPhone.value) drawerOpen.value = true;
        bellOpen.value = true;
      },
    },
    {
      id: 'go-with-me',
      label: 'people.withMe',
      group: 'go',
      icon: Users,
      run: () => void router.push({ name: 'shared', params: { which: 'with-me' } }),
    },
    {
      id: 'go-by-me',
      label: 'people.byMe',
      group: 'go',
      icon: UserRoundCheck,
      run: () => void router.push({ name: 'shared', params: { which: 'by-me' } }),
    },
    {
      id: 'new-space',
      label: 'spaces.new',
      group: 'file',
      icon: UsersRound,
      run: () => void (spaceDialog.value = 'new'),
    },
    {
      id: 'go-links',
      label: 'nav.links',
      group: 'go',
      icon: Link2,
      run: () => void router.push({ name: 'links' }),
    },
    {
      id: 'go-activity',
      label: 'nav.activity',
      group: 'go',
      icon: History,
      run: () => void router.push({ name: 'activity' }),
    },
    {
      id: 'go-trash',
      label: 'nav.trash',
      group: 'go',
      icon: Trash2,
      run: () => void router.push({ name: 'trash' }),
    },
    ...adminPlaces.map((place) => ({
      id: `go-${place.name}`,
      label: place.label,
      group: 'go' as const,
      icon: place.icon,
      enabled: () => mayOpen(place, drive.user.permissions),
      run: () => void router.push({ name: place.name }),
    })),
    {
      id: 'go-settings',
      label: 'actions.settings',
      group: 'go',
      icon: Settings,
      shortcuts: ['mod+,'],
      run: () => void router.push({ name: 'settings' }),
    },
    {
      id: 'theme',
      label: 'actions.theme',
      group: 'view',
      icon: MoonStar,
      run: () => void (look.theme = isDark() ? 'light' : 'dark'),
    },
    { id: 'sign-out', label: 'actions.signOut', group: 'go', icon: LogOut, run: () => how.leave() },
    { id: 'clear-device', label: 'leaving.action', group: 'go', icon: Eraser, run: () => how.leave(true) },
  ]);
}
