import { project } from './vitest.mjs';

export default project({ testTimeout: 600_000, hookTimeout: 600_000 });
