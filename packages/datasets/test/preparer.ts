import { UserLlmError } from '@user-llm/tensor';
import { prepareDataset, simulated } from '../src/index.js';

// A process that prepares a data set and says each step as it begins, then `done` or the code of its error. The test
// kills it, or lets it run out of room.

const [output, size] = process.argv.slice(2) as [string, string];
// Without a listener the signal that a file is too large would end the process.
process.on('SIGXFSZ', () => undefined);
let last = '';

try {
  await prepareDataset({
    source: simulated(JSON.parse(size) as object),
    output,
    threads: 1,
    onProgress: ({ step }) => {
      if (step !== last) process.stdout.write(`${step}\n`);
      last = step;
    },
  });
  process.stdout.write('done\n');
} catch (error) {
  process.stdout.write(`${UserLlmError.isInstance(error) ? error.code : String(error)}\n`);
}
