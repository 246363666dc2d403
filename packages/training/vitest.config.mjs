import { project } from '../../tools/build/vitest.mjs';

export default project();
