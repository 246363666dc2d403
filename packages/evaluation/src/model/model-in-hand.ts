import type { Runtime } from '@user-llm/graph';
import type { TextTokenizer } from '@user-llm/plugin';
import type { Tensor } from '@user-llm/tensor';
import type { EventTokenizer } from '@user-llm/tokenization';
import type { UserLlmModel } from '@user-llm/user-llm';

/** A trained User-LLM as evaluation takes it apart. */
export interface ModelInHand {
  readonly model: UserLlmModel;
  /** All parameters by full name. */
  readonly weights: Readonly<Record<string, Tensor>>;
  readonly eventTokenizer: EventTokenizer;
  readonly textTokenizer: TextTokenizer;
  /** Runs it; the caller's. */
  readonly runtime: Runtime;
}
