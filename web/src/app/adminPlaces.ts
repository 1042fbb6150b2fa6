// The pages about the installation, in the order of their list, with the permission that each needs.
import { Activity, Gauge, Globe, HardDrive, Layers, ListChecks, SlidersHorizontal, UserRoundCog } from '@lucide/vue';
import type { Component } from 'vue';
import type { Permission } from '@/lib/permissions';

export interface AdminPlace {
  /** Of the route. */
  name: string;
  /** Key of the text. */
  label: string;
  icon: Component;
  /** One of them is enough. */
  needs: readonly Permission[];
}
export const adminPlaces: readonly AdminPlace[] = [
  { name: 'admin', label: 'house.overview', icon: Activity, needs: ['admin.nodes', 'admin.users'] },
  { name: 'people', label: 'house.people', icon: UserRoundCog, needs: ['admin.users'] },
  { name: 'admin-plans', label: 'house.plans', icon: Gauge, needs: ['admin.users'] },
  { name: 'admin-spaces', label: 'house.spaces', icon: Layers, needs: ['admin.users'] },
  { name: 'admin-settings', label: 'house.settings', icon: SlidersHorizontal, needs: ['admin.users'] },
  { name: 'admin-jobs', label: 'house.jobs', icon: ListChecks, needs: ['admin.nodes'] },
  { name: 'admin-servers', label: 'house.servers', icon: HardDrive, needs: ['admin.nodes'] },
  { name: 'admin-zones', label: 'house.zones', icon: Globe, needs: ['admin.nodes'] },
];

export const mayOpen = (place: AdminPlace, permissions: readonly string[]) =>
  place.needs.some((one) => permissions.includes(one));
