import { project } from '../../tools/build/vitest.mjs';

export default project({ testTimeout: 60_000, hookTimeout: 60_000 });
