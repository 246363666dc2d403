import type { Registry, Tracker } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { jsonLinesTracker } from './json-lines.js';
import { tensorBoardTracker } from './tensorboard.js';

/**
 * A tracker by its name: one of ours, or of a plugin.
 *
 * @throws UserLlmError `unknown-part`, which lists those there are.
 */
export function trackerOf(name: string, registry: Registry): Tracker {
  const own = new Map([jsonLinesTracker(), tensorBoardTracker()].map((tracker) => [tracker.name, tracker]));
  const tracker = own.get(name) ?? registry.all('trackers').get(name);
  if (tracker) return tracker;
  throw new UserLlmError('unknown-part', {
    what: `trackers ${JSON.stringify(name)}`,
    expected: `one of ${[...own.keys(), ...registry.all('trackers').keys()].join(', ')}`,
    mend: 'Correct the name, or add the plugin that offers it.',
  });
}
