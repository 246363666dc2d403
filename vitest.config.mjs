import { defineConfig } from 'vitest/config';
import { run } from './tools/build/vitest.mjs';

/** Every package by itself, each test file in a process of its own: `vitest run --project '@user-llm/tensor'`. */
export default defineConfig({
  test: { projects: ['packages/*', 'apps/*', 'tools/*/vitest.config.mjs'], ...run },
});
