/** How BLEU parts text into words: as WMT's mteval-v13a, by Unicode punctuation (v14), by character, or by spaces alone. */
export type BleuTokenizer = '13a' | 'intl' | 'char' | 'none';

/** Splits at white space. */
function words(text: string): string[] {
  return text.split(/\s+/u).filter((word) => word !== '');
}

function tokens13a(text: string): string[] {
  const line = text
    .replaceAll('<skipped>', '')
    .replaceAll('-\n', '')
    .replaceAll('\n', ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>');
  const parted = ` ${line} `
    .replace(/([{-~[-` -&(-+:-@/])/g, ' $1 ')
    .replace(/([^0-9])([.,])/gu, '$1 $2 ')
    .replace(/([.,])([^0-9])/gu, ' $1 $2')
    .replace(/([0-9])(-)/g, '$1 $2 ');
  return words(parted);
}

function tokensInternational(text: string): string[] {
  const parted = text
    .replace(/(\P{N})(\p{P})/gu, '$1 $2 ')
    .replace(/(\p{P})(\P{N})/gu, ' $1 $2')
    .replace(/(\p{S})/gu, ' $1 ');
  return words(parted);
}

/** The tokenizers of sacreBLEU, by its own names for them. */
export const bleuTokenizers: Readonly<Record<BleuTokenizer, (text: string) => string[]>> = {
  '13a': tokens13a,
  intl: tokensInternational,
  char: (text) => words([...text].join(' ')),
  none: words,
};
