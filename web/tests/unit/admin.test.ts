// What the pages about the installation work out by themselves: limits, settings, warnings, amounts with units.
import { mount } from '@vue/test-utils';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Schemas } from '@/api/client';
import { warningsOf } from '@/features/admin/health/warnings';
import { objectOf } from '@/features/admin/people/deeds';
import { sumOf } from '@/features/admin/plans/effects';
import {
  changedLimits,
  countOf,
  effectLines,
  limitWords,
  loses,
  noLimits,
  type Effect,
} from '@/features/admin/plans/limits';
import { controlOf, grouped, valueOf, type Setting } from '@/features/admin/settings/known';
import { fullness, isOrphan, toneOf } from '@/features/admin/spaces/space';
import '@/features/admin/texts';
import { i18n } from '@/i18n';
import { formatSpan } from '@/lib/format';
import SizeField from '@/ui/SizeField.vue';

beforeEach(() => {
  i18n.global.locale.value = 'en';
});
const nothing: Effect = {
  spaces: 3,
  spaces_over_storage: 0,
  spaces_over_links: 0,
  spaces_over_members: 0,
  versions_to_go: 0,
  versions_to_go_bytes: 0,
  trashed_to_go: 0,
};

describe('limits of plans', () => {
  it('reads whole numbers within what the server takes', () => {
    expect(countOf('', 'links')).toBeNull();
    expect(countOf(' 12 ', 'members')).toBe(12);
    expect(countOf('0', 'links')).toBe(0);
    for (const [text, id] of [
      ['0', 'members'],
      ['1.5', 'links'],
      ['-1', 'links'],
      ['10001', 'versions_kept'],
      ['0', 'trash_days'],
      ['a', 'links'],
    ] as const)
      expect(countOf(text, id), `${text} ${id}`).toBeNaN();
  });

  it('sends only what is another thing now, and no limit as one', () => {
    const before = { ...noLimits, storage_bytes: 5, links: 3 };
    expect(changedLimits(before, before)).toEqual({});
    expect(changedLimits(before, { ...before, links: null, members: 4 })).toEqual({ links: null, members: 4 });
  });

  it('says all six, and which of them there are not', () => {
    const words = limitWords({ ...noLimits, storage_bytes: 107_374_182_400, trash_days: 1 });
    expect(words.map(({ text }) => text)).toEqual(['107\u00a0GB', null, null, '1 day', null, null]);
  });

  it('tells the worst of a change first, and what would be lost', () => {
    expect(effectLines(nothing)).toEqual([]);
    expect(loses(nothing)).toBe(false);
    const effect = {
      ...nothing,
      spaces_over_storage: 1,
      spaces_over_links: 2,
      versions_to_go: 5,
      versions_to_go_bytes: 2_000_000,
    };
    expect(effectLines(effect).map(({ id, tone }) => `${id} ${tone}`)).toEqual([
      'versions_to_go danger',
      'spaces_over_storage warning',
      'spaces_over_links warning',
    ]);
    expect(effectLines(effect)[0]?.text).toBe('5 older versions go (2\u00a0MB) when their files get new ones.');
    expect(loses(effect)).toBe(true);
  });

  it('adds up what a plan does to several spaces, leaving out those that refused', () => {
    const item = (effect: Effect | null) => ({ id: 'spc_1', space_id: 'spc_1', limits: null, effect, error: null });
    const view: Schemas['AssignmentView'] = {
      items: [
        item({ ...nothing, spaces: 1, trashed_to_go: 2 }),
        item(null),
        item({ ...nothing, spaces: 1, trashed_to_go: 3 }),
      ],
      preview: true,
      refused: 1,
    };
    expect(sumOf(view)).toEqual({ ...nothing, spaces: 2, trashed_to_go: 5 });
  });
});

describe('an amount with its unit', () => {
  async function field(value: number | null, language = 'en') {
    const changed = vi.fn((amount: number | null) => void wrapper.setProps({ modelValue: amount }));
    const wrapper: ReturnType<typeof mount> = mount(SizeField, {
      props: { modelValue: value, language, label: 'Room', unitLabel: 'Unit', 'onUpdate:modelValue': changed },
    });
    await wrapper.vm.$nextTick();
    return { wrapper, changed, input: wrapper.find('input'), unit: wrapper.find('select') };
  }

  it('shows it in the unit that reads best, and changes nothing by that', async () => {
    const { input, unit, changed } = await field(107_374_182_400);
    expect(input.element.value).toBe('107.374');
    expect(unit.element.selectedOptions[0]?.text).toBe('GB');
    expect(changed).not.toHaveBeenCalled();
    expect((await field(107_374_182_400, 'ru')).input.element.value).toBe('107,374');
  });

  it('takes both marks of a fraction, and the unit into account', async () => {
    const { input, unit, changed } = await field(null);
    await input.setValue('1,');
    expect(input.element.value).toBe('1,');
    await input.setValue('1,5');
    expect(changed).toHaveBeenLastCalledWith(1_500_000_000);
    unit.element.selectedIndex = 2;
    await unit.trigger('change');
    expect(changed).toHaveBeenLastCalledWith(1_500_000_000_000);
    await input.setValue('a lot');
    expect(changed.mock.lastCall?.[0]).toBeNaN();
    expect(input.element.value).toBe('a lot');
    await input.setValue('');
    expect(changed).toHaveBeenLastCalledWith(null);
  });
});

describe('settings of the server', () => {
  const setting = (key: string, value: unknown, from = value): Setting => ({
    key,
    value,
    default: from,
    source: 'configuration',
    meaning: 'm',
  });
  it('stand in groups, and those nobody has words for at the end', () => {
    const groups = grouped([
      setting('future', 1),
      setting('links', true),
      setting('welcome', ''),
      setting('name', 'H'),
    ]);
    expect(groups.map(({ id, settings }) => `${id}: ${settings.map(({ key }) => key).join()}`)).toEqual([
      'server: name,welcome',
      'links: links',
      'others: future',
    ]);
  });

  it('are changed by what fits their values', () => {
    expect(controlOf(setting('links', true))).toBe('switch');
    expect(controlOf(setting('registration', 'open'))).toBe('choice');
    expect(controlOf(setting('trash_days', 30))).toBe('number');
    expect(controlOf(setting('future', 'text'))).toBe('text');
    expect(valueOf(' 12 ', 'number')).toBe(12);
    // The server says what is wrong with it.
    expect(valueOf('twelve', 'number')).toBe('twelve');
    expect(valueOf('12', 'text')).toBe('12');
  });
});

describe('warnings', () => {
  const node = (more: Partial<Schemas['Node']> = {}): Schemas['Node'] => ({
    id: 'nod_1',
    address: '',
    state: 'active',
    live: true,
    last_seen_at: '2026-11-21T00:00:00Z',
    version: '1',
    total_bytes: 100,
    free_bytes: 50,
    part_bytes: 1,
    part_count: 1,
    writable: true,
    trouble: null,
    ...more,
  });
  const cluster: Schemas['ClusterView'] = {
    epoch: 1,
    parity: 2,
    strategy: 'rendezvous',
    moves: { settled: true, bytes_planned: 0, bytes_moved: 0, bytes_left: 0, bytes_per_second: 0, eta_seconds: null },
    repairs: { waiting: 0, failed: 0 },
    scrub: { pass_started_at: null, progress: 0, parts_checked: 0, damaged: 0 },
    garbage: { extents: 0, bytes: 0, oldest_at: null },
    intents: { open: 0, oldest_at: null },
  };
  const well = { nodes: [node()], cluster, queues: [], orphans: 0 };
  const ids = (seen: Parameters<typeof warningsOf>[0]) =>
    warningsOf(seen).map(({ id, tone, count }) => `${id} ${tone} ${count}`);

  it('are none where all is well, or nothing may be seen', () => {
    expect(ids(well)).toEqual([]);
    expect(ids({ nodes: null, cluster: null, queues: null, orphans: null })).toEqual([]);
  });

  it('begin with the worst', () => {
    const seen = {
      nodes: [
        node({ live: false }),
        node({ state: 'removed', live: false }),
        node({ free_bytes: 2, writable: false }),
        node({ free_bytes: 8 }),
        node({ writable: false }),
      ],
      cluster: { ...cluster, moves: { ...cluster.moves, settled: false }, repairs: { waiting: 3, failed: 2 } },
      queues: [
        { kind: 'mail', waiting: 1, dead: 4, lag_seconds: 601, cancellable: true },
        { kind: 'files.repair', waiting: 1, dead: 1, lag_seconds: 600, cancellable: false },
      ],
      orphans: 1,
    };
    expect(ids(seen)).toEqual([
      'down danger 1',
      'full danger 1',
      'lost danger 2',
      'readonly warning 1',
      'almostFull warning 1',
      'dead warning 5',
      'late warning 1',
      'orphans warning 1',
      'repairing note 3',
      'moving note 1',
    ]);
  });
});

it('tells how full a space is, and who manages it', () => {
  expect(fullness({ used_bytes: 30, reserved_bytes: 20, quota_bytes: 100 })).toBe(0.5);
  expect(fullness({ used_bytes: 30, reserved_bytes: 0, quota_bytes: null })).toBeNull();
  expect(fullness({ used_bytes: 1, reserved_bytes: 0, quota_bytes: 0 })).toBe(1);
  expect(fullness({ used_bytes: 0, reserved_bytes: 0, quota_bytes: 0 })).toBe(0);
  expect([null, 0.5, 0.9, 0.96].map(toneOf)).toEqual(['quiet', 'quiet', 'accent', 'danger']);
  expect(isOrphan({ kind: 'team', managers: 0 })).toBe(true);
  expect(isOrphan({ kind: 'personal', managers: 0 })).toBe(false);
});

it('says what a line of the log is about', () => {
  expect(objectOf({ action: 'plan-given', detail: { plan: null, plan_name: null } })).toBe('No plan');
  expect(objectOf({ action: 'settings-changed', detail: { after: { trash_days: 3, later: 1 } } })).toBe(
    'Time in the trash, later',
  );
  expect(objectOf({ action: 'job-retried', detail: { kind: 'mail' } })).toBe('Send an email');
  expect(objectOf({ action: 'sign-in', detail: {} })).toBeNull();
  expect(objectOf({ action: 'settings-changed', detail: null })).toBeNull();
});

it('names lengths of time by their largest unit', () => {
  expect([5, 65, 7300, 200_000].map((seconds) => formatSpan(seconds, 'en'))).toEqual([
    '5 sec',
    '1 min',
    '2 hr',
    '2 days',
  ]);
});
