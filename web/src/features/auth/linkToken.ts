// The secret of a link from a letter. It stands behind `#`, so no server's log has it, and it leaves the address bar at once.
import { useRoute, useRouter } from 'vue-router';

export function useLinkToken(): string | null {
  const route = useRoute();
  const router = useRouter();
  const token = new URLSearchParams(route.hash.replace(/^#/, '')).get('token');
  if (token) void router.replace({ ...route, hash: '' });
  return token;
}
