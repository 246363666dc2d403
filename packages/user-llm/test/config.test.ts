import { describe, expect, it } from 'vitest';
import { meanPool } from '@user-llm/perceiver';
import { z } from 'zod';
import {
  composeUserLlm,
  defineUserLlm,
  modelManifest,
  parseUserLlmConfig,
  presets,
  userLlmJsonSchema,
  userLlmRegistry,
  type UserLlmConfigInput,
} from '../src/index.js';
import { composeTiny, features, schema, tinyConfig } from './support.js';

describe('the config', () => {
  it('fills in what is left out', () => {
    const { encoder, llm } = tinyConfig();
    expect(defineUserLlm({ events: schema, encoder, llm })).toMatchObject({
      format: 'user-llm',
      item: 'item',
      compressor: { name: 'perceiver', config: {} },
      fusion: { name: 'cross-attention', config: {} },
    });
  });

  it.each([
    ['an unknown field', { layers: 3 }, 'layers'],
    ['an item that is no feature', { item: 'movie' }, 'item: must be one of the features in events: item, rating'],
    ['a feature of a reserved name', { events: { ...schema, mask: { kind: 'id' } } }, 'events.mask'],
    ['no LLM', { llm: undefined }, 'llm'],
    ['a part without a name', { encoder: { config: {} } }, 'encoder.name'],
  ])('refuses %s', (_, wrong, said) => {
    expect(() => parseUserLlmConfig({ ...tinyConfig(), ...wrong })).toThrow(said);
  });

  it('has the defaults of its parts once it is composed, whichever part it is', () => {
    const compressors = ['perceiver', 'mean', 'last', 'identity'];
    const fusions = ['cross-attention', 'soft-prompt', 'both'];
    for (const compressor of compressors) {
      for (const fusion of fusions) {
        const { config } = composeTiny({ compressor: { name: compressor }, fusion: { name: fusion } });
        expect(composeTiny(config as UserLlmConfigInput).config).toEqual(config);
        expect(JSON.parse(JSON.stringify(config))).toEqual(config);
      }
    }
    const { llm } = composeTiny().config;
    expect(llm.config).toMatchObject({ normEpsilon: 1e-5, tiedEmbedding: true });
  });

  it('refuses a part that changes the config it gave', () => {
    const turned = z.object({ scale: z.number() }).transform(({ scale }) => ({ factor: scale }));
    const registry = userLlmRegistry([
      { name: 'team', specVersion: 1, compressors: [{ ...meanPool, name: 'turned', config: turned as never }] },
    ]);
    const config = defineUserLlm(tinyConfig({ compressor: { name: 'turned', config: { scale: 2 } } }));
    expect(() => composeUserLlm(config, { registry, features })).toThrow(
      'compressors "turned": expected a schema that takes the config that it gave',
    );
  });

  it('refuses what a part refuses, unknown parts, and more events than the encoder reads', () => {
    expect(() => composeTiny({ compressor: { name: 'perceiver', config: { latent: 3 } } })).toThrow('latent');
    expect(() => composeTiny({ fusion: { name: 'telepathy' } })).toThrow('one of cross-attention, soft-prompt, both');
    expect(() => composeTiny({ maximumEvents: 7 })).toThrow('at most 6');
    expect(composeTiny({ maximumEvents: 5 }).maximumEvents).toBe(5);
  });

  it('has a JSON Schema in which every field says what it means', () => {
    const json = userLlmJsonSchema(userLlmRegistry());
    expect(JSON.parse(JSON.stringify(json))).toEqual(json);
    const bare: string[] = [];
    const visit = (node: unknown, path: string): void => {
      const { properties = {}, anyOf = [] } = node as {
        readonly properties?: Readonly<Record<string, { description?: string }>>;
        readonly anyOf?: readonly unknown[];
      };
      anyOf.forEach((one) => visit(one, path));
      for (const [name, field] of Object.entries(properties)) {
        if (!field.description) bare.push(`${path}.${name}`);
        visit(field, `${path}.${name}`);
      }
    };
    visit(json, '');
    expect(Object.keys((json as { properties: object }).properties)).toHaveLength(10);
    expect(bare).toEqual([]);
    expect(JSON.stringify(json)).toContain('"latents"');
    expect(JSON.stringify(userLlmJsonSchema())).not.toContain('"latents"');
    expect(() => z.toJSONSchema(modelManifest)).not.toThrow();
  });

  it.each(Object.keys(presets) as (keyof typeof presets)[])('the preset %s composes', (name) => {
    const config = presets[name]({ events: schema, vocabularySize: 300 });
    const model = composeTiny(config);
    expect(model.maximumEvents).toBeGreaterThan(0);
  });
});
