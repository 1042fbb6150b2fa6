// The texts of pages that are about accounts: of signing in, of the settings, and of administration. They come with these
// pages, since the first list needs none of them. Russian is fetched whole anyway.
import { account } from './en.account';
import { office } from './en.admin';
import { ways } from './en.ways';

export const later = { ...account, ...office, ...ways };
