// Where the parts of a file are: one row for each server, whatever the number of stretches.
import { describe, expect, it } from 'vitest';
import type { Schemas } from '@/api/client';
import { summarize } from '@/features/drive/inspector/parts';

const part = (node: string, over: Partial<Schemas['Part']> = {}): Schemas['Part'] => ({
  node_id: node,
  index: 0,
  role: 'data',
  state: 'ok',
  length: 10,
  checksum: '0',
  verified_at: '2026-11-20T00:00:00.000000Z',
  ...over,
});
function extent(parts: Schemas['Part'][], parity_parts = 1): Schemas['Extent'] {
  return { data_parts: 2, parity_parts, group: 1, length: 20, offset: 0, unit: 10, parts };
}

describe('the parts of a file', () => {
  it('sums all stretches up by server', () => {
    const it = summarize({
      extents: [
        extent([part('a'), part('b'), part('c', { role: 'parity' })]),
        extent([
          part('b', { verified_at: '2026-11-18T00:00:00.000000Z' }),
          part('c', { role: 'parity' }),
          part('a', { role: 'parity', verified_at: null }),
        ]),
      ],
    });
    expect(it).toMatchObject({ stretches: 2, hurtStretches: 0, parts: 6, hurt: 0, enough: 2, spareless: false });
    expect(it.servers).toMatchObject([
      { node: 'a', parts: 2, bytes: 20, role: 'both', unverified: 1, verifiedAt: '2026-11-20T00:00:00.000000Z' },
      { node: 'b', parts: 2, role: 'data', unverified: 0, verifiedAt: '2026-11-18T00:00:00.000000Z' },
      { node: 'c', parts: 2, role: 'parity' },
    ]);
  });

  it('tells what is missing or damaged beyond the first stretch too', () => {
    const it = summarize({
      extents: [
        extent([part('a'), part('b')]),
        extent([part('a', { state: 'damaged' }), part('b', { state: 'missing', verified_at: null })]),
      ],
    });
    expect(it).toMatchObject({ hurtStretches: 1, hurt: 2 });
    expect(it.servers).toMatchObject([
      { node: 'a', damaged: 1, missing: 0 },
      { node: 'b', damaged: 0, missing: 1, unverified: 1 },
    ]);
  });

  it('says that every part is needed where a stretch has no spare ones', () => {
    expect(summarize({ extents: [extent([part('a')]), extent([part('a')], 0)] })).toMatchObject({
      enough: null,
      spareless: true,
    });
  });
});
