import { toByteCharacters, wordsOf } from '../byte-level.js';
import type { PipelineStep } from '../tokenizer-json.js';
import { escaped, patternOf, wordCharacters } from './pattern.js';
import { remember } from './remember.js';
import { behaviorOf, splitter } from './split.js';
import { kindOf, stepsOf, textOf } from './step-fields.js';

/** Splits a text into the pieces that the model reads one by one; `first` says whether it begins the whole text. */
export type PreTokenizer = (text: string, first: boolean) => readonly string[];

const asciiPunctuation = '!-\\/:-@\\[-`{-~';

const kinds: Readonly<Record<string, (step: PipelineStep) => PreTokenizer>> = {
  Sequence: (step) => {
    const steps = stepsOf(step, 'pretokenizers').map(preTokenizerOf);
    return (text, first) =>
      steps.reduce<readonly string[]>(
        (pieces, split) => pieces.flatMap((piece, at) => split(piece, first && at === 0)),
        [text],
      );
  },
  ByteLevel: (step) => {
    const spaceFirst = step['add_prefix_space'] === true;
    const whole = step['use_regex'] === false;
    const bytes = remember((word) => [toByteCharacters(word)]);
    return (text) => {
      const begun = spaceFirst && !text.startsWith(' ') ? ` ${text}` : text;
      return whole ? [toByteCharacters(begun)] : wordsOf(begun).map((word) => bytes(word)[0]!);
    };
  },
  Split: (step) => splitter(patternOf(step['pattern']), behaviorOf(step['behavior']), step['invert'] === true),
  Digits: (step) => splitter(/\p{N}/gu, step['individual_digits'] === true ? 'Isolated' : 'Contiguous'),
  Punctuation: (step) =>
    splitter(new RegExp(`[\\p{P}${asciiPunctuation}]`, 'gu'), behaviorOf(step['behavior'] ?? 'Isolated')),
  Whitespace: () =>
    splitter(new RegExp(`[${wordCharacters}]+|[^${wordCharacters}\\p{White_Space}]+`, 'gu'), 'Removed', true),
  WhitespaceSplit: () => splitter(/\p{White_Space}/gu, 'Removed'),
  CharDelimiterSplit: (step) => splitter(new RegExp(escaped(textOf(step, 'delimiter')), 'gu'), 'Removed'),
  BertPreTokenizer: () => {
    const words = splitter(/\p{White_Space}/gu, 'Removed');
    const parts = splitter(new RegExp(`[\\p{P}${asciiPunctuation}]`, 'gu'), 'Isolated');
    return (text) => words(text).flatMap(parts);
  },
  Metaspace: (step) => {
    const space = textOf(step, 'replacement', '▁');
    const scheme = prependScheme(step);
    const split = step['split'] === false ? undefined : splitter(new RegExp(escaped(space), 'gu'), 'MergedWithNext');
    return (text, first) => {
      const spaced = text.replaceAll(' ', space);
      const prepend = scheme === 'always' || (scheme === 'first' && first);
      const begun = prepend && !spaced.startsWith(space) ? space + spaced : spaced;
      return split ? split(begun) : [begun];
    };
  },
};

/** When a `Metaspace` step puts a space first; older files say it by `add_prefix_space`. */
export function prependScheme(step: PipelineStep): string {
  return textOf(step, 'prepend_scheme', step['add_prefix_space'] === false ? 'never' : 'always');
}

/** The pre-tokenizer that a step of a `tokenizer.json` describes. */
export function preTokenizerOf(step: PipelineStep): PreTokenizer {
  return kindOf(kinds, 'pre-tokenizer', step)(step);
}
