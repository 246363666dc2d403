import javascript from '@eslint/js';
import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import * as jsonc from 'jsonc-eslint-parser';
import typescript from 'typescript-eslint';

/** The floors of the house, lowest first; a package imports only from floors below its own. */
const floors = Array.from({ length: 8 }, (_, floor) => `floor:${floor}`);

const floorConstraints = floors.map((sourceTag, floor) => ({
  sourceTag,
  onlyDependOnLibsWithTags: floors.slice(0, floor),
}));

/** Lint reads types, so that a promise nobody awaits or a case nobody handles is an error. */
const typed = { languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } } };

const oneDoorPerPackage = {
  regex: '^@user-llm/[^/]+/(?!testing$)',
  message: "Import a package by its door: '@user-llm/NAME' or '@user-llm/NAME/testing'.",
};

export default typescript.config(
  {
    ignores: [
      '**/dist',
      '**/out-tsc',
      '**/node_modules',
      '**/.nx',
      '**/.cache',
      '**/runs',
      '**/coverage',
      '**/goldens',
    ],
  },
  { linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' } },
  { ...javascript.configs.recommended, files: ['**/*.{ts,mts,mjs,cjs}'] },
  { files: ['**/*.{ts,mts,mjs,cjs}'], plugins: { '@nx': nx } },
  { files: ['**/*.{ts,mts}'], extends: [typescript.configs.strict, typescript.configs.stylistic], ...typed },
  {
    files: ['tools/build/test/**/*.ts'],
    languageOptions: { parserOptions: { projectService: false, project: 'tools/build/tsconfig.tools.json' } },
  },
  {
    files: ['**/*.{mjs,cjs}'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'URL',
          'Buffer',
          'setTimeout',
          'clearTimeout',
          'setImmediate',
          'performance',
          'require',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
  {
    files: ['**/*.{ts,mts,mjs}'],
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: true,
          allow: [],
          // A package loads nothing at import, so that one file may ask for it lazily and another not.
          checkDynamicDependenciesExceptions: ['.*'],
          depConstraints: [...floorConstraints, { sourceTag: 'floor:tools', onlyDependOnLibsWithTags: ['*'] }],
        },
      ],
      'no-restricted-imports': ['error', { patterns: [oneDoorPerPackage] }],
    },
  },
  {
    files: ['**/src/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            oneDoorPerPackage,
            { regex: '/index(\\.js)?$', message: 'Inside a package, import the file that owns the name.' },
          ],
        },
      ],
    },
  },
  {
    files: ['**/*.{ts,mts}'],
    rules: {
      eqeqeq: ['error', 'always'],
      'max-lines': ['error', { max: 800 }],
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx', 'hack'], location: 'start' }],
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': 'allow-with-description' }],
      '@typescript-eslint/consistent-indexed-object-style': 'off',
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-misused-promises': 'error',
      // Indexing a typed array below its length is the daily bread of kernels; `noUncheckedIndexedAccess` asks for the `!`.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: ['**/index.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportAllDeclaration', message: 'A door names what it exports.' },
        { selector: 'Program > ExpressionStatement', message: 'Nothing runs when a package is imported.' },
      ],
      'no-restricted-imports': ['error', { patterns: [oneDoorPerPackage] }],
    },
  },
  {
    files: ['**/test/**/*.{ts,mts}'],
    rules: {
      'no-restricted-properties': [
        'error',
        ...['it', 'test', 'describe'].flatMap((object) =>
          ['skip', 'only', 'todo'].map((property) => ({
            object,
            property,
            message: 'A test runs, or says by skipIf what it misses.',
          })),
        ),
      ],
      '@typescript-eslint/explicit-module-boundary-types': 'off',
    },
  },
  {
    files: ['**/test/**/*.test-d.ts'],
    rules: { '@typescript-eslint/no-unused-vars': 'off', '@typescript-eslint/ban-ts-comment': 'off' },
  },
  { files: ['**/*.config.mjs', '**/bin/*.mjs'], rules: { '@nx/enforce-module-boundaries': 'off' } },
  {
    files: ['packages/*/package.json', 'apps/*/package.json', 'tools/*/package.json'],
    languageOptions: { parser: jsonc },
    plugins: { '@nx': nx },
    rules: {
      '@nx/dependency-checks': [
        'error',
        {
          ignoredFiles: ['{projectRoot}/*.config.mjs', '{projectRoot}/test/**', '{projectRoot}/stress/**'],
          checkObsoleteDependencies: true,
          checkVersionMismatches: true,
          checkMissingDependencies: true,
          // Optional peers, found by their path when they are there; and what @commander-js/extra-typings imports.
          ignoredDependencies: ['@tensorflow/tfjs-node', '@tensorflow/tfjs-node-gpu', 'commander'],
        },
      ],
    },
  },
  prettier,
);
