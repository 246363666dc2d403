/** Text that is HTML already. */
export interface Html {
  readonly html: string;
}

type Insertion = string | number | Html | readonly Html[] | undefined;

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text with everything that HTML would read as its own made harmless. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/gu, (character) => entities[character]!);
}

/** A piece of HTML; what is inserted is escaped unless it is HTML itself, and nothing inserts nothing. */
export function html(parts: TemplateStringsArray, ...insertions: readonly Insertion[]): Html {
  const insert = (insertion: Insertion): string => {
    if (insertion === undefined) return '';
    if (typeof insertion === 'string' || typeof insertion === 'number') return escapeHtml(String(insertion));
    return 'html' in insertion ? insertion.html : insertion.map((each) => each.html).join('\n');
  };
  return { html: parts.map((part, at) => part + (at < insertions.length ? insert(insertions[at]) : '')).join('') };
}
