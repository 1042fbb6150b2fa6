// All of them in English.
import { health } from './health.en';
import { jobs } from './jobs.en';
import { office } from './people.en';
import { plans } from './plans.en';
import { servers } from './servers.en';
import { settings } from './settings.en';
import { spaces } from './spaces.en';
import { zones } from './zones.en';

export const en = { ...health, ...jobs, ...office, ...plans, ...servers, ...settings, ...spaces, ...zones };
