import { symbol, type Graph, type Program } from '@user-llm/graph';
import { reservedIds } from '@user-llm/tokenization';
import { eventInputs } from '@user-llm/user-llm';
import type { EvaluationData } from '../data/evaluation-data.js';
import { historyFeeds } from '../model/history-feeds.js';
import type { ModelInHand } from '../model/model-in-hand.js';
import { compileModel, modelGraph, runOnHost } from '../model/model-programs.js';
import type { Candidate } from './candidate.js';

/**
 * The user encoder alone: its scores of the whole catalogue for the event after the last. Items whose id it does not know
 * are last.
 */
export function encoderCandidate(
  data: Pick<EvaluationData, 'items' | 'catalogue'>,
  held: ModelInHand,
  { name = 'encoder alone', batchSize = 32 }: { readonly name?: string; readonly batchSize?: number } = {},
): Candidate {
  let compiled: Promise<Program> | undefined;
  const ids = itemIds(data, held);
  return {
    name,
    description: `${held.model.config.encoder.name} encoder, without the LLM: its own scores of all items`,
    kind: 'model',
    batchSize,
    rank: async (questions, { signal }) => {
      compiled ??= compileModel(held, nextItemGraph(held));
      const feeds = historyFeeds(
        held,
        questions.map(({ example }) => example.history),
      );
      const { scores } = await runOnHost(await compiled, feeds, signal);
      const size = scores!.shape[1]!;
      return questions.map((_, row) => ({
        kind: 'scores' as const,
        scores: Float32Array.from(ids, (id) => (id < 0 ? -Infinity : Number(scores!.data[row * size + id]))),
      }));
    },
  };
}

function nextItemGraph(held: ModelInHand): Graph {
  const { model } = held;
  const { batch, inputs } = eventInputs(model.features, symbol('batch'), symbol('event'));
  return modelGraph(held, inputs, (tree) => ({ scores: model.encoder.nextItem(tree.encoder as never, batch) }));
}

/** The encoder's id of every item, `[N]`; -1 where it has none of its own. */
function itemIds({ items, catalogue }: Pick<EvaluationData, 'items' | 'catalogue'>, held: ModelInHand): Int32Array {
  const { field, fitted } = held.eventTokenizer.feature(held.model.config.item);
  const id = new Int32Array(fitted.slots);
  return Int32Array.from(items, (item) => {
    fitted.encode(field === 'item' ? item : catalogue.get(item)?.[field], id, 0);
    return id[0]! > reservedIds.mask ? id[0]! : -1;
  });
}
