import { z } from 'zod';
import { validationConfig } from '../../loop/validation.js';
import { stageFields } from '../stage-fields.js';
import { strategyNames } from '../strategy.js';
import { firstChoiceShareField } from './first-choice.js';

const formConfig = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('context').describe("The model reads the user's events by the encoder: User-LLM."),
    instruction: z
      .boolean()
      .optional()
      .describe(
        'Whether the question is put, as when absent; without it the answer follows at once, and a row is shorter.',
      ),
  }),
  z.strictObject({
    kind: z.literal('text').describe('The last events stand in the prompt, and nothing else is known: the baseline.'),
    lastEvents: z.int().min(0).default(10).describe('Events told at most.'),
    fields: z
      .array(z.enum(['categories', 'rating', 'summary', 'text']))
      .default(['categories', 'rating'])
      .describe("What is told of each event beside the item's title."),
  }),
]);

/** Tuning: the model learns to answer tasks about its user. */
export const tuneConfig = z
  .strictObject({
    kind: z.literal('tune').describe('Tunes the model on a mix of tasks.'),
    ...stageFields,
    strategy: z
      .enum(strategyNames)
      .default('full')
      .describe('What is trained: all (full), all but the LLM (enc), that with LoRA (lora), what lies between (proj).'),
    tasks: z
      .array(
        z.strictObject({
          name: z.string().describe('Name of the task, such as next-item or favourite-genre.'),
          weight: z.number().positive().default(1).describe('How often it is asked, relative to the others.'),
        }),
      )
      .min(1)
      .describe('What is asked.'),
    teacher: z
      .literal('encoder')
      .optional()
      .describe(
        "Whose expectation of an item is learned, choice by choice, in place of the title of the one that came: the encoder's, which then is not trained. Wants constrained titles and the form context.",
      ),
    firstChoiceShare: firstChoiceShareField,
    form: formConfig.prefault({ kind: 'context' }).describe('How the model gets to know the user.'),
    sampling: z
      .enum(['events', 'users'])
      .default('events')
      .describe('Whether every event, or every user, is asked about equally often.'),
    maximumEvents: z
      .int()
      .min(1)
      .optional()
      .describe('Events read before a place at most; as many as the model reads when absent.'),
    batchSize: z.int().min(1).default(32).describe('Examples per batch.'),
    maximumTokens: z
      .int()
      .min(8)
      .default(256)
      .describe('Tokens of an example at most: fewer events are told, and a longer answer is cut.'),
    tokenBuckets: z
      .array(z.int().min(1))
      .optional()
      .describe(
        'Lengths, in tokens, that batches are padded to; each is compiled anew, and so is each number of predictions. A row of them when absent.',
      ),
    pool: z
      .int()
      .min(1)
      .default(16)
      .describe('Batches whose examples are drawn together and sorted by length, so that little is padding.'),
    validation: validationConfig
      .extend({
        metric: z
          .string()
          .default('loss')
          .describe('loss, or loss/TASK: mean cross-entropy per predicted token of the answers.'),
        better: z.enum(['higher', 'lower']).default('lower').describe('Which values of the metric are better.'),
        examples: z.int().min(1).default(256).describe('Users asked, per task.'),
        controls: z
          .boolean()
          .default(false)
          .describe("Also the loss with another user's events (loss-wrong-user) and with none (loss-no-user)."),
      })
      .optional()
      .describe('Questions about the validation part; without it the last parameters are kept.'),
  })
  .superRefine(({ tasks, form, teacher, validation }, context) => {
    if (teacher !== undefined && form.kind !== 'context') {
      context.addIssue({
        code: 'custom',
        path: ['teacher'],
        message: 'needs the form context: the encoder must have read the user',
      });
    }
    if (form.kind === 'context' && form.instruction === false && tasks.length > 1) {
      context.addIssue({
        code: 'custom',
        path: ['form', 'instruction'],
        message: 'must be there with several tasks: without it nothing tells which one is asked',
      });
    }
    if (validation === undefined) return;
    const controls = validation.controls && form.kind === 'context' ? ['loss-wrong-user', 'loss-no-user'] : [];
    const figures = ['loss', ...tasks.map(({ name }) => `loss/${name}`), ...controls];
    if (figures.includes(validation.metric)) return;
    context.addIssue({
      code: 'custom',
      path: ['validation', 'metric'],
      message: `must be one of the figures there will be: ${figures.join(', ')}`,
    });
  });

/** Tuning, defaults filled in. */
export type TuneConfig = Readonly<z.output<typeof tuneConfig>>;
