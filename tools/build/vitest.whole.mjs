import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import { project, run } from './vitest.mjs';
import { workspaceRoot } from './workspace.mjs';

/** Test files that need a process of their own: they count what a process has loaded, measure it, or change it. */
const own = [
  'tools/*/test/**/*.test.ts',
  'packages/runtime-tfjs/test/**/*.test.ts',
  'packages/runtime-onnx/test/ort/**/*.test.ts',
  'packages/serving/test/door.test.ts',
  'packages/user-llm/test/import.test.ts',
];

/** The files that take longest: one that starts last leaves the other cores idle. */
const longest = [
  'tools/demo/test/demo.test.ts',
  'tools/build/test/pack.test.ts',
  'tools/build/test/app-folder.test.ts',
  'tools/build/test/imports.test.ts',
  'tools/check/test/readmes.test.ts',
  'tools/check/test/boundaries.test.ts',
  'tools/demo/test/outside-plugin.test.ts',
  'tools/models/test/tfjs-two-threads.test.ts',
  'packages/user-encoder/test/learning.test.ts',
  'packages/datasets/test/interrupted.test.ts',
  'packages/training/test/align.test.ts',
  'packages/graph/test/documentation.test.ts',
  'packages/datasets/test/conformance.test.ts',
  'packages/training/test/strategies.test.ts',
  'packages/training/test/run.test.ts',
  'packages/llm/test/conformance.test.ts',
  'packages/llm/test/families.test.ts',
  'packages/training/test/killed.test.ts',
];

/** Those in a process of their own, then those that share one (which lives until the end), each from long to short. */
class LongestFirst extends BaseSequencer {
  /** @param {import('vitest/node').TestSpecification[]} files */
  async sort(files) {
    const sorted = await super.sort(files);
    /** @param {import('vitest/node').TestSpecification} file */
    const rank = ({ project, moduleId }) => {
      const place = longest.findIndex((file) => moduleId.endsWith(file));
      return (project.config.isolate ? 0 : longest.length + 1) + (place < 0 ? longest.length : place);
    };
    return sorted.sort((one, other) => rank(one) - rank(other));
  }
}

/**
 * All tests in one run (`npm test`): two projects for the whole workspace, so that a module is transformed once and not
 * once a package, and files that share a process, so that it is loaded once and not once a file.
 */
export default defineConfig({
  root: workspaceRoot,
  test: {
    projects: [
      project({ name: 'own', include: own, testTimeout: 600_000, hookTimeout: 600_000 }),
      project({ name: 'shared', include: ['{packages,apps}/*/test/**/*.test.ts'], exclude: own, isolate: false }),
    ],
    sequence: { sequencer: LongestFirst },
    ...run,
  },
});
