// English texts about zones.
export const zones = {
  zones: {
    map: 'Map of the world without any zones on it',
    one: 'This installation is one zone',
    what: 'A zone is a place in the world with servers of its own, so that people get their files from the nearest one. All storage servers here belong together and keep every file in parts among them, so there is nothing to tell apart on the map.',
    servers: 'See the storage servers',
  },
};
