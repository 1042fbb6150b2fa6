// What is asked about names that are taken, and what the server is told to do with each item by the answer.
import { expect, it } from 'vitest';
import { tagIndex, tagsOf, type Tag } from '@/data/marks';
import type { Item } from '@/data/project';
import { clashesOf, ruleFor } from '@/features/drive/clash';

const item = (name: string, kind: 'file' | 'folder'): Item => ({
  id: `ent_${name}`,
  space_id: 'spc_1',
  name,
  kind,
  revision: 1,
  created_at: '',
  modified_at: '',
});

it('offers only what can be done with the names that clash', () => {
  const there = [item('a', 'file'), item('b', 'folder'), item('c', 'folder')];
  expect(clashesOf([item('x', 'file')], there).items).toEqual([]);
  expect(clashesOf([item('a', 'file')], there).choices).toEqual(['rename', 'skip', 'replace']);
  expect(clashesOf([item('b', 'folder')], there).choices).toEqual(['rename', 'skip', 'merge']);
  // Nor is anything replaced or merged between spaces.
  expect(clashesOf([item('a', 'file'), item('b', 'folder')], there, true).choices).toEqual(['rename', 'skip']);
  // A file never takes the place of a folder.
  expect(clashesOf([item('c', 'file')], there).choices).toEqual(['rename', 'skip']);
});

it('keeps both where a choice is none for the item', () => {
  expect(ruleFor('merge', item('a', 'file'))).toBe('rename');
  expect(ruleFor('replace', item('b', 'folder'))).toBe('rename');
  expect(ruleFor('merge', item('b', 'folder'))).toBe('merge');
  expect(ruleFor('skip', item('a', 'file'))).toBe('skip');
});

it('shows a merged tag as the one it became, once, and no deleted one', () => {
  const tag = (id: string, name: string, merged_ids: string[]): Tag => ({
    id,
    name,
    merged_ids,
    colour: 'red',
    entries: null,
    space_id: 'spc_1',
  });
  const index = tagIndex([tag('tag_2', 'Urgent', ['tag_1']), tag('tag_3', 'Archive', [])]);
  const names = tagsOf({ tags: ['tag_1', 'tag_2', 'tag_3', 'tag_gone'] }, index).map((one) => one.name);
  expect(names).toEqual(['Archive', 'Urgent']);
});
