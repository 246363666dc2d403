import type { EncoderInputs, Item } from '@user-llm/plugin';
import type { JsonTokenizer } from '@user-llm/llm';
import type { EventTokenizer } from '@user-llm/tokenization';
import type { UserLlmModel } from '../compose/compose.js';
import type { Weights } from './weights.js';

/** All that a User-LLM is made of, as a model directory holds it. */
export interface ModelParts {
  readonly model: UserLlmModel;
  readonly weights: Weights;
  readonly eventTokenizer: EventTokenizer;
  readonly textTokenizer: JsonTokenizer;
  /** The items that may be recommended, in a fixed order. */
  readonly catalogue: readonly Item[];
  /** Vectors known of a feature's ids beforehand, where the encoder was built with such. */
  readonly vectors?: EncoderInputs['vectors'];
  /** Hash of the encoder and its vocabularies. */
  readonly encoderHash: string;
  /** Names of the plugins that the config's parts come from, beside our own. */
  readonly plugins: readonly string[];
  /** What is asked when the LLM recommends items; best a wording that it was trained with. */
  readonly recommendPrompt: string;
}
