// The secret of a link from a letter. It stands behind `#`, so no server's log has it, and it leaves the address bar at once.
import { shallowRef } from 'vue';
import { useRoute, useRouter } from 'vue-router';

/** The invitation that somebody came with, for as long as they stay: whoever looks at the sign-in page finds back to it. */
export const heldInvitation = shallowRef<string | null>(null);

export function useLinkToken(): string | null {
  const route = useRoute();
  const router = useRouter();
  const token = new URLSearchParams(route.hash.replace(/^#/, '')).get('token');
  if (token) void router.replace({ ...route, hash: '' });
  return token;
}

export function useInvitation(): string | null {
  heldInvitation.value = useLinkToken() ?? heldInvitation.value;
  return heldInvitation.value;
}
