import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadLanguageModel } from '@user-llm/llm';
import { EventTokenizer } from '@user-llm/tokenization';
import { describe, expect, it } from 'vitest';
import { initialWeights, UserLlm, type UserLlmConfigInput, type Weights } from '../src/index.js';
import { schema, tinyConfig } from './support.js';
import { catalogue, history } from './world.js';

const root = process.env['USER_LLM_MODELS'] ?? fileURLToPath(new URL('../../../../shared/models', import.meta.url));
const checkpoint = join(root, 'stories260K', 'stories260K.bin');
const missing = !existsSync(checkpoint);

describe.skipIf(missing)(`a pretrained LLM${missing ? ' (skipped: no stories260K in USER_LLM_MODELS)' : ''}`, () => {
  it('tells its stories whoever the user is, until a gate opens; also after a save', async () => {
    const loaded = await loadLanguageModel(checkpoint);
    const textTokenizer = loaded.tokenizer!;
    const config: UserLlmConfigInput = tinyConfig({ llm: { name: loaded.family, config: loaded.config as never } });
    const eventTokenizer = await EventTokenizer.fit(schema, { events: history('a', [0, 1, 2, 3]), items: catalogue });
    const made = UserLlm.create({ config, eventTokenizer, textTokenizer, catalogue, weights: { seed: 1 } });
    const given = Object.entries(loaded.weights).map(([name, weight]) => [`llm.${name}`, weight] as const);
    const weights = initialWeights(made.model, 1, Object.fromEntries(given));
    const ask = async (of: Weights, user: boolean): Promise<string[]> => {
      const model = UserLlm.create({ config, eventTokenizer, textTokenizer, catalogue, weights: of });
      const folder = await mkdtemp(join(tmpdir(), 'user-llm-checkpoint-'));
      const question = { prompt: 'Once upon a time', maximumTokens: 24 };
      const about = user ? { user: history('b', [2, 1]) } : { withoutUser: true };
      const answers = await model.answers([{ ...question, ...about }]);
      await model.save(join(folder, 'model'));
      await model.dispose();
      const again = await UserLlm.load(join(folder, 'model'));
      answers.push(...(await again.answers([{ ...question, ...about }])));
      await again.dispose();
      await rm(folder, { recursive: true });
      return answers;
    };
    const [story, sameStory] = await ask(weights, false);
    expect(story).toMatch(/\w+ \w+ \w+/);
    expect(sameStory).toBe(story);
    expect(await ask(weights, true)).toEqual([story, story]);
    const open = Object.entries(weights).map(
      ([name, weight]) => [name, name.endsWith('.gate') ? weight.copy() : weight] as const,
    );
    for (const [name, weight] of open) if (name.endsWith('.gate')) weight.data.fill(1);
    const [other, sameOther] = await ask(Object.fromEntries(open), true);
    expect(other).not.toBe(story);
    expect(sameOther).toBe(other);
  }, 120_000);
});
