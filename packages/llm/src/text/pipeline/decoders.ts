import { byteCharacters } from '../byte-level.js';
import type { PipelineStep } from '../tokenizer-json.js';
import { library } from './library.js';
import { patternOf } from './pattern.js';
import { prependScheme } from './pre-tokenizers.js';
import { kindOf, stepsOf, textOf } from './step-fields.js';

/** Changes tokens on their way to a text, which is what they are joined to. */
export type TokenDecoder = (tokens: readonly string[]) => readonly string[];

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const strictUtf8 = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
const encoder = new TextEncoder();
const bytesOfCharacters = new Map(byteCharacters.map((character, byte) => [character, byte]));

const kinds: Readonly<Record<string, (step: PipelineStep) => TokenDecoder>> = {
  Sequence: (step) => {
    const steps = stepsOf(step, 'decoders').map(decoderOf);
    return (tokens) => steps.reduce((changed, decode) => decode(changed), tokens);
  },
  ByteLevel: () => (tokens) => [utf8.decode(Uint8Array.from(tokens.flatMap(bytesOfToken)))],
  ByteFallback: () => withBytes,
  Fuse: () => (tokens) => [tokens.join('')],
  Metaspace: (step) => {
    const space = textOf(step, 'replacement', '▁');
    const first = prependScheme(step) === 'never' ? ' ' : '';
    return (tokens) => tokens.map((token, at) => token.replaceAll(space, at === 0 ? first : ' '));
  },
  Replace: (step) => {
    const [pattern, content] = [patternOf(step['pattern']), textOf(step, 'content')];
    return (tokens) => tokens.map((token) => token.replace(pattern, () => content));
  },
  Strip: (step) => {
    const content = textOf(step, 'content');
    const [start, stop] = [Number(step['start'] ?? 0), Number(step['stop'] ?? 0)];
    return (tokens) => tokens.map((token) => stripped(token, content, start, stop));
  },
  WordPiece: (step) => {
    const own = new library.WordPieceDecoder(step);
    return (tokens) => own.decode_chain([...tokens]);
  },
  BPEDecoder: (step) => {
    const own = new library.BPEDecoder(step);
    return (tokens) => own.decode_chain([...tokens]);
  },
};

/** The decoder that a step of a `tokenizer.json` describes. */
export function decoderOf(step: PipelineStep): TokenDecoder {
  return kindOf(kinds, 'decoder', step)(step);
}

/** The bytes that a token's characters stand for; of a token with others, its own. */
function bytesOfToken(token: string): number[] {
  const bytes = Array.from(token, (character) => bytesOfCharacters.get(character));
  return bytes.every((byte) => byte !== undefined) ? bytes : [...encoder.encode(token)];
}

/** Runs of byte tokens as their text, or as `�` for each byte where they are none. */
function withBytes(tokens: readonly string[]): string[] {
  const texts: string[] = [];
  let bytes: number[] = [];
  const flush = (): void => {
    if (bytes.length === 0) return;
    try {
      texts.push(strictUtf8.decode(Uint8Array.from(bytes)));
    } catch {
      texts.push(...bytes.map(() => '\ufffd'));
    }
    bytes = [];
  };
  for (const token of tokens) {
    const byte = /^<0x([0-9a-fA-F]{2})>$/u.exec(token)?.[1];
    if (byte !== undefined) bytes.push(Number.parseInt(byte, 16));
    else {
      flush();
      texts.push(token);
    }
  }
  flush();
  return texts;
}

function stripped(token: string, content: string, start: number, stop: number): string {
  const characters = Array.from(token);
  let from = 0;
  while (from < Math.min(start, characters.length) && characters[from] === content) from++;
  let to = characters.length;
  while (characters.length - to < Math.min(stop, characters.length) && characters[to - 1] === content) to--;
  return characters.slice(from, to).join('');
}
