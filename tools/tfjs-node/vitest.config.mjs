import { project } from '../build/vitest.mjs';

export default project();
