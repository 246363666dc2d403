import { readFile } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';

/** What the page may load: its own two files, nothing from elsewhere. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const files = {
  '/': ['index.html', 'text/html'],
  '/page.css': ['page.css', 'text/css'],
  '/page.js': ['page.js', 'text/javascript'],
} as const;

/**
 * Adds the page to try the server at `/`.
 *
 * @param folder Where its files are.
 */
export function addPageRoutes(app: FastifyInstance, folder: URL): void {
  for (const [path, [file, type]] of Object.entries(files)) {
    app.get(path, async (_request, reply) => {
      const content = await readFile(new URL(file, folder));
      return reply
        .headers({
          'content-type': `${type}; charset=utf-8`,
          'content-security-policy': policy,
          'cache-control': 'no-cache',
        })
        .send(content);
    });
  }
}
