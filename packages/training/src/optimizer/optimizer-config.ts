import { z } from 'zod';

/** How the learning rate moves over a stage. */
export const scheduleConfig = z.strictObject({
  kind: z
    .enum(['constant', 'linear', 'cosine'])
    .default('cosine')
    .describe('The form in which the learning rate falls from its peak to `final` over the budget of the stage.'),
  warmUpSteps: z
    .int()
    .min(0)
    .default(0)
    .describe('Steps over which the learning rate rises from 0 to its peak, along a line.'),
  final: z.number().min(0).max(1).default(0.1).describe('Share of the peak that is left at the end of the budget.'),
});

/** The optimizer of a stage. */
export const optimizerConfig = z.strictObject({
  name: z
    .string()
    .default('adamw')
    .describe('adamw, adam, sgd, lion, adafactor, or the name of an optimizer that a plugin brings.'),
  learningRate: z.number().positive().default(1e-3).describe('The largest learning rate, reached after the warm-up.'),
  factors: z
    .record(z.string(), z.number().min(0))
    .default({})
    .describe(
      'Factors on the learning rate of some parameters, by their names, with * for any part of a name: `encoder.*`, `*.gate`. The first that fits counts; one that fits no parameter of the model is warned of.',
    ),
  schedule: scheduleConfig.prefault({}).describe('How the learning rate moves.'),
  weightDecay: z
    .number()
    .min(0)
    .default(0.01)
    .describe(
      'Share of a weight that is taken off per unit of learning rate; not for norms, biases, gates, embeddings.',
    ),
  clip: z
    .number()
    .positive()
    .nullable()
    .default(1)
    .describe('Largest global norm of the gradients; longer ones are shortened to it. null: never.'),
  accumulate: z
    .int()
    .min(1)
    .default(1)
    .describe('Batches whose gradients are averaged into one step, for batches larger than memory.'),
  options: z
    .record(z.string(), z.unknown())
    .default({})
    .describe("Further options of the optimizer, such as adamw's firstDecay, secondDecay, epsilon; sgd's momentum."),
});

/** The optimizer of a stage, defaults filled in. */
export type OptimizerConfig = Readonly<z.output<typeof optimizerConfig>>;

/** How the learning rate moves, defaults filled in. */
export type ScheduleConfig = Readonly<z.output<typeof scheduleConfig>>;
