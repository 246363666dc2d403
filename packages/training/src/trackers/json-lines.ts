import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Tracker } from '@user-llm/plugin';

/**
 * One JSON object a line in the run's folder, `figures.jsonl`: `{"time":"...","step":1,"loss":...}`; a resumed run adds
 * lines. Numbers that JSON does not have are null.
 *
 * @param now Milliseconds since 1970.
 */
export function jsonLinesTracker(now: () => number = Date.now): Tracker {
  return {
    specVersion: 1,
    name: 'jsonl',
    open: ({ folder }) => {
      mkdirSync(folder, { recursive: true });
      const file = openSync(join(folder, 'figures.jsonl'), 'a');
      return Promise.resolve({
        log: (step, figures) => {
          writeSync(file, `${JSON.stringify({ time: new Date(now()).toISOString(), step, ...figures })}\n`);
        },
        close: () => {
          closeSync(file);
          return Promise.resolve();
        },
      });
    },
  };
}
