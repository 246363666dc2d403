import { z } from 'zod';

const named = z.array(z.looseObject({ name: z.string(), template: z.string() }));

/**
 * The chat template that a `tokenizer_config.json` holds: one text, or several with names, of which `default` counts.
 *
 * @param chatTemplate Its field `chat_template`.
 */
export function chatTemplateOf(chatTemplate: unknown): string | undefined {
  if (typeof chatTemplate === 'string') return chatTemplate;
  return named.safeParse(chatTemplate).data?.find(({ name }) => name === 'default')?.template;
}
