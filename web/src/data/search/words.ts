// The words of the query language: operators and what some of them take, in English and Russian. What is printed (in
// addresses and saved searches) is always the English one, so that it means the same in every language.
import type { Kind } from '@/lib/kinds';
import { fold } from './fold';

export const operators = [
  'kind',
  'tag',
  'in',
  'space',
  'owner',
  'size',
  'before',
  'after',
  'modified',
  'created',
  'is',
] as const;
export type Operator = (typeof operators)[number];

export const states = ['favourite', 'shared', 'trashed'] as const;
export type State = (typeof states)[number];

/** Times by their names; others are written as dates. */
export const spans = ['today', 'yesterday', 'week', 'month', 'year'] as const;
export type Span = (typeof spans)[number];

function dictionary<T extends string>(words: Record<T, string>): ReadonlyMap<string, T> {
  const map = new Map<string, T>();
  for (const [meaning, spellings] of Object.entries(words) as [T, string][])
    for (const spelling of [meaning, ...spellings.split(' ')]) map.set(fold(spelling), meaning);
  return map;
}

export const operatorWords = dictionary<Operator>({
  kind: 'type вид тип',
  tag: 'tags label метка метки тег теги',
  in: 'folder в папка',
  space: 'пространство',
  owner: 'владелец чьё чей чьи',
  size: 'размер',
  before: 'до',
  after: 'since после с',
  modified: 'changed date изменено изменён изменена когда дата',
  created: 'создано создан создана',
  is: 'есть это',
});

export const kindWords = dictionary<Kind>({
  folder: 'folders dir directory папка папки',
  image: 'images picture pictures photo photos картинка картинки изображение изображения фото снимок снимки',
  video: 'videos film movie видео фильм',
  audio: 'sound music song аудио звук музыка',
  pdf: 'pdfs',
  document: 'documents doc word документ документы',
  sheet: 'sheets spreadsheet spreadsheets table excel таблица таблицы',
  slides: 'slide presentation presentations презентация презентации',
  archive: 'archives zip архив архивы',
  code: 'source код исходник исходники',
  text: 'texts текст тексты',
  font: 'fonts шрифт шрифты',
  file: 'other files другое прочее',
});

export const stateWords = dictionary<State>({
  favourite: 'favorite favourites favorites starred star избранное звезда',
  shared: 'share общее общий общая доступ',
  trashed: 'trash deleted bin корзина удалено удалённое удалённый',
});

export const spanWords = dictionary<Span>({
  today: 'сегодня',
  yesterday: 'вчера',
  week: 'неделя неделю',
  month: 'месяц',
  year: 'год',
});

export const selfWords = new Set(['me', 'mine', 'я', 'меня', 'мое', 'мой', 'мои'].map(fold));

/** What a word that may not be typed to its end can mean. */
export function meanings<T extends string>(words: ReadonlyMap<string, T>, text: string): T[] {
  const wanted = fold(text);
  const exact = words.get(wanted);
  if (exact !== undefined) return [exact];
  if (wanted === '') return [];
  return [...new Set([...words].filter(([word]) => word.startsWith(wanted)).map(([, meaning]) => meaning))];
}
