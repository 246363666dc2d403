import { initializeParameters, input, parameterInputs, trainStepGraphs, type TrainStepGraphs } from '@user-llm/graph';
import { benchmarkEncoder, encoder, nextItemLoss } from '@user-llm/models';
import { adamW } from '@user-llm/optimizers';
import { elements, Random, Tensor, type Id } from '@user-llm/tensor';

/** Users in a batch. */
const batch = 64;
const axes = ['batch', 'event'] as const;
const shape = [batch, benchmarkEncoder.positions] as const;

/** The settings of AdamW, PyTorch's own. */
const optimizer = adamW({ learningRate: 1e-3 });

/** The first values of all parameters, by name: the same for every engine. */
export function firstParameters(): Record<string, Tensor<'float32'>> {
  return initializeParameters(encoder(benchmarkEncoder).parameters, Random.fromSeed(0));
}

/** A batch of random items, and of those that follow, `[64, 50]`: the same for every engine. */
export function trainingBatch(): Record<'item' | 'next', Tensor<'int32'>> {
  const draw = (name: string): Tensor<'int32'> => {
    const numbers = Random.fromSeed(1).split(name).uniform(elements(shape));
    return new Tensor(
      'int32',
      axes,
      shape,
      Int32Array.from(numbers, (number) => number * benchmarkEncoder.items),
    );
  };
  return { item: draw('item'), next: draw('next') };
}

/** The training step of the encoder as graphs; its feeds are those of `trainingBatch`. */
export function trainingGraphs(): TrainStepGraphs {
  const model = encoder(benchmarkEncoder);
  const { tree, named } = parameterInputs(model.parameters);
  const item = input('item', 'int32' as Id<'item'>, axes, shape);
  const next = input('next', 'int32', axes, shape);
  const loss = nextItemLoss(tree, model.apply(tree, item), next);
  return trainStepGraphs({ inputs: [item, next, ...Object.values(named)], loss, parameters: named, optimizer });
}

/**
 * Floating-point operations of the matrix products of one step: those of the forward pass, and twice as many for the
 * gradients of both operands. What an engine computes a second time, or masks away, is counted as the model has it.
 */
export function matrixFlops(): number {
  const { items, positions, width, feedForward, layers } = benchmarkEncoder;
  const projections = 4 * width * width + 2 * width * feedForward;
  const scoresAndMixing = 2 * positions * width;
  const perEvent = layers * (projections + scoresAndMixing) + width * items;
  return 3 * 2 * batch * positions * perEvent;
}
