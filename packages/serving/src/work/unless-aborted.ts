/**
 * What work comes to, or the signal's reason as soon as it aborts. Work that does not heed the signal goes on by itself
 * then; what it comes to is dropped.
 */
export function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    const settled = () => signal.removeEventListener('abort', abort);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    work.finally(settled).then(resolve, reject);
  });
}
