import type { Registry } from '@user-llm/plugin';
import type { RunFolder } from './run-folder.js';
import type { RunOptions } from './run-options.js';
import type { StartModel } from './start-model.js';

/** What the tokenizers of a run have learned, as JSON. */
export interface KeptTokenizers {
  readonly eventTokenizer?: unknown;
  readonly textTokenizer?: unknown;
}

/** What a run is prepared with. */
export interface Preparation {
  readonly registry: Registry;
  readonly options: RunOptions;
  readonly folder: RunFolder;
  /** What the tokenizers had learned when the run was started; nothing of a run that begins. */
  readonly kept: KeptTokenizers;
  /** The earlier model that the run starts from, if it does. */
  readonly start?: StartModel | undefined;
}
