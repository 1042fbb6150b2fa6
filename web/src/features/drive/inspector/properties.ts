// What people say of an entry in properties: what kinds there are, from what is typed to what is kept, and back to words.
import type { Schemas } from '@/api/client';
import type { Describe } from '@/data/outbox/ops';
import type { Item } from '@/data/project';

export type Property = Schemas['Property'];
export type Kind = Property['type'];
export const kinds: readonly Kind[] = ['text', 'number', 'date', 'boolean'];

/** This day, where the person is. */
export function today(now: Date = new Date()): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

/** A property of what was typed, or null where it is none of that kind. Numbers may be written with a comma and with spaces. */
export function toProperty(kind: Kind, typed: string): Property | null {
  const text = typed.trim();
  switch (kind) {
    case 'text':
      return text === '' ? null : { type: 'text', value: text };
    case 'number': {
      const value = Number(text.replaceAll(/\s/g, '').replace(',', '.'));
      return text !== '' && Number.isFinite(value) ? { type: 'number', value } : null;
    }
    case 'date':
      return /^\d{4}-\d\d-\d\d$/.test(text) ? { type: 'date', value: text } : null;
    case 'boolean':
      return { type: 'boolean', value: text === 'yes' };
  }
}

/** What a property says, but for those that are yes or no. */
export function propertyText(property: Property, language: string): string {
  if (property.type === 'number')
    return new Intl.NumberFormat(language, { maximumFractionDigits: 12 }).format(property.value);
  if (property.type === 'date') {
    const at = new Date(`${property.value}T12:00`);
    if (!Number.isNaN(at.getTime()))
      return new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short', year: 'numeric' }).format(at);
  }
  return String(property.value);
}

const same = (one: Property | null, other: Property | null) => one?.type === other?.type && one?.value === other?.value;

/** Whether an entry still says what a change made of it. */
export function saysStill(
  item: Pick<Item, 'description' | 'properties'>,
  { description, properties = {} }: Pick<Describe, 'description' | 'properties'>,
): boolean {
  if (description !== undefined && (item.description ?? null) !== description) return false;
  return Object.entries(properties).every(([key, one]) => same(item.properties?.[key] ?? null, one));
}
