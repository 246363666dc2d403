import { join } from 'node:path';
import { z } from 'zod';
import { chatTemplateOf } from '../chat/chat-template-source.js';
import { loadTokenizer, type JsonTokenizer, type TokenizerRoles } from '../text/load-tokenizer.js';
import { parseTokenizerJson, type TokenizerJson } from '../text/tokenizer-json.js';
import { requireTokens } from './loaded-language-model.js';
import { parseJson, readBytesIfThere } from './read-files.js';

const id = z.number().int().nullish();
const ids = z.union([z.number().int(), z.array(z.number().int())]).nullish();

/** What `config.json` and `generation_config.json` say of tokens. */
export const tokenIds = z.looseObject({ bos_token_id: id, eos_token_id: ids, pad_token_id: id });

type TokenIds = z.output<typeof tokenIds>;

const token = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish();
const tokenizerConfig = z.looseObject({
  bos_token: token,
  eos_token: token,
  pad_token: token,
  add_bos_token: z.boolean().nullish(),
  chat_template: z.unknown().optional(),
});

/**
 * The tokenizer of a Hugging Face folder: `tokenizer.json`, with what `tokenizer_config.json`, `generation_config.json`,
 * `config.json` and `chat_template.jinja` say of it; nothing where there is no `tokenizer.json`.
 *
 * @param config What `config.json` says.
 * @throws UserLlmError as `loadTokenizer`; `wrong-tokenizer` when it lacks a token that `config.json` or
 *   `generation_config.json` name by number; `bad-checkpoint` for files that are no JSON; `unreadable-file`.
 */
export async function loadFolderTokenizer(folder: string, config: TokenIds): Promise<JsonTokenizer | undefined> {
  const file = join(folder, 'tokenizer.json');
  const bytes = await readBytesIfThere(file);
  if (!bytes) return undefined;
  const content = parseTokenizerJson(parseJson(file, bytes));
  const generation = tokenIds.safeParse(await jsonIfThere(join(folder, 'generation_config.json'))).data ?? {};
  requireTokens(folder, content, [...idsOf(config), ...idsOf(generation)]);
  return loadTokenizer(content, await rolesOf(folder, content, config, generation));
}

function idsOf({ bos_token_id, eos_token_id, pad_token_id }: TokenIds): number[] {
  // Older files have -1 where there is no such token.
  return [bos_token_id ?? -1, pad_token_id ?? -1, ...listOf(eos_token_id)].filter((own) => own >= 0);
}

async function rolesOf(
  folder: string,
  { added_tokens }: TokenizerJson,
  config: TokenIds,
  generation: TokenIds,
): Promise<TokenizerRoles> {
  const told = tokenizerConfig.safeParse(await jsonIfThere(join(folder, 'tokenizer_config.json'))).data;
  const template = await readBytesIfThere(join(folder, 'chat_template.jinja'));
  const chatTemplate = template ? new TextDecoder().decode(template) : chatTemplateOf(told?.chat_template);
  const special = added_tokens.filter((own) => own.special);
  const byId = (wanted: number | null | undefined): string | undefined =>
    special.find((own) => own.id === wanted)?.content;
  const named = (given: z.output<typeof token>, otherwise: number | null | undefined): string | undefined => {
    const content = typeof given === 'object' ? given?.content : given;
    return special.find((own) => own.content === content)?.content ?? byId(otherwise);
  };
  const ends = [...listOf(generation.eos_token_id), ...listOf(config.eos_token_id)];
  const begin = named(told?.bos_token, config.bos_token_id);
  const end = named(told?.eos_token, ends[0]);
  const padding = named(told?.pad_token, config.pad_token_id);
  return {
    ...(begin !== undefined && { begin }),
    ...(end !== undefined && { end }),
    ...(padding !== undefined && { padding }),
    opensWithBegin: told?.add_bos_token ?? false,
    alsoEnd: ends.flatMap((own) => byId(own) ?? []),
    ...(chatTemplate !== undefined && { chatTemplate }),
  };
}

function listOf(ids: number | readonly number[] | null | undefined): readonly number[] {
  return typeof ids === 'number' ? [ids] : (ids ?? []);
}

async function jsonIfThere(path: string): Promise<unknown> {
  const bytes = await readBytesIfThere(path);
  return bytes ? parseJson(path, bytes) : {};
}
