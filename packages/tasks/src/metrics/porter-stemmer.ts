/*
 * The suffix-stripping algorithm of M. F. Porter, "An algorithm for suffix stripping", Program 14 (1980), with the
 * departures of NLTK's stemmer that ROUGE's reference implementation uses: a pool of irregular words, `y` to `i` only
 * after a consonant, and the suffixes `bli`, `fulli`, `logi`.
 *
 * A word is seen as consonants `c` and vowels `v`; its measure is the number of times `v` is followed by `c`.
 */

const irregular: ReadonlyMap<string, string> = new Map([
  ['skies', 'sky'],
  ['sky', 'sky'],
  ['dying', 'die'],
  ['lying', 'lie'],
  ['tying', 'tie'],
  ['news', 'news'],
  ['innings', 'inning'],
  ['inning', 'inning'],
  ['outings', 'outing'],
  ['outing', 'outing'],
  ['cannings', 'canning'],
  ['canning', 'canning'],
  ['howe', 'howe'],
  ['proceed', 'proceed'],
  ['exceed', 'exceed'],
  ['succeed', 'succeed'],
]);

type Rule = readonly [suffix: string, replacement: string];

const step2: readonly Rule[] = [
  ['ational', 'ate'],
  ['tional', 'tion'],
  ['enci', 'ence'],
  ['anci', 'ance'],
  ['izer', 'ize'],
  ['bli', 'ble'],
  ['alli', 'al'],
  ['entli', 'ent'],
  ['eli', 'e'],
  ['ousli', 'ous'],
  ['ization', 'ize'],
  ['ation', 'ate'],
  ['ator', 'ate'],
  ['alism', 'al'],
  ['iveness', 'ive'],
  ['fulness', 'ful'],
  ['ousness', 'ous'],
  ['aliti', 'al'],
  ['iviti', 'ive'],
  ['biliti', 'ble'],
  ['fulli', 'ful'],
];

const step3: readonly Rule[] = [
  ['icate', 'ic'],
  ['ative', ''],
  ['alize', 'al'],
  ['iciti', 'ic'],
  ['ical', 'ic'],
  ['ful', ''],
  ['ness', ''],
];

const step4 = [
  ...['al', 'ance', 'ence', 'er', 'ic', 'able', 'ible', 'ant', 'ement', 'ment', 'ent', 'ion'],
  ...['ou', 'ism', 'ate', 'iti', 'ous', 'ive', 'ize'],
];

/** The word's letters as `c` and `v`; a `y` is a vowel after a consonant. */
function pattern(word: string): string {
  let letters = '';
  for (const letter of word) {
    const vowel = 'aeiou'.includes(letter) || (letter === 'y' && letters.endsWith('c'));
    letters += vowel ? 'v' : 'c';
  }
  return letters;
}

function measure(word: string): number {
  return pattern(word).split('vc').length - 1;
}

function hasVowel(word: string): boolean {
  return pattern(word).includes('v');
}

/** Ends as in `hop`, so that an `e` may have stood behind it. */
function endsShort(word: string): boolean {
  const letters = pattern(word);
  return letters === 'vc' || (letters.endsWith('cvc') && !/[wxy]$/.test(word));
}

/** Applies the first rule whose suffix the word has, if the measure of what stands before it is above `least`. */
function replaceSuffix(word: string, rules: readonly Rule[], least: number): string {
  for (const [suffix, replacement] of rules) {
    if (!word.endsWith(suffix)) continue;
    const stem = word.slice(0, word.length - suffix.length);
    return measure(stem) > least ? stem + replacement : word;
  }
  return word;
}

function stripPlural(word: string): string {
  if (word.endsWith('ies')) return word.slice(0, word.length === 4 ? -1 : -2);
  if (word.endsWith('sses')) return word.slice(0, -2);
  return word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word;
}

function stripPast(word: string): string {
  if (word.endsWith('ied')) return word.slice(0, word.length === 4 ? -1 : -2);
  if (word.endsWith('eed')) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word;
  const suffix = ['ed', 'ing'].find((end) => word.endsWith(end) && hasVowel(word.slice(0, -end.length)));
  if (suffix === undefined) return word;
  const stem = word.slice(0, -suffix.length);
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`;
  const doubled = stem.length >= 2 && stem.at(-1) === stem.at(-2) && pattern(stem).endsWith('c');
  if (doubled) return /[lsz]$/.test(stem) ? stem : stem.slice(0, -1);
  return measure(stem) === 1 && endsShort(stem) ? `${stem}e` : stem;
}

function replaceY(word: string): string {
  const stem = word.slice(0, -1);
  return word.endsWith('y') && stem.length > 1 && pattern(stem).endsWith('c') ? `${stem}i` : word;
}

function replaceDouble(word: string): string {
  if (word.endsWith('alli') && measure(word.slice(0, -4)) > 0) return replaceDouble(word.slice(0, -2));
  if (word.endsWith('logi')) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word;
  return replaceSuffix(word, step2, 0);
}

function stripEnding(word: string): string {
  const suffix = step4.find((end) => word.endsWith(end));
  if (suffix === undefined) return word;
  const stem = word.slice(0, word.length - suffix.length);
  return measure(stem) > 1 && (suffix !== 'ion' || /[st]$/.test(stem)) ? stem : word;
}

function tidy(word: string): string {
  let tidied = word;
  if (word.endsWith('e')) {
    const stem = word.slice(0, -1);
    if (measure(stem) > 1 || (measure(stem) === 1 && !endsShort(stem))) tidied = stem;
  }
  return tidied.endsWith('ll') && measure(tidied.slice(0, -1)) > 1 ? tidied.slice(0, -1) : tidied;
}

const steps: readonly ((word: string) => string)[] = [
  stripPlural,
  stripPast,
  replaceY,
  replaceDouble,
  (word) => replaceSuffix(word, step3, 0),
  stripEnding,
  tidy,
];

/** The stem of an English word in lower case; digits count as consonants. */
export function porterStem(word: string): string {
  const known = irregular.get(word);
  if (known !== undefined) return known;
  if (word.length <= 2) return word;
  return steps.reduce((stem, step) => step(stem), word);
}
