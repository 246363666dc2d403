import workspace from '../../../eslint.config.mjs';

/**
 * The rules of the workspace with one program of all sources and tests in place of one a project: each file is parsed
 * once and each type is found once, which is for a run over everything. Editors keep to the project of their file.
 */
export default [
  ...workspace,
  {
    files: ['**/*.{ts,mts}'],
    languageOptions: { parserOptions: { projectService: false, project: 'tools/check/lint/tsconfig.json' } },
  },
];
