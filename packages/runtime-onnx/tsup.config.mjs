import { copyFile } from 'node:fs/promises';
import { library } from '../../tools/build/tsup.mjs';

export default {
  ...library(),
  // The worker is started by its path beside the built package, so it is a file of its own.
  onSuccess: () => copyFile('src/ort/package-worker.mjs', 'dist/package-worker.mjs'),
};
