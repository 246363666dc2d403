import type { Runtime } from '@user-llm/graph';
import type { ModelParts } from '@user-llm/user-llm';

/** A trained User-LLM as evaluation takes it apart: `{ ...userLlm.parts, runtime }`. */
export interface ModelInHand extends Pick<ModelParts, 'model' | 'weights' | 'eventTokenizer' | 'textTokenizer'> {
  /** Runs it; the caller's. */
  readonly runtime: Runtime;
}
