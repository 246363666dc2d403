import { rotaryFrequencies, type RotaryOptions } from '@user-llm/graph';
import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';

const factor = z.number().min(1).describe('How many times as many tokens are to be read.');
const originalTokens = z.number().int().positive().describe('Positions that were trained before, in tokens.');
const factors = z.array(z.number().positive()).describe('What the frequency of each pair is divided by.');

/** Ways to read more tokens than a model with rotary positions was trained for: meaning and unit of every field. */
export const rotaryScaling = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('linear').describe('All frequencies divided by the factor (Chen et al. 2023).'),
    factor,
  }),
  z.strictObject({
    kind: z
      .literal('dynamic')
      .describe('A larger base, as large as the maximum of tokens asks for (NTK-aware, dynamic).'),
    factor,
    originalTokens,
  }),
  z.strictObject({
    kind: z
      .literal('llama3')
      .describe('Low frequencies divided by the factor, high ones kept, those between mixed (Llama 3.1).'),
    factor,
    originalTokens,
    lowFrequencyFactor: z
      .number()
      .positive()
      .describe('Turns within the original tokens up to which a frequency is divided by the factor.'),
    highFrequencyFactor: z
      .number()
      .positive()
      .describe('Turns within the original tokens from which on a frequency stays; larger than the other.'),
  }),
  z.strictObject({
    kind: z
      .literal('yarn')
      .describe('As llama3, by pairs rather than frequencies, and attention made sharper (Peng et al. 2023, YaRN).'),
    factor,
    originalTokens,
    fastTurns: z
      .number()
      .positive()
      .default(32)
      .describe('Turns within the original tokens from which on a frequency stays.'),
    slowTurns: z
      .number()
      .positive()
      .default(1)
      .describe('Turns within the original tokens up to which a frequency is divided by the factor.'),
    wholePairs: z.boolean().default(true).describe('Whether the bounds between these are rounded to whole pairs.'),
    attentionScale: z.number().positive().describe('What sines and cosines are multiplied with.'),
  }),
  z.strictObject({
    kind: z
      .literal('longrope')
      .describe(
        'A factor for each frequency: short ones for a model of up to the original tokens, long ones beyond (Ding et al. 2024).',
      ),
    originalTokens,
    extendedTokens: z.number().int().positive().describe('Positions that the long factors were made for, in tokens.'),
    shortFactors: factors,
    longFactors: factors,
    attentionScale: z.number().positive().describe('What sines and cosines are multiplied with.'),
  }),
]);

/** A validated way to read more tokens. */
export type RotaryScaling = z.output<typeof rotaryScaling>;

/** What rotary positions are made of. */
export interface RotaryPositions {
  /** How many elements of a head are turned, an even number. */
  readonly size: number;
  /** Base of the frequencies. */
  readonly base: number;
  readonly scaling?: RotaryScaling | undefined;
  /** Positions that the model is made for. */
  readonly maximumTokens: number;
  readonly interleaved?: boolean;
}

/**
 * How heads are turned.
 *
 * @throws UserLlmError `bad-config` when there is not one factor for each pair.
 */
export function rotaryTurn({ interleaved = false, ...positions }: RotaryPositions): RotaryOptions {
  const { scaling } = positions;
  const scale = scaling?.kind === 'yarn' || scaling?.kind === 'longrope' ? scaling.attentionScale : 1;
  return { frequencies: scaledFrequencies(positions), interleaved, scale };
}

function scaledFrequencies({ size, base, scaling, maximumTokens }: RotaryPositions): number[] {
  const plain = rotaryFrequencies(size, base);
  if (!scaling) return plain;
  switch (scaling.kind) {
    case 'linear':
      return plain.map((frequency) => frequency / scaling.factor);
    case 'dynamic': {
      const { factor, originalTokens } = scaling;
      const stretch = (factor * Math.max(maximumTokens, originalTokens)) / originalTokens - (factor - 1);
      return rotaryFrequencies(size, base * stretch ** (size / (size - 2)));
    }
    case 'llama3': {
      const { factor, originalTokens, lowFrequencyFactor: low, highFrequencyFactor: high } = scaling;
      return plain.map((frequency) => {
        const turns = (originalTokens * frequency) / (2 * Math.PI);
        return mixed(frequency, factor, (turns - low) / (high - low));
      });
    }
    case 'yarn': {
      const { factor } = scaling;
      const [first, last] = yarnBounds(size, base, scaling);
      return plain.map((frequency, pair) => mixed(frequency, factor, 1 - (pair - first) / (last - first)));
    }
    case 'longrope': {
      const { shortFactors, longFactors, originalTokens } = scaling;
      const factors = maximumTokens > originalTokens ? longFactors : shortFactors;
      requirePairs(factors, plain.length);
      return plain.map((frequency, pair) => frequency / factors[pair]!);
    }
  }
}

/** A frequency, of which a share from 0 to 1 stays as it is and the rest is divided by the factor. */
function mixed(frequency: number, factor: number, share: number): number {
  const kept = Math.min(Math.max(share, 0), 1);
  return kept * frequency + (1 - kept) * (frequency / factor);
}

/** The pair up to which frequencies stay, and the one from which on they are divided. */
function yarnBounds(
  size: number,
  base: number,
  { originalTokens, fastTurns, slowTurns, wholePairs }: Extract<RotaryScaling, { kind: 'yarn' }>,
): [number, number] {
  const pairOf = (turns: number): number =>
    (size * Math.log(originalTokens / (turns * 2 * Math.PI))) / (2 * Math.log(base));
  const [fast, slow] = [pairOf(fastTurns), pairOf(slowTurns)];
  const first = Math.max(wholePairs ? Math.floor(fast) : fast, 0);
  const last = Math.min(wholePairs ? Math.ceil(slow) : slow, size - 1);
  return [first, first === last ? last + 0.001 : last];
}

function requirePairs(factors: readonly number[], pairs: number): void {
  if (factors.length === pairs) return;
  throw new UserLlmError('bad-config', {
    what: 'rotaryScaling of kind longrope',
    expected: `one factor for each of ${pairs} pairs`,
    got: `${factors.length}`,
    mend: 'Give factors for half of the elements of a head that are turned.',
  });
}
