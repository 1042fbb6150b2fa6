// Where the parts of a file are, summed up by server: a large file is cut in many stretches, each with parts of its own.
import type { Schemas } from '@/api/client';

export interface ServerShare {
  node: string;
  parts: number;
  bytes: number;
  /** What its parts are for, where all of them are for the same. */
  role: 'data' | 'parity' | 'both';
  missing: number;
  damaged: number;
  /** When the part that was read back longest ago was; null when none was. */
  verifiedAt: string | null;
  /** Parts that nobody has read back yet. */
  unverified: number;
}
export interface PartsSummary {
  stretches: number;
  /** Stretches of which a part is missing or damaged. */
  hurtStretches: number;
  parts: number;
  hurt: number;
  /** Parts that are enough to read a stretch; null where every one is needed, or stretches differ. */
  enough: number | null;
  /** Whether some stretch has no spare parts. */
  spareless: boolean;
  servers: ServerShare[];
}

export function summarize({ extents }: Pick<Schemas['Parts'], 'extents'>): PartsSummary {
  const servers = new Map<string, ServerShare>();
  let hurtStretches = 0;
  for (const { parts } of extents) {
    if (parts.some((part) => part.state !== 'ok')) hurtStretches += 1;
    for (const part of parts) {
      const role = part.role === 'data' ? 'data' : 'parity';
      const known = servers.get(part.node_id);
      const share = known ?? {
        node: part.node_id,
        parts: 0,
        bytes: 0,
        role,
        missing: 0,
        damaged: 0,
        verifiedAt: null,
        unverified: 0,
      };
      servers.set(part.node_id, share);
      share.parts += 1;
      share.bytes += part.length;
      if (share.role !== role) share.role = 'both';
      if (part.state === 'missing') share.missing += 1;
      else if (part.state !== 'ok') share.damaged += 1;
      if (part.verified_at === null) share.unverified += 1;
      else if (share.verifiedAt === null || part.verified_at < share.verifiedAt) share.verifiedAt = part.verified_at;
    }
  }
  const shares = [...servers.values()];
  const needed = new Set(extents.map((extent) => extent.data_parts));
  const spareless = extents.some((extent) => extent.parity_parts === 0);
  const sum = (of: (share: ServerShare) => number) => shares.reduce((all, share) => all + of(share), 0);
  return {
    stretches: extents.length,
    hurtStretches,
    parts: sum((share) => share.parts),
    hurt: sum((share) => share.missing + share.damaged),
    enough: !spareless && needed.size === 1 ? [...needed][0]! : null,
    spareless,
    servers: shares,
  };
}
