// What an account, or a token of it, may do, in the server's words and in people's.
import { i18n } from '@/i18n';

export const permissions = ['files.read', 'files', 'share', 'admin.users', 'admin.nodes'] as const;
export type Permission = (typeof permissions)[number];
const keys = {
  'files.read': 'keys.scope_files-read',
  files: 'keys.scope_files',
  share: 'keys.scope_share',
  'admin.users': 'keys.scope_admin-users',
  'admin.nodes': 'keys.scope_admin-nodes',
} as const;

export const permissionWords = (permission: Permission): string => i18n.global.t(keys[permission]);

/** In the order of the list. What a newer server knows beyond it is shown as it is. */
export function scopeWords(scopes: readonly string[]): string {
  const known = permissions.filter(
    (one) => scopes.includes(one) && !(one === 'files.read' && scopes.includes('files')),
  );
  const others = scopes.filter((one) => !permissions.includes(one as Permission));
  return [...known.map(permissionWords), ...others].join(', ');
}
