import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';
import { rotaryScaling } from '../architecture/rotary-scaling.js';

const count = z.number().int().positive();

/** Heads, and elements of one, beyond which a config is refused before anything is made of it. */
export const mostOfHeads = 65_536;

/**
 * Fields that the configs of all families have: meaning and unit of each, and what is filled in. Sizes have bounds far
 * above those of any model, so that nothing is made of a config that asks for more than there is.
 */
export const decoderFields = {
  vocabularySize: count.max(2 ** 24).describe('Number of tokens, special ones included.'),
  width: count.max(2 ** 20).describe('Width of hidden states, in numbers.'),
  layers: count.max(4096).describe('Decoder layers.'),
  heads: count.max(mostOfHeads).describe('Query heads of attention.'),
  feedForward: count.max(2 ** 24).describe('Width between the maps of the feed-forward network, in numbers.'),
  maximumTokens: count
    .max(2 ** 31 - 1)
    .default(2048)
    .describe('Positions the model is made for, in tokens.'),
  normEpsilon: z.number().positive().default(1e-5).describe('Added to mean squares in norms.'),
  tiedEmbedding: z.boolean().default(true).describe('Whether the output layer is the embedding table.'),
  deviation: z.number().positive().default(0.02).describe('Standard deviation of the first values of matrices.'),
} as const;

/** Fields of families whose query heads may share keys. */
export const headFields = {
  keyValueHeads: count
    .optional()
    .describe('Key and value heads, each shared by as many query heads; as many as query heads when absent.'),
  headSize: count
    .max(mostOfHeads)
    .optional()
    .describe('Width of a head, in numbers, an even one; the width divided by the heads when absent.'),
} as const;

/** Fields of families with rotary positions. */
export const rotaryFields = {
  rotaryBase: z.number().positive().default(10_000).describe('Base of the rotary frequencies.'),
  rotaryScaling: rotaryScaling
    .optional()
    .describe('How the frequencies are changed to read more tokens than were trained; not at all when absent.'),
} as const;

/** Fields of families whose layers may read the last tokens alone. */
export const windowFields = {
  window: count
    .optional()
    .describe('Tokens that a token of a local layer reads, its own and those right before it; all when absent.'),
  localLayers: z
    .array(z.number().int().nonnegative())
    .optional()
    .describe('Numbers, from 0, of the layers that read the window alone; every layer when absent.'),
} as const;

/** What is checked of a config as a whole. */
interface Sizes {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads?: number | undefined;
  readonly headSize?: number | undefined;
  readonly rotaryBase?: number | undefined;
  readonly rotaryShare?: number | undefined;
  readonly localLayers?: readonly number[] | undefined;
}

/** The sizes of attention that a config means, with what is filled in. */
export function headsOf({ width, heads, keyValueHeads = heads, headSize = width / heads }: Sizes): {
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
} {
  return { heads, keyValueHeads, headSize };
}

/** A config of these fields alone, whose sizes fit each other. */
export function familyConfig<const S extends z.ZodRawShape>(fields: S): z.ZodObject<S, z.core.$strict> {
  return z.strictObject(fields).superRefine((given, context) => {
    const sizes = given as unknown as Sizes;
    const refuse = (path: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [path], message });
    };
    const { heads, keyValueHeads, headSize } = headsOf(sizes);
    if (heads % keyValueHeads !== 0) refuse('keyValueHeads', `must divide the ${heads} query heads`);
    if (!Number.isInteger(headSize)) {
      refuse(
        'heads',
        `must divide the width ${sizes.width}${'headSize' in fields ? ', or a headSize must be given' : ''}`,
      );
    } else if (headSize > mostOfHeads) {
      refuse('heads', `must be so many that a head has at most ${mostOfHeads} elements, and it has ${headSize}`);
    } else if (sizes.rotaryBase !== undefined && (headSize * (sizes.rotaryShare ?? 1)) % 2 !== 0) {
      refuse('headSize', `must be even where it is turned, and is ${headSize * (sizes.rotaryShare ?? 1)}`);
    }
    const beyond = sizes.localLayers?.find((layer) => layer >= sizes.layers);
    if (beyond !== undefined) refuse('localLayers', `must be below ${sizes.layers}, and ${beyond} is not`);
  });
}

/**
 * A config checked and filled in.
 *
 * @param family Its name, for the message.
 * @throws UserLlmError `bad-config` that lists every field that is wrong.
 */
export function parseFamilyConfig<Config>(family: string, schema: z.ZodType<Config>, config: unknown): Config {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  throw new UserLlmError('bad-config', {
    what: `config of a ${family}`,
    expected: 'fields that fit',
    got: problemsOf(parsed.error),
    mend: 'Correct these fields.',
    cause: parsed.error,
  });
}

/** What is wrong with a config, field by field. */
export function problemsOf({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message)).join('; ');
}
