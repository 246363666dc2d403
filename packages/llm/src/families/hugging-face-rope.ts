import type { RotaryScaling } from '../architecture/rotary-scaling.js';
import {
  badHuggingFace,
  parseHuggingFace,
  ropeFields,
  type LayerKind,
  type LlamaLikeFields,
  type RopeFields,
} from './hugging-face-fields.js';

/** Rotary positions as our configs have them. */
export interface Rope {
  readonly rotaryBase: number;
  readonly rotaryScaling?: RotaryScaling;
  /** Share of the elements of a head that are turned, where not all are; a family without this field refuses it. */
  readonly rotaryShare?: number;
  /** Of `longrope`: as many as its short factors are for, so that short texts read as they do in transformers. */
  readonly maximumTokens?: number;
}

/** What to look for in a `config.json`. */
export interface RopeQuery {
  /** Name of the family, for messages. */
  readonly family: string;
  /** The base where the file does not say. */
  readonly base?: number;
  /** Which layers', where the file tells them apart. */
  readonly layers?: LayerKind;
}

/**
 * Rotary positions as `config.json` says them: `rope_theta` and `rope_scaling` of transformers 4, or `rope_parameters`
 * of transformers 5, for all layers or by their kind; to be put behind the fields of `llamaLikeFrom`.
 *
 * @throws UserLlmError `bad-config` for a kind of scaling that is not known, or lacks a number.
 */
export function ropeFrom(data: LlamaLikeFields, { family, base = 10_000, layers = 'full_attention' }: RopeQuery): Rope {
  const found = data.rope_parameters?.[layers] ?? data.rope_parameters ?? data.rope_scaling ?? {};
  const rope = parseHuggingFace(family, ropeFields, found);
  const rotaryScaling = scalingFrom(rope, data, family);
  const rotaryBase = rope.rope_theta ?? data.rope_theta ?? base;
  const rotaryShare = rope.partial_rotary_factor ?? data.partial_rotary_factor ?? 1;
  return {
    rotaryBase,
    ...(rotaryScaling && { rotaryScaling }),
    ...(rotaryShare !== 1 && { rotaryShare }),
    ...(rotaryScaling?.kind === 'longrope' && { maximumTokens: rotaryScaling.originalTokens }),
  };
}

function scalingFrom(rope: RopeFields, data: LlamaLikeFields, family: string): RotaryScaling | undefined {
  const kind = rope.rope_type ?? rope.type ?? 'default';
  const need = <K extends keyof RopeFields>(name: K): NonNullable<RopeFields[K]> => {
    const value = rope[name];
    if (value !== undefined && value !== null) return value as NonNullable<RopeFields[K]>;
    throw badHuggingFace(family, `rotary positions of type ${kind} without ${String(name)}`);
  };
  const told = rope.original_max_position_embeddings ?? data.original_max_position_embeddings;
  const originalTokens = told ?? data.max_position_embeddings;
  switch (kind) {
    case 'default':
      return undefined;
    case 'linear':
      return { kind, factor: need('factor') };
    case 'dynamic':
      return { kind, factor: need('factor'), originalTokens };
    case 'llama3':
      return {
        kind,
        factor: need('factor'),
        originalTokens,
        lowFrequencyFactor: need('low_freq_factor'),
        highFrequencyFactor: need('high_freq_factor'),
      };
    case 'yarn': {
      const factor = rope.factor ?? data.max_position_embeddings / originalTokens;
      return {
        kind,
        factor,
        originalTokens,
        fastTurns: rope.beta_fast ?? 32,
        slowTurns: rope.beta_slow ?? 1,
        wholePairs: rope.truncate ?? true,
        attentionScale: rope.attention_factor ?? yarnAttention(factor, rope),
      };
    }
    case 'longrope':
    case 'su': {
      const factor = told ? data.max_position_embeddings / told : (rope.factor ?? 1);
      return {
        kind: 'longrope',
        originalTokens,
        extendedTokens: data.max_position_embeddings,
        shortFactors: need('short_factor'),
        longFactors: need('long_factor'),
        attentionScale: rope.attention_factor ?? longAttention(factor, originalTokens),
      };
    }
    default:
      throw badHuggingFace(family, `rotary positions of type ${JSON.stringify(kind)}`);
  }
}

/** YaRN's attention scale (Peng et al. 2023, equation 22), by `mscale` as DeepSeek's models have it. */
function yarnAttention(factor: number, { mscale, mscale_all_dim: all }: RopeFields): number {
  const scale = (weight: number): number => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1);
  return mscale && all ? scale(mscale) / scale(all) : scale(1);
}

function longAttention(factor: number, originalTokens: number): number {
  return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalTokens));
}

/**
 * `rope_parameters` of transformers 5, and `rope_theta` and `rope_scaling` of transformers 4, where all layers turn
 * alike; to be put behind the fields of `llamaLikeTo`.
 */
export function ropeTo({ rotaryBase, rotaryScaling }: RopeConfig): Readonly<Record<string, unknown>> {
  const scaling = rotaryScaling && scalingTo(rotaryScaling);
  return {
    rope_theta: rotaryBase,
    rope_scaling: scaling ?? null,
    rope_parameters: { rope_theta: rotaryBase, ...(scaling ?? { rope_type: 'default' }) },
    ...(rotaryScaling?.kind === 'longrope' && {
      max_position_embeddings: rotaryScaling.extendedTokens,
      original_max_position_embeddings: rotaryScaling.originalTokens,
    }),
  };
}

interface RopeConfig {
  readonly rotaryBase: number;
  readonly rotaryScaling?: RotaryScaling | undefined;
}

/** What `rope_scaling` says of a scaling. */
export function scalingTo(scaling: RotaryScaling): Readonly<Record<string, unknown>> {
  switch (scaling.kind) {
    case 'linear':
      return { rope_type: 'linear', factor: scaling.factor };
    case 'dynamic':
      return {
        rope_type: 'dynamic',
        factor: scaling.factor,
        original_max_position_embeddings: scaling.originalTokens,
      };
    case 'llama3':
      return {
        rope_type: 'llama3',
        factor: scaling.factor,
        original_max_position_embeddings: scaling.originalTokens,
        low_freq_factor: scaling.lowFrequencyFactor,
        high_freq_factor: scaling.highFrequencyFactor,
      };
    case 'yarn':
      return {
        rope_type: 'yarn',
        factor: scaling.factor,
        original_max_position_embeddings: scaling.originalTokens,
        beta_fast: scaling.fastTurns,
        beta_slow: scaling.slowTurns,
        truncate: scaling.wholePairs,
        attention_factor: scaling.attentionScale,
      };
    case 'longrope':
      return {
        rope_type: 'longrope',
        original_max_position_embeddings: scaling.originalTokens,
        short_factor: scaling.shortFactors,
        long_factor: scaling.longFactors,
        attention_factor: scaling.attentionScale,
      };
  }
}
