import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Tracker } from '@user-llm/plugin';
import { scalarsEvent, tfRecord, versionEvent } from './event-file.js';

/**
 * Event files that TensorBoard reads, in the run's folder under `tensorboard/`; a resumed run adds a file.
 *
 * @param now Milliseconds since 1970.
 */
export function tensorBoardTracker(now: () => number = Date.now): Tracker {
  return {
    specVersion: 1,
    name: 'tensorboard',
    open: ({ folder }) => {
      const place = join(folder, 'tensorboard');
      mkdirSync(place, { recursive: true });
      const seconds = String(Math.floor(now() / 1000)).padStart(10, '0');
      // TensorBoard reads a run's files in the order of their names.
      const file = openSync(join(place, `events.out.tfevents.${seconds}.user-llm.${process.pid}`), 'a');
      const write = (event: Uint8Array) => void writeSync(file, tfRecord(event));
      write(versionEvent(now() / 1000));
      return Promise.resolve({
        log: (step, figures) => {
          write(scalarsEvent(now() / 1000, step, figures));
        },
        close: () => {
          closeSync(file);
          return Promise.resolve();
        },
      });
    },
  };
}
