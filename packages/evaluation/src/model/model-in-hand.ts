import type { Runtime } from '@user-llm/graph';
import type { ModelParts } from '@user-llm/user-llm';

/** A trained User-LLM as evaluation takes it apart: `userLlm.parts`, and what to run it on. */
export interface ModelInHand extends Pick<
  ModelParts,
  'model' | 'weights' | 'eventTokenizer' | 'textTokenizer' | 'catalogue'
> {
  /** Runs it, and stays the caller's; ONNX Runtime, started when first needed, when absent. */
  readonly runtime?: Runtime;
}
