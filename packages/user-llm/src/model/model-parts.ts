import type { EncoderInputs, Item, Plugin } from '@user-llm/plugin';
import type { JsonTokenizer } from '@user-llm/llm';
import type { EventTokenizer, Split } from '@user-llm/tokenization';
import type { UserLlmModel } from '../compose/compose.js';
import type { Weights } from './weights.js';

/** The data that a model was trained on, and which part of them, so that nothing else is tested on it. */
export interface TrainedOn {
  /** What tells the data from others: of a prepared data set the SHA-256 of its events and of its items, a space between. */
  readonly data: string;
  /** How they were parted. */
  readonly split: Split;
}

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
  /** The plugins that the config's parts come from, beside our own. */
  readonly plugins: readonly Pick<Plugin, 'name' | 'version'>[];
  /** What is asked when the LLM recommends items; best a wording that it was trained with. */
  readonly recommendPrompt: string;
  /** What it was trained on, where that is known. */
  readonly trainedOn?: TrainedOn;
}
