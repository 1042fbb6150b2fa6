// Lint rules that need to know Vue and types; oxlint has the quick ones.
import pluginVue from 'eslint-plugin-vue';
import a11y from 'eslint-plugin-vuejs-accessibility';
import { defineConfigWithVueTs, vueTsConfigs } from '@vue/eslint-config-typescript';

/** A feature may use another one only through its index; `ui` knows nothing of the product. */
const features = [
  'auth',
  'drive',
  'upload',
  'settings',
  'admin',
  'trash',
  'review',
  'activity',
  'share',
  'look',
  'public',
  'search',
  'tags',
];
const boundaries = features.map((name) => ({
  files: [`src/features/${name}/**/*.{ts,vue}`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: features
          .filter((other) => other !== name)
          .map((other) => ({
            group: [`@/features/${other}/*`],
            message: `Import from '@/features/${other}', never from its inside.`,
          })),
      },
    ],
  },
}));

export default defineConfigWithVueTs(
  { ignores: ['dist/**', 'openapi/**', 'tests/e2e/out/**'] },
  pluginVue.configs['flat/essential'],
  vueTsConfigs.recommendedTypeChecked,
  ...a11y.configs['flat/recommended'],
  {
    files: ['**/*.{ts,vue}'],
    rules: {
      'vue/multi-word-component-names': 'off',
      'vue/no-v-html': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      // Labels are joined to their controls by id through the Field component, which the rule cannot see.
      'vuejs-accessibility/label-has-for': 'off',
      'vuejs-accessibility/form-control-has-label': 'off',
      // Lists are one focusable grid; its rows take clicks but not focus, as the ARIA grid pattern says.
      'vuejs-accessibility/click-events-have-key-events': 'off',
      'vuejs-accessibility/no-static-element-interactions': 'off',
      'vuejs-accessibility/interactive-supports-focus': 'off',
      'vuejs-accessibility/no-redundant-roles': 'off',
      // A sign-in page is about its first field.
      'vuejs-accessibility/no-autofocus': 'off',
    },
  },
  {
    files: ['src/ui/**/*.{ts,vue}'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['@/features/*', '@/data/*', '@/api/*', '@/actions/*', '@/app/*'],
              message: 'ui knows nothing of the product.',
            },
          ],
        },
      ],
    },
  },
  ...boundaries,
);
