import { loraConfig } from '@user-llm/fusion';
import type { EventSchema } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';
import { partChoice } from './part-choice.js';

const feature = z.looseObject({
  kind: z.string().min(1).describe('Kind of feature: `id`, `multi-id`, `ordinal`, `bucket`, `text`, or a plugin’s.'),
  from: z
    .enum(['event', 'item', 'time-gap', 'hour'])
    .optional()
    .describe('Where its value is found: a field of the event (when absent), of its item, or the time itself.'),
  field: z.string().min(1).optional().describe('The field; the feature’s own name when absent.'),
  slots: z.int().min(1).optional().describe('Ids per event, where one event has several.'),
});

/** The config of a User-LLM: meaning and unit of every field, and what is filled in. */
export const userLlmConfig = z
  .strictObject({
    format: z.literal('user-llm').default('user-llm').describe('What this is the config of.'),
    events: z
      .record(z.string().min(1), feature)
      .describe('What is read of each event: features by name, each turned to ids by its kind.'),
    item: z.string().min(1).default('item').describe('Name of the feature that is predicted and ranked: the item.'),
    maximumEvents: z
      .int()
      .min(1)
      .optional()
      .describe('Events of a history that are read: the last ones count. As many as the encoder reads when absent.'),
    encoder: partChoice.describe('Distils a history into one embedding per event.'),
    compressor: partChoice
      .prefault({ name: 'perceiver' })
      .describe('Compresses the embeddings of a history into the latents that the LLM reads.'),
    fusion: partChoice.prefault({ name: 'cross-attention' }).describe('How the LLM reads the latents.'),
    lora: loraConfig.optional().describe('Low-rank adapters on linear maps of the LLM; none when absent.'),
    llm: partChoice.describe('The decoder-only language model that answers.'),
    titles: z
      .enum(['free', 'constrained'])
      .optional()
      .describe(
        "How items' titles are learned and ranked: `constrained` as choices among the tokens by which some title of the catalogue goes on, `free` (when absent) as any text. Constrained, a title is read no further than it differs from all others, in training and in search, and what the LLM writes freely after the last choice was never trained.",
      ),
  })
  .superRefine(({ events, item }, context) => {
    const refuse = (path: string[], message: string): void => {
      context.addIssue({ code: 'custom', path, message });
    };
    if (!(item in events)) {
      refuse(['item'], `must be one of the features in events: ${Object.keys(events).join(', ') || 'none'}`);
    }
    // The mask of a batch has this name among the features' ids.
    if ('mask' in events) refuse(['events', 'mask'], 'cannot be the name of a feature; choose another');
  });

/** What a caller writes: fields with defaults may be left out. */
export type UserLlmConfigInput = Omit<z.input<typeof userLlmConfig>, 'events'> & { readonly events: EventSchema };

/** A checked config of a User-LLM, defaults filled in; the parts' own configs are checked when it is composed. */
export type UserLlmConfig = Omit<z.output<typeof userLlmConfig>, 'events'> & { readonly events: EventSchema };

/**
 * A config checked, defaults filled in.
 *
 * @throws UserLlmError `bad-config` that lists every field that is wrong.
 */
export function defineUserLlm(config: UserLlmConfigInput): UserLlmConfig {
  return parseUserLlmConfig(config);
}

/**
 * As `defineUserLlm`, for what was read from a file.
 *
 * @throws UserLlmError `bad-config` that lists every field that is wrong.
 */
export function parseUserLlmConfig(config: unknown): UserLlmConfig {
  const parsed = userLlmConfig.safeParse(config);
  if (parsed.success) return parsed.data as UserLlmConfig;
  throw new UserLlmError('bad-config', {
    what: 'config of a User-LLM',
    expected: 'the fields of userLlmConfig',
    got: parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'all of it'}: ${message}`).join('; '),
    mend: 'Correct these fields; userLlmJsonSchema() describes all of them.',
    cause: parsed.error,
  });
}
