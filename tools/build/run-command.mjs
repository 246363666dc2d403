/**
 * Calls `main(args)` of a command's module and exits with what that resolves to; an error is told on standard error,
 * with exit status 1.
 *
 * @param {URL} module The built `cli.js`.
 * @param {() => Promise<void>} [prepare] What is done before the module is loaded.
 */
export async function runCommand(module, prepare) {
  try {
    await prepare?.();
    stopWithoutReader();
    const { main } = await import(module.href);
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${describe(error)}\n`);
    process.exitCode = 1;
  }
}

/**
 * Stops as SIGTERM would when nobody reads the output any more (`... | head`): what a command saves when it is stopped is
 * saved then, too.
 */
function stopWithoutReader() {
  let told = false;
  process.stdout.on('error', (error) => {
    if (!('code' in error) || error.code !== 'EPIPE') throw error;
    if (told) return;
    told = true;
    if (!process.emit('SIGTERM')) process.exit(141);
  });
}

/**
 * What a person is shown of an error: our own errors speak for themselves, others keep their stack.
 *
 * @param {unknown} error
 */
function describe(error) {
  if (!(error instanceof Error)) return String(error);
  return error.constructor === Error || 'code' in error ? error.message : (error.stack ?? error.message);
}
