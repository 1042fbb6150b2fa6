// Small pictures of files: made on this device, since the server makes none yet, and kept here.
export type { Thumb } from './memory';
export { clearThumbs, thumbUse, useThumb } from './useThumb';
