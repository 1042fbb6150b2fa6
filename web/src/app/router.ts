// Where the pages are. All but the drive come when they are first opened.
import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router';
import { DrivePage } from '@/features/drive';
import { learnLaterTexts } from '@/i18n';
import AppShell from './AppShell.vue';
import { session } from './session';

const routes: RouteRecordRaw[] = [
  { path: '/signin', name: 'signin', component: () => import('@/features/auth/SignInPage.vue'), meta: { open: true } },
  {
    path: '/sign-in/:provider',
    name: 'provider',
    component: () => import('@/features/auth/ProviderPage.vue'),
    props: true,
    meta: { open: true },
  },
  {
    path: '/register',
    name: 'register',
    component: () => import('@/features/auth/RegisterPage.vue'),
    meta: { open: true },
  },
  {
    path: '/invitation',
    name: 'invitation',
    component: () => import('@/features/auth/RegisterPage.vue'),
    props: { invited: true },
    meta: { open: true },
  },
  {
    path: '/verify-email',
    name: 'verify-email',
    component: () => import('@/features/auth/VerifyEmailPage.vue'),
    meta: { open: true },
  },
  {
    path: '/forgot-password',
    name: 'forgot-password',
    component: () => import('@/features/auth/ForgotPage.vue'),
    meta: { open: true },
  },
  {
    path: '/reset-password',
    name: 'reset-password',
    component: () => import('@/features/auth/ResetPage.vue'),
    meta: { open: true },
  },
  {
    path: '/',
    component: AppShell,
    children: [
      { path: '', redirect: { name: 'files' } },
      { path: 'files/:folder?', name: 'files', component: DrivePage },
      { path: 'search', name: 'search', component: () => import('@/features/search/SearchPage.vue') },
      { path: 'activity', name: 'activity', component: () => import('@/features/activity/ActivityPage.vue') },
      {
        path: 'shared/:which(with-me|by-me)',
        name: 'shared',
        component: () => import('@/features/gathered/GatheredPage.vue'),
        props: true,
      },
      {
        path: 'favourites',
        name: 'favourites',
        component: () => import('@/features/gathered/GatheredPage.vue'),
        props: { which: 'favourites' },
      },
      {
        path: 'recent',
        name: 'recent',
        component: () => import('@/features/gathered/GatheredPage.vue'),
        props: { which: 'recent' },
      },
      { path: 'tags', name: 'tags', component: () => import('@/features/tags/TagsPage.vue') },
      // The places that tags had before there was a search.
      { path: 'tags/:tag', redirect: ({ params }) => ({ name: 'search', query: { q: `tag:${String(params.tag)}` } }) },
      { path: 'links', name: 'links', component: () => import('@/features/share/LinksPage.vue') },
      { path: 'trash', name: 'trash', component: () => import('@/features/trash/TrashPage.vue') },
      { path: 'settings', name: 'settings', component: () => import('@/features/settings/SettingsPage.vue') },
      {
        path: 'admin',
        component: () => import('@/features/admin/AdminPage.vue'),
        children: [
          { path: '', name: 'admin', component: () => import('@/features/admin/health/HealthPage.vue') },
          {
            path: 'people/:tab?',
            name: 'people',
            component: () => import('@/features/admin/people/PeoplePage.vue'),
            props: true,
          },
          { path: 'plans', name: 'admin-plans', component: () => import('@/features/admin/plans/PlansPage.vue') },
          {
            path: 'spaces/:tab(uploads)?',
            name: 'admin-spaces',
            component: () => import('@/features/admin/spaces/SpacesPage.vue'),
            props: true,
          },
          {
            path: 'settings',
            name: 'admin-settings',
            component: () => import('@/features/admin/settings/ServerSettingsPage.vue'),
          },
          { path: 'jobs', name: 'admin-jobs', component: () => import('@/features/admin/jobs/JobsPage.vue') },
          {
            path: 'servers',
            name: 'admin-servers',
            component: () => import('@/features/admin/servers/ServersPage.vue'),
          },
          { path: 'zones', name: 'admin-zones', component: () => import('@/features/admin/zones/ZonesPage.vue') },
        ],
      },
    ],
  },
  { path: '/ui', name: 'ui', component: () => import('@/ui/demo/UiDemo.vue'), meta: { open: true } },
  { path: '/:rest(.*)*', name: 'nothing', component: () => import('./NothingPage.vue'), meta: { open: true } },
];

export const router = createRouter({ history: createWebHistory(), routes });

/** Pages that need nobody signed in, settings and administration speak of accounts: their texts are there before them. */
const speaksOfAccounts = /^\/(?:settings|admin)(?:\/|$)/;
router.beforeResolve(async (to) => {
  if (to.meta.open || speaksOfAccounts.test(to.path)) await learnLaterTexts();
});

router.beforeEach((to) => {
  if (!session.value && !to.meta.open)
    return { name: 'signin', query: to.fullPath === '/files' || to.fullPath === '/' ? {} : { next: to.fullPath } };
  if (session.value && (to.name === 'signin' || to.name === 'register')) return { name: 'files' };
  return true;
});
