// What giving a plan would do to several spaces together.
import type { Schemas } from '@/api/client';
import type { Effect } from './limits';

const nothing: Effect = {
  spaces: 0,
  spaces_over_storage: 0,
  spaces_over_links: 0,
  spaces_over_members: 0,
  versions_to_go: 0,
  versions_to_go_bytes: 0,
  trashed_to_go: 0,
};

export function sumOf(view: Schemas['AssignmentView']): Effect {
  const sum = { ...nothing };
  for (const { effect } of view.items) {
    if (!effect) continue;
    for (const key of Object.keys(nothing) as (keyof Effect)[]) sum[key] += effect[key];
  }
  return sum;
}
