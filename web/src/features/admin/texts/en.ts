// All of them in English.
import { jobs } from './jobs.en';
import { office } from './people.en';
import { plans } from './plans.en';
import { servers } from './servers.en';
import { settings } from './settings.en';
import { spaces } from './spaces.en';

export const en = { ...jobs, ...office, ...plans, ...servers, ...settings, ...spaces };
