// The texts of pages that are about accounts: of signing in and of the settings. They come with these
// pages, since the first list needs none of them. Russian is fetched whole anyway.
import { account } from './en.account';
import { ways } from './en.ways';

export const later = { ...account, ...ways };
