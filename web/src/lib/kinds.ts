// What a file is to a person: its kind, from its type and its name.
import { extension } from './names';

export type Kind =
  | 'folder'
  | 'image'
  | 'video'
  | 'audio'
  | 'pdf'
  | 'document'
  | 'sheet'
  | 'slides'
  | 'archive'
  | 'code'
  | 'text'
  | 'font'
  | 'file';

const byExtension: Record<string, Kind> = {};
const put = (kind: Kind, endings: string) => {
  for (const ending of endings.split(' ')) byExtension[ending] = kind;
};
put('image', 'jpg jpeg png gif webp avif svg bmp ico heic tif tiff');
put('video', 'mp4 m4v webm mov mkv avi ogv');
put('audio', 'mp3 m4a aac ogg oga opus flac wav');
put('pdf', 'pdf');
put('document', 'doc docx odt rtf pages epub');
put('sheet', 'xls xlsx ods csv tsv numbers');
put('slides', 'ppt pptx odp key');
put('archive', 'zip tar gz tgz xz zst bz2 7z rar');
put(
  'code',
  'ts js mjs cjs tsx jsx vue rs py go java kt c h cc cpp hpp cs rb php swift sh bash sql html css scss less xml json jsonc yaml yml toml ini proto lua dart ex hs',
);
put('text', 'txt md markdown log rst conf cfg env');
put('font', 'ttf otf woff woff2');

export function kindOf(entry: { kind: 'folder' | 'file'; name: string; content_type?: string | null }): Kind {
  if (entry.kind === 'folder') return 'folder';
  const known = byExtension[extension(entry.name)];
  if (known) return known;
  const type = entry.content_type ?? '';
  if (type.startsWith('image/')) return 'image';
  if (type.startsWith('video/')) return 'video';
  if (type.startsWith('audio/')) return 'audio';
  if (type === 'application/pdf') return 'pdf';
  if (type.startsWith('text/')) return 'text';
  return 'file';
}

/** The hue of a kind on the one wheel of the design; null for kinds that stay grey. */
export const kindHue: Record<Kind, number | null> = {
  folder: 255,
  image: 190,
  video: 300,
  audio: 350,
  pdf: 25,
  document: 255,
  sheet: 150,
  slides: 50,
  archive: 75,
  code: 190,
  text: null,
  font: 300,
  file: null,
};

/** The name of highlight.js for an ending, where it differs from the ending. */
export const languageOf: Record<string, string> = {
  ts: 'typescript',
  tsx: 'typescript',
  js: 'javascript',
  mjs: 'javascript',
  cjs: 'javascript',
  jsx: 'javascript',
  vue: 'xml',
  rs: 'rust',
  py: 'python',
  rb: 'ruby',
  kt: 'kotlin',
  sh: 'bash',
  html: 'xml',
  svg: 'xml',
  yml: 'yaml',
  jsonc: 'json',
  toml: 'ini',
  cc: 'cpp',
  hpp: 'cpp',
  h: 'c',
  cs: 'csharp',
  md: 'markdown',
};
