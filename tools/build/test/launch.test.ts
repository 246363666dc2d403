import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { workspaceRoot } from '../workspace.mjs';

const run = promisify(execFile);

/** A clone with a space in its path, one library and one command that needs it. */
describe('a command of a workspace', () => {
  let root: string;

  beforeEach(() => {
    root = join(mkdtempSync(join(tmpdir(), 'user-llm-launch-')), 'a clone');
    mkdirSync(join(root, 'tools'), { recursive: true });
    cpSync(join(workspaceRoot, 'tools/build'), join(root, 'tools/build'), {
      recursive: true,
      filter: (path) => !/out-tsc|node_modules|test$/.test(path),
    });
    cpSync(join(workspaceRoot, 'tsconfig.base.json'), join(root, 'tsconfig.base.json'));
    writeJson('package.json', { name: 'clone', private: true, type: 'module', workspaces: ['packages/*', 'apps/*'] });
    writePackage('packages/greeting', { name: '@user-llm/greeting' }, 'index', "export const greeting = 'hello';\n");
    writePackage(
      'apps/greet',
      { name: '@user-llm/greet', dependencies: { '@user-llm/greeting': '0.1.0' } },
      'cli',
      `import { greeting } from '@user-llm/greeting';
export async function main(args: readonly string[]): Promise<number> {
  process.stdout.write(greeting + ' ' + args.join(' ') + '\\n');
  return args.length;
}
`,
    );
    mkdirSync(join(root, 'apps/greet/bin'));
    writeFileSync(
      join(root, 'apps/greet/bin/greet.mjs'),
      "import { launch } from '../../../tools/build/launch.mjs';\n\nawait launch(import.meta.url);\n",
    );
  });

  afterEach(() => {
    rmSync(join(root, '..'), { recursive: true, force: true });
  });

  function writeJson(path: string, value: object): void {
    writeFileSync(join(root, path), JSON.stringify(value));
  }

  function writePackage(path: string, manifest: object, entry: string, source: string): void {
    mkdirSync(join(root, path, 'src'), { recursive: true });
    writeJson(`${path}/package.json`, { type: 'module', exports: { '.': `./dist/${entry}.js` }, ...manifest });
    writeJson(`${path}/tsconfig.lib.json`, { extends: '../../tsconfig.base.json' });
    writeFileSync(
      join(root, path, 'tsup.config.mjs'),
      `import { library } from '../../tools/build/tsup.mjs';\n\nexport default library(['src/${entry}.ts']);\n`,
    );
    writeFileSync(join(root, path, `src/${entry}.ts`), source);
  }

  /** As after `npm ci`: the tools of this workspace, and links to the clone's own packages. */
  function install(): void {
    const modules = join(root, 'node_modules');
    mkdirSync(join(modules, '@user-llm'), { recursive: true });
    for (const name of ['tsup', 'typescript', 'esbuild']) {
      symlinkSync(join(workspaceRoot, 'node_modules', name), join(modules, name), 'junction');
    }
    symlinkSync(join(root, 'packages/greeting'), join(modules, '@user-llm/greeting'), 'junction');
    writeJson('package-lock.json', { packages: {} });
    writeJson('node_modules/.package-lock.json', { packages: {} });
  }

  async function greet(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
    try {
      return { status: 0, ...(await run(process.execPath, [join(root, 'apps/greet/bin/greet.mjs'), ...args])) };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { status: code, stdout, stderr };
    }
  }

  it('is built with what it needs before its first run, and not again', async () => {
    install();
    expect(await greet()).toEqual({
      status: 0,
      stdout: 'hello \n',
      stderr: 'Building packages/greeting, apps/greet ...\n',
    });
    expect(await greet('to', 'you')).toEqual({ status: 2, stdout: 'hello to you\n', stderr: '' });
  });

  it('is built again after a change of what it needs, after a removed output and after a touched one', async () => {
    install();
    await greet();
    writeFileSync(join(root, 'packages/greeting/src/index.ts'), "export const greeting = 'good evening';\n");
    expect(await greet()).toMatchObject({ stdout: 'good evening \n', stderr: 'Building packages/greeting ...\n' });
    rmSync(join(root, 'apps/greet/dist'), { recursive: true });
    expect(await greet()).toMatchObject({ stdout: 'good evening \n', stderr: 'Building apps/greet ...\n' });
    appendFileSync(join(root, 'apps/greet/dist/cli.js'), '// touched\n');
    expect(await greet()).toMatchObject({ status: 0, stderr: 'Building apps/greet ...\n' });
  });

  it('is built once when two start at the same time', async () => {
    install();
    const both = await Promise.all([greet(), greet()]);
    expect(both.map(({ stdout }) => stdout)).toEqual(['hello \n', 'hello \n']);
    expect(both.filter(({ stderr }) => stderr !== '')).toHaveLength(1);
    expect(existsSync(join(root, '.cache/launch/lock'))).toBe(false);
  });

  it('takes over the lock of a process that has died', async () => {
    install();
    const child = execFile(process.execPath, ['--eval', '']);
    await new Promise((resolve) => child.once('exit', resolve));
    mkdirSync(join(root, '.cache/launch'), { recursive: true });
    writeFileSync(join(root, '.cache/launch/lock'), String(child.pid));
    expect(await greet()).toMatchObject({ status: 0, stdout: 'hello \n' });
  });

  it('shows why a build failed, and does not run', async () => {
    install();
    writeFileSync(join(root, 'packages/greeting/src/index.ts'), 'export const = ;\n');
    const { status, stdout, stderr } = await greet();
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain('Building packages/greeting failed');
    expect(stderr).toContain('src/index.ts:1');
  });

  it('stops as it would by a signal when nobody reads its output any more', async () => {
    install();
    writeFileSync(
      join(root, 'apps/greet/src/cli.ts'),
      `import { setTimeout } from 'node:timers/promises';
export async function main([listens]: readonly string[]): Promise<number> {
  let stopped = false;
  if (listens) process.once('SIGTERM', () => (stopped = true));
  while (!stopped) {
    process.stdout.write('working\\n');
    await setTimeout(1);
  }
  process.stderr.write('saved\\n');
  return 130;
}
`,
    );
    const readOnce = async (...args: string[]) => {
      const child = spawn(process.execPath, [join(root, 'apps/greet/bin/greet.mjs'), ...args]);
      let errors = '';
      child.stderr.on('data', (text) => (errors += String(text)));
      child.stdout.once('data', () => child.stdout.destroy());
      const [status] = (await once(child, 'close')) as [number];
      return { status, errors };
    };
    expect(await readOnce('listening')).toEqual({
      status: 130,
      errors: expect.stringMatching(/^Building .*\nsaved\n$/),
    });
    expect(await readOnce()).toEqual({ status: 141, errors: '' });
  });

  it('says what to do where nothing is installed', async () => {
    expect(await greet()).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('npm ci') });
  });
});
