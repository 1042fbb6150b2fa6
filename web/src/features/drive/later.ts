// What other features may use of the drive that comes with the first of their pages, and not with the drive itself.
export { propertyText, type Property } from './inspector/properties';
export { default as ItemsPage } from './ItemsPage.vue';
export { useListPrefs } from './listPrefs';
export { driveActions } from './told';
export { useTotalsOfEach } from './totalsOfEach';
