// All of them in Russian.
import { health } from './health.ru';
import { jobs } from './jobs.ru';
import { office } from './people.ru';
import { plans } from './plans.ru';
import { servers } from './servers.ru';
import { settings } from './settings.ru';
import { spaces } from './spaces.ru';
import { zones } from './zones.ru';

export const ru = { ...health, ...jobs, ...office, ...plans, ...servers, ...settings, ...spaces, ...zones };
