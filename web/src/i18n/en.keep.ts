// English texts about files that are kept on the device.
export const keep = {
  keep: {
    action: 'Keep offline',
    kept: 'On this device',
    coming: 'Is being fetched to this device',
    started: 'It is being fetched to this device | {count} items are being fetched to this device',
    ended: 'It is no longer kept on this device | {count} items are no longer kept on this device',
    evicted:
      'This browser has cleared {count} file that was kept for offline. It is being fetched again. | This browser has cleared {count} files that were kept for offline. They are being fetched again.',
    full: 'There is no room for {count} file. Give more room in the settings. | There is no room for {count} files. Give more room in the settings.',
    cannot: 'This browser cannot keep files offline.',
    title: 'Kept offline',
    hint: 'Files that open without a connection.',
    room: 'Space limit',
    use: '{used} of {total}',
    left: '{count} file still to come | {count} files still to come',
    thumbs: 'Thumbnails',
    thumbsHint: 'Made on this device for the lists. They take at most {total}.',
    thumbsClear: 'Clear',
    none: 'Choose “Keep offline” for files and folders that you need without a connection.',
    remove: 'Keep “{name}” no longer',
  },
  leaving: {
    action: 'Sign out and clear this device…',
    row: 'Remove my files from this device',
    title: 'Sign out?',
    text: 'You can sign in again at any time.',
    lost: '{count} change has not reached the server and will be lost. | {count} changes have not reached the server and will be lost.',
    clear: 'Remove my files from this device',
    clearHint: 'Names, offline files and thumbnails are removed from this browser. Everything stays on the server.',
    cleared: 'Nothing of yours is left on this device',
    notCleared:
      'Something of yours could not be removed from this device. Clear the data of this site in the settings of the browser.',
  },
};
