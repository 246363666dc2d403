import { toByteCharacters } from '../byte-level.js';
import type { PipelineStep } from '../tokenizer-json.js';
import { characterMap } from './character-map.js';
import { library } from './library.js';
import { patternOf } from './pattern.js';
import { kindOf, stepsOf, textOf } from './step-fields.js';

/** Changes a text before it is split. */
export type Normalizer = (text: string) => string;

const kinds: Readonly<Record<string, (step: PipelineStep) => Normalizer>> = {
  Sequence: (step) => {
    const steps = stepsOf(step, 'normalizers').map(normalizerOf);
    return (text) => steps.reduce((changed, normalize) => normalize(changed), text);
  },
  NFC: () => (text) => text.normalize('NFC'),
  NFD: () => (text) => text.normalize('NFD'),
  NFKC: () => (text) => text.normalize('NFKC'),
  NFKD: () => (text) => text.normalize('NFKD'),
  // One by one: JavaScript's own lower case of a whole text knows the end of Greek words.
  Lowercase: () => (text) => Array.from(text, (character) => character.toLowerCase()).join(''),
  Strip: (step) => {
    const ends = [
      ...(step['strip_left'] ? ['^\\p{White_Space}+'] : []),
      ...(step['strip_right'] ? ['\\p{White_Space}+$'] : []),
    ];
    if (ends.length === 0) return (text) => text;
    const pattern = new RegExp(ends.join('|'), 'gu');
    return (text) => text.replace(pattern, '');
  },
  StripAccents: () => (text) => text.replace(/\p{M}/gu, ''),
  Replace: (step) => {
    const [pattern, content] = [patternOf(step['pattern']), textOf(step, 'content')];
    return (text) => text.replace(pattern, () => content);
  },
  Prepend: (step) => {
    const prepend = textOf(step, 'prepend');
    return (text) => (text === '' ? '' : prepend + text);
  },
  Precompiled: (step) => characterMap(textOf(step, 'precompiled_charsmap')),
  Nmt: () => (text) => Array.from(text, nmtCharacter).join(''),
  ByteLevel: () => toByteCharacters,
  BertNormalizer: (step) => {
    const own = new library.BertNormalizer(step);
    return (text) => own.normalize(text);
  },
};

/** The normalizer that a step of a `tokenizer.json` describes. */
export function normalizerOf(step: PipelineStep): Normalizer {
  return kindOf(kinds, 'normalizer', step)(step);
}

/** Characters that SentencePiece's `nmt` rules leave out, and those that become spaces, as ranges of code points. */
const nmtDropped = [[0x1, 0x8], [0xb], [0xe, 0x1f], [0x7f], [0x8f], [0x9f]];
const nmtSpaces = [[0x9, 0xa], [0xc, 0xd], [0x1680], [0x200b, 0x200f], [0x2028, 0x2029], [0x2581], [0xfeff], [0xfffd]];

function nmtCharacter(character: string): string {
  const code = character.codePointAt(0)!;
  const among = (ranges: readonly (readonly number[])[]): boolean =>
    ranges.some((range) => code >= range[0]! && code <= range.at(-1)!);
  return among(nmtDropped) ? '' : among(nmtSpaces) ? ' ' : character;
}
