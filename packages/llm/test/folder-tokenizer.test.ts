import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { loadLanguageModel, loadTokenizer, saveLanguageModel, trainBpe } from '../src/index.js';
import { loadFolderTokenizer } from '../src/checkpoints/folder-tokenizer.js';
import { tinyLlama } from './support.js';

const json = trainBpe(['some text'], { vocabularySize: 300, specialTokens: { extra: ['<|turn|>', '<|stop|>'] } });
const folders: string[] = [];
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'user-llm-folder-'));
  folders.push(folder);
  await put('tokenizer.json', json);
});
afterAll(() => Promise.all(folders.map((path) => rm(path, { recursive: true }))));

const put = (name: string, content: unknown): Promise<void> =>
  writeFile(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));

describe('the tokenizer of a folder', () => {
  it('begins and ends as its files say, those of generation first', async () => {
    await put('tokenizer_config.json', { bos_token: { content: '<|turn|>' }, eos_token: '<|end|>', pad_token: null });
    await put('generation_config.json', { eos_token_id: [4, 2] });
    const found = await loadFolderTokenizer(folder, { eos_token_id: 3, pad_token_id: 0 });
    expect(found).toMatchObject({ begin: 3, end: 2, padding: 0, ends: [2, 4, 3] });
    expect(found!.chatTemplate).toBeUndefined();
  });

  it('ends by numbers where no names are told', async () => {
    expect(await loadFolderTokenizer(folder, { eos_token_id: [4, 3] })).toMatchObject({ end: 4, ends: [4, 3] });
  });

  it('has the chat template of its config, or of a file of its own, which comes first', async () => {
    const named = [
      { name: 'tool_use', template: 'a' },
      { name: 'default', template: 'b' },
    ];
    await put('tokenizer_config.json', { eos_token: '<|end|>', chat_template: named });
    expect((await loadFolderTokenizer(folder, {}))!.chatTemplate).toBe('b');
    await put('chat_template.jinja', 'c');
    expect((await loadFolderTokenizer(folder, {}))!.chatTemplate).toBe('c');
  });

  it('is none without a tokenizer.json, and refused where a file is no JSON', async () => {
    await put('generation_config.json', '{');
    await expect(loadFolderTokenizer(folder, {})).rejects.toThrow(
      expect.objectContaining({ code: 'bad-checkpoint' }) as Error,
    );
    await rm(join(folder, 'tokenizer.json'));
    expect(await loadFolderTokenizer(folder, {})).toBeUndefined();
  });

  it.each<[string, Record<string, number | number[]>, object]>([
    ['ends', { eos_token_id: 59_999 }, {}],
    ['ends, by one of several', { eos_token_id: [2, 300] }, {}],
    ['begins', { bos_token_id: 59_998 }, {}],
    ['fills up, for generation', {}, { pad_token_id: 300 }],
  ])('is that of another model where it lacks what %s', async (_, config, generation) => {
    await put('generation_config.json', generation);
    await expect(loadFolderTokenizer(folder, config)).rejects.toMatchObject({ code: 'wrong-tokenizer' });
  });

  it('may leave rows of the model over, and have no token to fill up', async () => {
    const { config, weights } = tinyLlama({ vocabularySize: 320 });
    await saveLanguageModel(folder, { family: 'llama', config, weights, tokenizer: loadTokenizer(json) });
    const told = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as object;
    await put('config.json', { ...told, pad_token_id: -1 });
    expect((await loadLanguageModel(folder)).tokenizer!.vocabularySize).toBeLessThan(320);
  });

  it('opens texts as its config says where the file does not', async () => {
    await put('tokenizer.json', { ...json, post_processor: null });
    expect((await loadFolderTokenizer(folder, {}))!.opensWith).toEqual([]);
    await put('tokenizer_config.json', { add_bos_token: true, bos_token: '<|turn|>' });
    expect((await loadFolderTokenizer(folder, {}))!.opensWith).toEqual([3]);
  });

  it('is a file', async () => {
    await rm(join(folder, 'tokenizer.json'));
    await mkdir(join(folder, 'tokenizer.json'));
    await expect(loadFolderTokenizer(folder, {})).rejects.toMatchObject({ code: 'unreadable-file' });
  });

  it('comes back with its template and its ends from a saved model', async () => {
    const tokenizer = loadTokenizer(json, { alsoEnd: ['<|stop|>'], chatTemplate: '{{ messages[0].content }}\n' });
    const { config, weights } = tinyLlama({ vocabularySize: tokenizer.vocabularySize });
    await saveLanguageModel(folder, { family: 'llama', config, weights, tokenizer });
    const told = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as { eos_token_id: unknown };
    expect(told.eos_token_id).toEqual([2, 4]);
    const { tokenizer: loaded } = await loadLanguageModel(folder);
    expect([loaded!.chatTemplate, loaded!.ends]).toEqual([tokenizer.chatTemplate, [2, 4]]);
    expect(loaded!.opensWith).toEqual([1]);
  });
});
