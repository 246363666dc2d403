import { initializeParameters, parameterInputs, trainStepGraphs, type Runtime, type Symbolic } from '@user-llm/graph';
import { adam } from '@user-llm/optimizers';
import type { EncodedFeature, UserEncoderModule } from '@user-llm/plugin';
import { Random, tensor, type Tensor } from '@user-llm/tensor';
import { batchInputs } from './support.js';

/** A training step of a module on a runtime. */
export interface Trained {
  /** Takes one step and gives its loss. */
  step(feeds: Readonly<Record<string, Tensor>>, seed: number): Promise<number>;
  parameters(): Promise<Record<string, Tensor>>;
  dispose(): Promise<void>;
}

/** Compiles a training step for batches of one shape. */
export async function training(
  runtime: Runtime,
  module: UserEncoderModule,
  features: readonly EncodedFeature[],
  [rows, events]: readonly [number, number],
  learningRate: number,
): Promise<Trained> {
  const batch = batchInputs(features, rows, events);
  const { tree, named } = parameterInputs(module.parameters);
  const { features: columns, labels, mask, seed } = batch;
  const graphs = trainStepGraphs({
    inputs: [...batch.all, ...Object.values(named)] as Symbolic[],
    loss: module.loss(tree as never, { features: columns, labels, mask, seed }),
    parameters: named,
    optimizer: adam({ learningRate }),
  });
  const initial = initializeParameters(module.parameters, Random.fromSeed(7)) as Record<string, Tensor>;
  const init = await runtime.compile(graphs.init);
  const started = await init.run(initial);
  const state = await Promise.all(
    Object.entries(started).map(async ([name, value]) => [name, await value.read()] as const),
  );
  await init.dispose();
  const program = await runtime.compileTrainStep(graphs.fused, {
    carry: graphs.carry,
    initial: { ...initial, ...Object.fromEntries(state) },
  });
  return {
    step: async (feeds, at) => {
      const results = await program.run({ ...feeds, seed: tensor('int32', [], at) as unknown as Tensor });
      const [loss] = (await results['loss']!.read()).toArray() as number[];
      for (const value of Object.values(results)) value.dispose();
      return loss!;
    },
    parameters: async () =>
      Object.fromEntries(
        await Promise.all(Object.keys(named).map(async (name) => [name, await program.state[name]!.read()] as const)),
      ),
    dispose: async () => {
      await program.dispose();
    },
  };
}
