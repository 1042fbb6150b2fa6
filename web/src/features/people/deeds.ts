// What the log of accounts tells of, in the server's words.
export const deeds = [
  'sign-in',
  'sign-in-failed',
  'registered',
  'password-changed',
  'password-reset-asked',
  'password-reset',
  'email-changed',
  'second-factor-on',
  'second-factor-off',
  'recovery-codes-made',
  'token-made',
  'token-removed',
  's3-key-made',
  's3-key-removed',
  'invited',
  'account-made',
  'account-changed',
  'sessions-ended',
] as const;
export type Deed = (typeof deeds)[number];
