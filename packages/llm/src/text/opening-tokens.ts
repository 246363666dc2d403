import { z } from 'zod';
import { stepsOf } from './pipeline/step-fields.js';
import type { PipelineStep, TokenizerJson } from './tokenizer-json.js';

const template = z.looseObject({
  single: z.array(z.looseObject({ SpecialToken: z.looseObject({ id: z.string() }).optional() })),
  special_tokens: z.record(z.string(), z.looseObject({ ids: z.array(z.number().int().nonnegative()) })),
});

/**
 * The tokens that a post-processor puts before a text: those of its template (`TemplateProcessing`), also within a
 * `Sequence`; other kinds put none there.
 *
 * @throws Error for a template that is none.
 */
export function openingTokens(step: PipelineStep | null | undefined): readonly number[] {
  const found = templateOf(step);
  if (!found) return [];
  const parsed = template.safeParse(found);
  if (!parsed.success) throw new Error('a TemplateProcessing without single or special_tokens');
  const { single, special_tokens } = parsed.data;
  const text = single.findIndex(({ SpecialToken }) => !SpecialToken);
  return single.slice(0, Math.max(text, 0)).flatMap(({ SpecialToken }) => special_tokens[SpecialToken!.id]?.ids ?? []);
}

/** The same tokenizer with a post-processor that puts a token before texts, where it has no template that tells this. */
export function openedWith(json: TokenizerJson, content: string, id: number): TokenizerJson {
  if (templateOf(json.post_processor)) return json;
  const own = templateWith(content, id);
  const post_processor = json.post_processor ? { type: 'Sequence', processors: [json.post_processor, own] } : own;
  return { ...json, post_processor };
}

function templateWith(content: string, id: number): PipelineStep {
  const special = (type_id: number): object => ({ SpecialToken: { id: content, type_id } });
  const text = (name: string, type_id: number): object => ({ Sequence: { id: name, type_id } });
  return {
    type: 'TemplateProcessing',
    single: [special(0), text('A', 0)],
    pair: [special(0), text('A', 0), special(1), text('B', 1)],
    special_tokens: { [content]: { id: content, ids: [id], tokens: [content] } },
  };
}

function templateOf(step: PipelineStep | null | undefined): PipelineStep | undefined {
  if (step?.type === 'TemplateProcessing') return step;
  return step?.type === 'Sequence'
    ? stepsOf(step, 'processors')
        .map(templateOf)
        .find((own) => own)
    : undefined;
}
