import { initializeParameters, type Value } from '@user-llm/graph';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { Random } from '@user-llm/tensor';
import { CheckpointStore, optimizerConfig, train, type SavedValues } from '../src/index.js';
import type { Place } from '../src/index.js';
import { smallTask } from './small-task.js';

// A process that trains with a checkpoint after every step, and says when it is in the middle of writing one. The test
// kills it there.

const [folder, steps] = process.argv.slice(2) as [string, string];

class SlowStore extends CheckpointStore {
  override save(place: Place, parameters: SavedValues, optimizer: SavedValues, best: boolean): Promise<void> {
    process.stdout.write(`writing ${place.step}\n`);
    const slow = Object.entries(optimizer).map(([name, value]) => {
      const read = async () => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        return value.read();
      };
      return [
        name,
        { dtype: value.dtype, shape: value.shape, read } satisfies Pick<Value, 'dtype' | 'shape' | 'read'>,
      ] as const;
    });
    return super.save(place, parameters, Object.fromEntries(slow), best);
  }
}

const task = smallTask();
const runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
await train({
  task,
  runtime,
  weights: initializeParameters(task.parameters, Random.fromSeed(3)),
  trains: () => true,
  optimizer: optimizerConfig.parse({ learningRate: 0.01 }),
  budget: { steps: Number(steps) },
  seed: 11,
  checkpoints: new SlowStore(folder, 'config'),
  checkpointMinutes: 1e-9,
  folder,
});
await runtime.dispose();
process.stdout.write('done\n');
