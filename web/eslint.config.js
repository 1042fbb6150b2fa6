// Lint rules that need to know Vue and types; oxlint has the quick ones.
import { readdirSync } from 'node:fs';
import pluginVue from 'eslint-plugin-vue';
import a11y from 'eslint-plugin-vuejs-accessibility';
import { defineConfigWithVueTs, vueTsConfigs } from '@vue/eslint-config-typescript';

/** A feature may use another one only through its index, at once or later, and through `later` for what comes with a later page. Each folder of `features` is one. */
const features = readdirSync(new URL('./src/features/', import.meta.url), { withFileTypes: true })
  .filter((one) => one.isDirectory())
  .map(({ name }) => name);
const boundaries = features.map((name) => {
  const inside = `^(?:@/features/|(?:\\.\\./){2,})(?:${features.filter((other) => other !== name).join('|')})/(?!later$).`;
  const message = "Import from '@/features/…', never from the inside of another feature.";
  return {
    files: [`src/features/${name}/**/*.{ts,vue}`],
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ regex: inside, message }] }],
      'no-restricted-syntax': [
        'error',
        { selector: `ImportExpression[source.value=/${inside.replaceAll('/', '\\/')}/]`, message },
        { selector: `TSImportType[source.value=/${inside.replaceAll('/', '\\/')}/]`, message },
      ],
    },
  };
});
const product = '^@/(?!lib/|styles/)';

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
      'vuejs-accessibility/heading-has-content': ['error', { accessibleChildren: ['NameText'] }],
      'vuejs-accessibility/anchor-has-content': ['error', { accessibleChildren: ['NameText'] }],
      // A sign-in page is about its first field.
      'vuejs-accessibility/no-autofocus': 'off',
    },
  },
  {
    files: ['src/ui/**/*.{ts,vue}'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: product, message: 'ui knows nothing of the product: only lib and styles.' }] },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: `ImportExpression[source.value=/${product.replaceAll('/', '\\/')}/]`,
          message: 'ui knows nothing of the product: only lib and styles.',
        },
      ],
    },
  },
  ...boundaries,
);
