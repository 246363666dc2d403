import { Random } from '@user-llm/tensor';
import type { TextTokenizer } from '@user-llm/plugin';
import { catalogueTexts, fileTexts, promptAndAnswer, promptTexts, textTokens } from '../../data/texts.js';
import type { StageInputs } from '../stage.js';
import type { LanguageConfig } from './language-config.js';

/** Tokens of each text, those that are trained on and those that are held out. */
export interface LanguageTexts {
  readonly trained: readonly (readonly number[])[];
  readonly heldOut: readonly (readonly number[])[];
}

/** The texts of a stage: files, catalogue, prompts. Which are held out depends on the seed alone. */
export async function languageTexts(
  { files, catalogue, prompts, validation }: LanguageConfig,
  { data, registry, seed }: StageInputs,
  tokenizer: TextTokenizer,
): Promise<LanguageTexts> {
  const texts = [...(await fileTexts(files)), ...(catalogue ? catalogueTexts(data.catalogue) : [])];
  const tokens = texts.map((text) => textTokens(tokenizer, text));
  if (prompts) {
    for (const { prompt, target } of promptTexts(prompts, data, registry, seed)) {
      tokens.push(promptAndAnswer(tokenizer, prompt, target));
    }
  }
  const order = Random.fromSeed(seed).split('held-out texts').permutation(tokens.length);
  const held = validation ? Math.max(1, Math.round(validation.share * tokens.length)) : 0;
  const take = (places: Int32Array) => Array.from(places, (place) => tokens[place]!);
  return { heldOut: take(order.slice(0, held)), trained: take(order.slice(held).sort()) };
}
