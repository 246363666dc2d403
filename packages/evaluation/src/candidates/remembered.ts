import { open, readFile } from 'node:fs/promises';
import type { TestQuestion } from '../protocol/questions.js';
import type { Candidate, Ranking } from './candidate.js';

/** Where a candidate's answers are kept. */
export interface Remembering {
  /** A file of JSON lines. */
  readonly path: string;
  /** What the answers depend on, such as hashes of the model and of the data; answers of another are forgotten. */
  readonly fingerprint: string;
}

/** A line of the file: what was answered to one question. */
interface Kept {
  readonly key: string;
  readonly answer: readonly string[] | string;
}

/**
 * A candidate whose answers are kept in a file as they come, so that an evaluation that was stopped goes on where it was.
 * Words and lists of items are kept; rankings by scores are asked anew.
 *
 * @param candidate Is asked what the file does not have.
 */
export async function rememberedCandidate(candidate: Candidate, remembering: Remembering): Promise<Candidate> {
  const memory = await Memory.open(remembering);
  const { rank, answer } = candidate;
  return {
    ...candidate,
    ...(rank && {
      rank: (questions, options) =>
        memory.complete<Ranking>(questions, (unknown) => rank(unknown, options), {
          read: (kept) => ({ kind: 'list', items: kept as readonly string[] }),
          write: (ranking) => (ranking.kind === 'list' ? ranking.items : undefined),
        }),
    }),
    ...(answer && {
      answer: (questions, options) =>
        memory.complete<string>(questions, (unknown) => answer(unknown, options), {
          read: (kept) => kept as string,
          write: (words) => words,
        }),
    }),
  };
}

/** How answers are put into lines, and taken from them. */
interface Form<A> {
  read(kept: Kept['answer']): A;
  /** Nothing for what is not kept. */
  write(answer: A): Kept['answer'] | undefined;
}

class Memory {
  readonly #path: string;
  readonly #kept: Map<string, Kept['answer']>;

  private constructor(path: string, kept: Map<string, Kept['answer']>) {
    this.#path = path;
    this.#kept = kept;
  }

  static async open({ path, fingerprint }: Remembering): Promise<Memory> {
    const head = JSON.stringify({ fingerprint });
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    const [first, ...lines] = text.split('\n');
    const kept = new Map<string, Kept['answer']>();
    if (first === head) for (const { key, answer } of lines.flatMap(parsed)) kept.set(key, answer);
    // Written anew, so that a line that a kill has cut is not gone on with.
    const all = [head, ...[...kept].map(([key, answer]) => JSON.stringify({ key, answer }))];
    await write(path, 'w', all);
    return new Memory(path, kept);
  }

  async complete<A>(
    questions: readonly TestQuestion[],
    ask: (unknown: readonly TestQuestion[]) => Promise<readonly A[]>,
    form: Form<A>,
  ): Promise<A[]> {
    const unknown = questions.filter((question) => !this.#kept.has(keyOf(question)));
    const found = unknown.length === 0 ? [] : await ask(unknown);
    const fresh = new Map(unknown.map((question, at) => [keyOf(question), found[at]!]));
    const lines = [...fresh].flatMap(([key, answer]) => {
      const kept = form.write(answer);
      return kept === undefined ? [] : [{ key, answer: kept } satisfies Kept];
    });
    await write(
      this.#path,
      'a',
      lines.map((line) => JSON.stringify(line)),
    );
    for (const { key, answer } of lines) this.#kept.set(key, answer);
    return questions.map((question) => {
      const key = keyOf(question);
      return fresh.get(key) ?? form.read(this.#kept.get(key)!);
    });
  }
}

/** What tells a question from all others of a data set. */
function keyOf({ example, position }: TestQuestion): string {
  return [example.user, position, example.template].join(' ');
}

function parsed(line: string): Kept[] {
  try {
    return [JSON.parse(line) as Kept];
  } catch {
    // The last line, when a kill has cut it.
    return [];
  }
}

async function write(path: string, flags: 'w' | 'a', lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  const file = await open(path, flags);
  try {
    await file.writeFile(`${lines.join('\n')}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}
