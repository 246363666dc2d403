import { openDataset } from '@user-llm/datasets';
import { loadTokenizer, trainBpe } from '@user-llm/llm';
import type { EventSchema, Item } from '@user-llm/plugin';
import { EventTokenizer, parquetEvents, parquetItems } from '@user-llm/tokenization';
import { UserLlm } from '@user-llm/user-llm';

/** Writes the directory of a small, untrained model of a prepared data set; it says that it was trained on another. */
export async function saveTinyModel(data: string, directory: string): Promise<void> {
  const { paths } = await openDataset(data);
  const catalogue: Item[] = [];
  for await (const item of parquetItems(paths.items)) catalogue.push(item);
  const events = { item: { kind: 'id' } } as const satisfies EventSchema;
  const eventTokenizer = await EventTokenizer.fit(events, { events: parquetEvents(paths.events), items: catalogue });
  const texts = catalogue.map(({ title }) => `Which item does this user choose next? ${title ?? ''}`);
  const textTokenizer = loadTokenizer(trainBpe(texts, { vocabularySize: 300 }));
  const { vocabularySize } = textTokenizer;
  const sizes = { width: 16, layers: 1, heads: 2 };
  const userLlm = UserLlm.create({
    config: {
      events,
      encoder: { name: 'autoregressive', config: { ...sizes, maximumEvents: 8, dropout: 0 } },
      compressor: { name: 'perceiver', config: { latents: 2, layers: 1, heads: 2 } },
      fusion: { name: 'cross-attention', config: { heads: 2 } },
      llm: { name: 'llama', config: { ...sizes, vocabularySize, feedForward: 32, maximumTokens: 256 } },
    },
    eventTokenizer,
    textTokenizer,
    catalogue,
    weights: { seed: 4 },
    trainedOn: { data: 'data of another day', split: { kind: 'leave-last-out', validation: 1, seed: 0 } },
  });
  await userLlm.save(directory);
  await userLlm.dispose();
}
